import { expect, test } from 'bun:test'
import { type ProblemCode, PROBLEMS } from '../../src/contracts/problems.ts'
import { judge, passEnd, sameWish } from './attempt.ts'

const refusal = (code: ProblemCode, retryAfterS?: number) => ({
  kind: 'problem' as const,
  problem: { type: `urn:doorbuster:problem:${code}`, code, ...PROBLEMS[code] },
  retryAfterS,
})

test('an answer that settles nothing is asked again with the same key', () => {
  expect(judge({ kind: 'unreachable' }).kind).toBe('unsure')
  expect(judge(refusal('fenced', 2))).toEqual({ kind: 'unsure', again_s: 2 })
  expect(judge(refusal('internal')).kind).toBe('unsure')
  expect(judge(refusal('rate_limited', 5))).toEqual({ kind: 'unsure', again_s: 5 })
})

test('sold out is final, all held is not', () => {
  expect(judge(refusal('sold_out')).kind).toBe('not_this_time')
  expect(judge(refusal('held_out')).kind).toBe('held')
  expect(judge(refusal('not_enough_left')).kind).toBe('held')
})

test('whatever is wrong with the pass sends back to the queue', () => {
  for (const code of ['pass_missing', 'pass_invalid', 'pass_expired', 'pass_foreign', 'pass_used'] as const)
    expect(judge(refusal(code)).kind).toBe('over')
})

test('other refusals leave the pass free', () => {
  for (const code of ['limit_reached', 'not_open', 'paused', 'idempotency_key_reused'] as const)
    expect(judge(refusal(code)).kind).toBe('try_later')
  expect(judge(refusal('ended')).kind).toBe('over')
})

test('the same wish keeps its key, unless that key stands for something else', () => {
  const attempt = { idempotency_key: 'first', item_id: 'tv', quantity: 1 }
  const again = (code: ProblemCode) => {
    const verdict = judge(refusal(code))
    if (verdict.kind !== 'held' && verdict.kind !== 'try_later') throw new Error(verdict.kind)
    return sameWish(attempt, verdict, () => 'second')
  }
  for (const code of ['held_out', 'not_enough_left', 'paused'] as const) expect(again(code)).toEqual(attempt)
  expect(again('idempotency_key_reused')).toEqual({ ...attempt, idempotency_key: 'second' })
})

test('the end of a pass is read from the token', () => {
  const payload = Buffer.from(JSON.stringify({ exp: 1_700_000_000, x: '??>>' })).toString('base64url')
  expect(passEnd(`head.${payload}.sig`)).toBe(1_700_000_000_000)
  expect(passEnd('nonsense')).toBeUndefined()
  expect(passEnd('a.e30.b')).toBeUndefined()
})
