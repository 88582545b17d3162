import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createChallenge, solveChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/sha'
import fc from 'fast-check'
import { createWork, handClock, MINE, solvedBy } from '../../test/support/guard.ts'
import { Challenge, type ProofPayload } from '../contracts/guard.ts'
import { deviceHash } from './proof-of-work.ts'
import { SKEW_MS } from './single-use.ts'

const clock = handClock()
const work = createWork(clock)
const kindOf = (payload: unknown, whose = MINE) => work.check({ ...whose, payload }).kind
const encoded = (payload: unknown) => Buffer.from(JSON.stringify(payload)).toString('base64')

describe('agreement with altcha-lib', () => {
  const theirs = ({ challenge, solution: { counter, derivedKey } }: ProofPayload) =>
    verifySolution({
      challenge,
      solution: { counter, derivedKey },
      deriveKey,
      hmacSignatureSecret: work.keyText,
    })

  test('it solves our challenges and verifies our solutions', async () => {
    for (let round = 0; round < 20; round++) {
      const challenge = work.create({ ...MINE, hashes: 100, lifetime_s: 600 })
      const solution = await solveChallenge({ challenge, deriveKey })
      if (solution === null) throw new Error('not solved')
      expect(kindOf({ challenge, solution })).toBe('valid')
      expect(await theirs({ challenge, solution })).toMatchObject({ verified: true })
      expect(await theirs(solvedBy(challenge))).toMatchObject({ verified: true })
      // The same search finds the same counter.
      expect(solvedBy(challenge).solution).toMatchObject({ counter: solution.counter })
    }
  })

  test('we solve and verify its challenges', async () => {
    for (let counter = 0; counter < 20; counter++) {
      const challenge = (await createChallenge({
        algorithm: 'SHA-256',
        cost: 1,
        counter,
        deriveKey,
        data: { device: deviceHash(MINE.device), hashes: 10, issued_at: clock.now(), sale: MINE.sale },
        expiresAt: new Date(clock.now() + 60_000),
        hmacSignatureSecret: work.keyText,
      })) as Challenge
      const payload = solvedBy(challenge)
      expect(payload.solution.counter).toBe(counter)
      expect(work.check({ ...MINE, payload })).toMatchObject({ kind: 'valid', proof: { tried: counter + 1 } })
    }
  })

  test('it refuses what we refuse', async () => {
    const { challenge, solution } = work.solved()
    const harder = { ...challenge, parameters: { ...challenge.parameters, expiresAt: 4_000_000_000 } }
    expect(await theirs({ challenge: harder, solution })).toMatchObject({ invalidSignature: true })
    expect(kindOf({ challenge: harder, solution })).toBe('bad_signature')
    const other = { ...solution, counter: solution.counter + 1 }
    expect(await theirs({ challenge, solution: other })).toMatchObject({ invalidSolution: true })
    expect(kindOf({ challenge, solution: other })).toBe('not_solved')
  })
})

test('a challenge is as the contract says, of the difficulty that was asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (hashes) => {
      const challenge = Challenge.parse(work.create({ ...MINE, hashes, lifetime_s: 60 }))
      const { solution } = solvedBy(challenge)
      expect(solution.counter).toBeLessThan(2 * hashes)
      expect(kindOf({ challenge, solution })).toBe('valid')
    }),
  )
  const counters = Array.from({ length: 400 }, () => work.solved(100).solution.counter)
  // Uniform over 0..199: the mean of 400 lies within 5 standard errors of 99.5.
  expect(Math.abs(counters.reduce((sum, one) => sum + one, 0) / 400 - 99.5)).toBeLessThan(15)
  expect(new Set(counters).size).toBeGreaterThan(100)
})

