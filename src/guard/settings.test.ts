import { expect, test } from 'bun:test'
import { GuardSettings } from './settings.ts'

test('nothing said is a guarded sale', () => {
  const settings = GuardSettings.parse({})
  expect(settings.proof_of_work).toMatchObject({ on: true, hashes: 500_000 })
  expect(settings.limits.on).toBe(true)
  expect(settings.limits.join_address).toEqual({ on: true, points: 600, duration_s: 60 })
  expect(settings.decoy.on).toBe(false)
  expect(GuardSettings.parse(settings)).toEqual(settings)
})

test('what is said replaces that alone', () => {
  const { limits, risk } = GuardSettings.parse({
    limits: { join_device: { points: 3 } },
    risk: { on: false },
  })
  expect(limits.join_device).toEqual({ on: true, points: 3, duration_s: 60 })
  expect(limits.join_user.points).toBe(10)
  expect(risk).toMatchObject({ on: false, anomalous: 60 })
})

test.each<[string, unknown]>([
  ['a misspelt feature', { rate_limits: {} }],
  ['a misspelt limit', { limits: { join_adress: {} } }],
  ['no points', { limits: { join_user: { points: 0 } } }],
  ['a limit that outlasts the counting', { limits: { join_user: { duration_s: 601 } } }],
  ['levels out of order', { risk: { raised: 70 } }],
  ['more work than a counter holds', { proof_of_work: { hashes: 2 ** 31 } }],
  ['an address that is no range', { exempt_networks: ['192.0.2.1'] }],
])('refused: %s', (_, given) => expect(GuardSettings.safeParse(given).success).toBe(false))
