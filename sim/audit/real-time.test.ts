import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { inversions, largestBurst, largestRise, type Span } from './real-time.ts'

interface Ranked extends Span {
  readonly rank: number
}
const moment = fc.integer({ min: 0, max: 60 })
const span = fc
  .tuple(moment, fc.integer({ min: 0, max: 15 }))
  .map(([sent, took]) => ({ sent, answered: sent + took }))
const ranked = fc
  .tuple(span, fc.integer({ min: 1, max: 30 }))
  .map(([one, rank]): Ranked => ({ ...one, rank }))

test('an inversion needs the first to be over before the second begins', () => {
  const first = { sent: 0, answered: 10, rank: 2 }
  const wrong = (a: Ranked, b: Ranked) => a.rank > b.rank
  const found = (sent: number, rank: number) =>
    inversions([first], [{ sent, answered: sent + 1, rank }], (one) => one.rank, wrong).length
  expect([found(11, 1), found(10, 1), found(5, 1), found(11, 3)]).toEqual([1, 0, 0, 0])
})

test('inversions agree with comparing every pair', () => {
  fc.assert(
    fc.property(fc.array(ranked), fc.array(ranked), (earlier, later) => {
      const wrong = (first: Ranked, second: Ranked) => first.rank > second.rank
      const pairs = later.filter((second) =>
        earlier.some((first) => first.answered < second.sent && wrong(first, second)),
      )
      const found = inversions(earlier, later, (one) => one.rank, wrong)
      expect(found.map(({ second }) => second).sort(bySent)).toEqual(pairs.sort(bySent))
      for (const { first, second } of found)
        expect(first.answered < second.sent && wrong(first, second)).toBe(true)
    }),
  )
})
const bySent = (a: Ranked, b: Ranked) => a.sent - b.sent || a.answered - b.answered || a.rank - b.rank

test('the largest burst agrees with trying every window', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 30 }), fc.constantFrom(0.01, 0.3, 2), (spans, rate) => {
      let most = 0
      for (const { sent: from } of spans)
        for (const { answered: to } of spans) {
          const inside = spans.filter((one) => one.sent >= from && one.answered <= to).length
          if (to >= from && inside > 0) most = Math.max(most, inside - rate * (to - from))
        }
      expect(largestBurst(spans, rate)).toBeCloseTo(most, 6)
    }),
  )
})

test('the largest rise agrees with comparing every two readings', () => {
  const reading = fc.record({
    at: fc.integer({ min: 0, max: 1000 }),
    value: fc.integer({ min: 0, max: 100 }),
  })
  fc.assert(
    fc.property(fc.uniqueArray(reading, { selector: ({ at }) => at }), (readings) => {
      let most = 0
      for (const a of readings)
        for (const b of readings)
          if (b.at > a.at) most = Math.max(most, b.value - a.value - 0.05 * (b.at - a.at))
      expect(largestRise(readings, 0.05)).toBeCloseTo(most, 6)
    }),
  )
})

test('a hundred thousand admissions are judged in well under a second', () => {
  const spans = Array.from({ length: 100_000 }, (_, index) => ({ sent: index, answered: index + 20 }))
  const started = performance.now()
  expect(largestBurst(spans, 1)).toBeGreaterThanOrEqual(0)
  expect(performance.now() - started).toBeLessThan(2000)
})