describe('what is refused, and how it is called', () => {
  test.each([undefined, null, ''])('nothing: %p', (payload) => expect(kindOf(payload)).toBe('missing'))

  const { challenge, solution } = work.solved()
  const { parameters } = challenge
  test.each<[string, unknown]>([
    ['no base64', '%%%'],
    ['no JSON', Buffer.from('{').toString('base64')],
    ['much too much', 'A'.repeat(5000)],
    ['a number', 5],
    ['a list', [challenge, solution]],
    ['no solution', { challenge }],
    ['a field of its own', { challenge, solution, extra: 1 }],
    [
      'an unsigned field',
      { challenge: { ...challenge, parameters: { ...parameters, memoryCost: 1 } }, solution },
    ],
    ['an unsigned datum', withData({ admin: true })],
    ['a __proto__', JSON.parse('{"challenge":{"__proto__":{}},"solution":{}}')],
    ['another algorithm', withParameters({ algorithm: 'SHA-512' })],
    ['no cost', withParameters({ cost: 0 })],
    ['a short prefix', withParameters({ keyPrefix: '' })],
    ['a cut key', withParameters({ keyLength: 1 })],
    ['a negative counter', { challenge, solution: { ...solution, counter: -1 } }],
    ['a counter that wraps', { challenge, solution: { ...solution, counter: solution.counter + 2 ** 32 } }],
    ['half a counter', { challenge, solution: { ...solution, counter: 0.5 } }],
    ['a counter as text', { challenge, solution: { ...solution, counter: `${solution.counter}` } }],
    ['capital hex', { challenge: { ...challenge, signature: challenge.signature.toUpperCase() }, solution }],
  ])('malformed: %s', (_, payload) => {
    expect(kindOf(payload)).toBe('malformed')
    if (typeof payload !== 'string') expect(kindOf(encoded(payload))).toBe('malformed')
  })

  function withParameters(change: object) {
    return { challenge: { ...challenge, parameters: { ...parameters, ...change } }, solution }
  }
  function withData(change: object) {
    return withParameters({ data: { ...parameters.data, ...change } })
  }

  test('another sale, another device, another key', () => {
    expect(kindOf({ challenge, solution }, { ...MINE, sale: 'sale-2' })).toBe('wrong_sale')
    expect(kindOf({ challenge, solution }, { ...MINE, device: 'device-2' })).toBe('wrong_device')
    expect(kindOf(createWork(clock, Buffer.alloc(32, 8)).solved())).toBe('bad_signature')
  })

  test('claims that were not signed', () => {
    for (const change of [
      { sale: 'sale-2' },
      { device: deviceHash('device-2') },
      { hashes: 1 },
      { issued_at: parameters.data.issued_at - 1 },
    ])
      expect(kindOf(withData(change))).toBe('bad_signature')
    for (const change of [{ expiresAt: parameters.expiresAt + 1 }, { keyPrefix: '0'.repeat(32) }])
      expect(kindOf(withParameters(change))).toBe('bad_signature')
  })

  test('splicing: what belongs to two challenges is none', () => {
    const other = work.solved()
    expect(kindOf({ challenge, solution: other.solution })).toBe('not_solved')
    expect(kindOf({ challenge: { ...challenge, signature: other.challenge.signature }, solution })).toBe(
      'bad_signature',
    )
    for (const name of ['nonce', 'salt', 'keyPrefix'] as const)
      expect(kindOf(withParameters({ [name]: other.challenge.parameters[name] }))).toBe('bad_signature')
    // With the other's key it would be the right one for its counter.
    const mixed = { ...solution, derivedKey: other.solution.derivedKey }
    expect(kindOf({ challenge, solution: mixed })).toBe('not_solved')
    // Work was not done, only a hash computed: the prefix is what counts.
    const counter = solution.counter + 1
    const input = Buffer.alloc(36)
    Buffer.from(parameters.salt + parameters.nonce, 'hex').copy(input)
    input.writeUInt32BE(counter, 32)
    const derivedKey = createHash('sha256').update(input).digest('hex')
    expect(kindOf({ challenge, solution: { counter, derivedKey } })).toBe('not_solved')
  })

  test('it lasts until it expires, and begins when it was made', () => {
    const time = handClock()
    const own = createWork(time)
    const payload = own.solved(50, 60)
    const now = () => own.check({ ...MINE, payload }).kind
    time.advance(59_000)
    expect(now()).toBe('valid')
    time.advance(2001)
    expect(now()).toBe('expired')
    // A node whose clock is behind: a little is forgiven, more is a challenge from the future.
    time.advance(-61_001 - SKEW_MS)
    expect(now()).toBe('valid')
    time.advance(-1)
    expect(now()).toBe('expired')
  })

  test('precomputation: the salt of every challenge is new, and the solution of one is none of the next', () => {
    const many = Array.from(
      { length: 1000 },
      () => work.create({ ...MINE, hashes: 1, lifetime_s: 60 }).parameters,
    )
    expect(new Set(many.map(({ salt }) => salt)).size).toBe(1000)
    expect(new Set(many.map(({ nonce }) => nonce)).size).toBe(1000)
  })
})

test('every byte altered: refused, or it says the very same', () => {
  const payload = work.solved()
  const text = JSON.stringify(payload)
  const essence = ({ challenge, solution: { counter, derivedKey } }: ProofPayload) =>
    JSON.stringify([challenge, counter, derivedKey])
  let refused = 0
  for (let at = 0; at < text.length; at++) {
    for (const flip of [1, 2, 32]) {
      const altered = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ flip) + text.slice(at + 1)
      const asBase64 = Buffer.from(altered).toString('base64')
      if (kindOf(asBase64) === 'valid')
        expect(essence(JSON.parse(altered) as ProofPayload)).toBe(essence(payload))
      else refused++
    }
  }
  // Only the time that the client says it took may change.
  expect(refused).toBeGreaterThan(3 * (text.length - 12))
})
