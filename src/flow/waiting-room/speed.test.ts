import { expect, test } from 'bun:test'
import type { Line } from './scripts.ts'
import { type Moment, numbersOf, remember } from './speed.ts'

const line = (now: number, serving: number, change: Partial<Line> = {}): Line => ({
  ...{ state: 'open', serving, tail: 1000, rate: 10, pace: 12, show: 1, opens_at: 0, now, running: true },
  ...{ dormant: false, entered: 0, in_checkout: 0, lobby: undefined, run_id: 'r', ceiling: 0, ...change },
})
/** What is told of a line that was seen like this. */
function toldOf(...lines: readonly Line[]) {
  let moments: readonly Moment[] = []
  for (const one of lines) moments = remember(moments, one)
  const told = numbersOf(lines.at(-1) as Line, moments)
  return { ...told, moments: moments.length }
}

test('a line that runs is as fast as its pace, whatever was seen of it', () => {
  expect(toldOf(line(1000, 5), line(2000, 5))).toMatchObject({ now_serving: 5, last_position: 1000 })
  expect(toldOf(line(1000, 5), line(2000, 5)).rate_per_second).toBe(12)
})

test('a line that had to stop of late is as fast as it came to, and 0 where it came to nothing', () => {
  const stood = { running: false }
  expect(toldOf(line(1000, 5, stood)).rate_per_second).toBe(0)
  expect(toldOf(line(1000, 10), line(3000, 20, stood), line(6000, 25)).rate_per_second).toBe(3)
  // Twenty seconds later the stop is forgotten; while it lasts, so is what was before it.
  expect(toldOf(line(0, 10, stood), line(1, 20), line(20_002, 25)).rate_per_second).toBe(12)
  expect(toldOf(line(0, 10), line(5000, 60, stood), line(26_000, 60, stood)).rate_per_second).toBe(0)
})

test('before the opening, in a pause and after the end nothing has stopped for want of room', () => {
  for (const change of [{ opens_at: 5000 }, { state: 'paused' }, { state: 'ended' }] as const)
    expect(toldOf(line(1000, 5, { running: false, ...change })).rate_per_second).toBe(12)
})

test('what is remembered does not grow', () => {
  const looks = Array.from({ length: 1000 }, (_, index) => line(index * 200, index))
  expect(toldOf(...looks).moments).toBeLessThan(103)
})
