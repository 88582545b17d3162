import { expect, test } from 'bun:test'
import { newTotpSecret, totpCode, totpStep, totpUri } from './totp.ts'

/** `12345678901234567890`, the secret of RFC 6238, appendix B; its codes have eight digits, the last six are ours. */
const RFC = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const VECTORS: readonly [number, string][] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
]

test('codes are those of RFC 6238', () => {
  for (const [seconds, code] of VECTORS) {
    expect(totpCode(RFC, seconds * 1000)).toBe(code)
    expect(totpStep(RFC, code, seconds * 1000)).toBe(Math.floor(seconds / 30))
  }
})

test('a code counts one step before and after its own, under the name of its own step', () => {
  const at = 1_800_000_015_000
  const own = totpStep(RFC, totpCode(RFC, at), at) ?? 0
  expect(own).toBe(60_000_000)
  const code = totpCode(RFC, at)
  for (const [shift, step] of [
    [-60_000, undefined],
    [-30_000, own],
    [30_000, own],
    [60_000, undefined],
  ] as const)
    expect({ shift, step: totpStep(RFC, code, at + shift) }).toEqual({ shift, step })
})

test('a space in the middle is how apps show it; anything else is no code', () => {
  const at = 59_000
  expect(totpStep(RFC, '287 082', at)).toBe(1)
  for (const wrong of ['287083', '28708', '2870820', '', 'abcdef'])
    expect({ wrong, step: totpStep(RFC, wrong, at) }).toEqual({ wrong, step: undefined })
})

test('a secret has 160 bits, and its URI says all that an app has to know', () => {
  const secret = newTotpSecret()
  expect(secret).toMatch(/^[A-Z2-7]{32}$/)
  expect(newTotpSecret()).not.toBe(secret)
  const uri = new URL(totpUri('ann.b', secret))
  expect(uri.protocol).toBe('otpauth:')
  expect(Object.fromEntries(uri.searchParams)).toEqual({
    ...{ issuer: 'Doorbuster', secret, algorithm: 'SHA1', digits: '6', period: '30' },
  })
})
