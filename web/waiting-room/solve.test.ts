import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/sha'
import fc from 'fast-check'
import { type Solvable, solve } from './solve.ts'
import type { SolveAnswer } from './solver.worker.ts'

const challengeOf = (salt: string, nonce: string, keyPrefix: string): Solvable => ({
  parameters: { algorithm: 'SHA-256', cost: 1, keyLength: 32, salt, nonce, keyPrefix },
})
const sha256 = (salt: string, nonce: string, counter: number) => {
  const input = Buffer.alloc(36)
  Buffer.from(salt + nonce, 'hex').copy(input)
  input.writeUInt32BE(counter, 32)
  return createHash('sha256').update(input).digest('hex')
}
const bytes16 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'))

test('it is SHA-256, for every salt, nonce, counter and length of prefix', () => {
  fc.assert(
    fc.property(
      ...[bytes16, bytes16, fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 1, max: 64 })],
      (salt, nonce, counter, digits) => {
        const derivedKey = sha256(salt, nonce, counter)
        const found = solve(challengeOf(salt, nonce, derivedKey.slice(0, digits)), { start: counter })
        expect(found).toMatchObject({ counter, derivedKey })
      },
    ),
  )
})

test('the first counter that fits, and each worker its share', () => {
  const [salt, nonce] = ['ab'.repeat(16), 'cd'.repeat(16)]
  const first = Array.from({ length: 5000 }, (_, counter) => counter).find((counter) =>
    sha256(salt, nonce, counter).startsWith('a7b'),
  )
  const challenge = challengeOf(salt, nonce, 'A7B')
  expect(solve(challenge)?.counter).toBe(first ?? -1)
  const shares = [0, 1, 2].map((start) => solve(challenge, { start, step: 3 })?.counter ?? Infinity)
  expect(Math.min(...shares)).toBe(first ?? -1)
  expect(shares.map((counter) => counter % 3)).toEqual([0, 1, 2])
})

test("it solves altcha-lib's challenges with a given prefix", async () => {
  const challenge = await createChallenge({
    algorithm: 'SHA-256',
    cost: 1,
    deriveKey,
    hmacSignatureSecret: 'x',
    keyPrefix: '0ff',
  })
  const solution = solve(challenge)
  if (solution === undefined) throw new Error('not solved')
  expect(await verifySolution({ challenge, solution, deriveKey, hmacSignatureSecret: 'x' })).toMatchObject({
    verified: true,
  })
})

test('where there is nothing to find it ends, and what it does not know it refuses', () => {
  const challenge = challengeOf('00'.repeat(16), '00'.repeat(16), '0'.repeat(64))
  expect(solve(challenge, { start: 0xffffffff - 1000 })).toBeUndefined()
  for (const change of [
    { cost: 2 },
    { algorithm: 'SHA-512' },
    { keyLength: 16 },
    { salt: '00' },
    { keyPrefix: '' },
  ])
    expect(() => solve({ parameters: { ...challenge.parameters, ...change } })).toThrow(RangeError)
})

test('the worker answers each challenge', async () => {
  const worker = new Worker(new URL('solver.worker.ts', import.meta.url))
  const ask = (request: unknown) =>
    new Promise<SolveAnswer>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<SolveAnswer>) => resolve(data)
      worker.postMessage(request)
    })
  const challenge = challengeOf('ab'.repeat(16), 'cd'.repeat(16), 'a7')
  expect(await ask({ challenge })).toMatchObject({
    kind: 'solved',
    solution: { counter: solve(challenge)?.counter },
  })
  expect(await ask({ challenge: { parameters: { ...challenge.parameters, cost: 3 } } })).toEqual({
    kind: 'not_found',
  })
  worker.terminate()
})
