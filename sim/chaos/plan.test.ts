import { expect, test } from 'bun:test'
import { SettingError } from '../../src/platform/errors.ts'
import { chooseFaults, FAULTS, listFaults } from './faults.ts'
import { readChaosOptions } from './options.ts'
import { planRounds } from './plan.ts'

const full = { profile: 'full', root: true } as const
const plain = (seed: number, faults = FAULTS) =>
  planRounds(faults, seed).map(({ fault, ...times }) => ({ name: fault.name, ...times }))

test('a seed replays order, moments and crowds; another makes others', () => {
  expect(plain(7)).toEqual(plain(7))
  expect(plain(8)).not.toEqual(plain(7))
  expect(plain(7).map(({ name }) => name)).not.toEqual(FAULTS.map(({ name }) => name))
  expect(plain(7)).toHaveLength(FAULTS.length)
})

test('one fault alone has the moments it has among all', () => {
  const among = plain(7).find(({ name }) => name === 'redis-kill')
  const fault = FAULTS.filter(({ name }) => name === 'redis-kill')
  expect(plain(7, fault)).toEqual(among === undefined ? [] : [among])
})

test('each fault within its bounds', () => {
  for (const { fault, injectAtS, lastsS } of [1, 2, 3].flatMap((seed) => planRounds(FAULTS, seed))) {
    expect(injectAtS).toBeGreaterThan(0.5)
    expect(lastsS).toBeGreaterThanOrEqual(fault.lasts[0])
    expect(lastsS).toBeLessThanOrEqual(fault.lasts[1])
  }
})

test('names are one of a kind and make ids of sales', () => {
  const names = FAULTS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z0-9-]{3,40}$/)
  for (const name of names) expect(listFaults()).toContain(name)
})

test('all that this machine can do, or what is named, or a line that says why not', () => {
  expect(chooseFaults('all', full)).toEqual({ faults: FAULTS, leftOut: [] })
  const { faults, leftOut } = chooseFaults('all', { profile: 'embedded', root: false })
  expect(leftOut.map(({ name }) => name)).toContain('kafka-kill')
  expect([...faults, ...leftOut]).toHaveLength(FAULTS.length)
  expect(chooseFaults('redis-kill, web-kill', full).faults.map(({ name }) => name)).toEqual([
    'redis-kill',
    'web-kill',
  ])
  expect(() => chooseFaults('nonsense', full)).toThrow(/--faults: there is no nonsense/)
  expect(() => chooseFaults('kafka-kill', { profile: 'embedded', root: true })).toThrow(/--profile full/)
})

test('the command line', () => {
  expect(readChaosOptions({ seed: '7', json: true })).toEqual({
    ...{ faults: 'all', mutations: undefined, list: false, profile: 'embedded', seed: 7 },
    ...{ buyers: 200, units: 100, seconds: 5, json: true, keep: false },
  })
  expect(readChaosOptions({ mutations: true }).mutations).toBe('all')
  expect(readChaosOptions({ mutations: 'a,b', buyers: '60' })).toMatchObject({ mutations: 'a,b', units: 30 })
  for (const values of [
    { buyers: '1' },
    { seed: 'x' },
    { profile: 'half' },
    { seconds: '0.5' },
    { units: '0' },
  ])
    expect(() => readChaosOptions(values)).toThrow(SettingError)
})
