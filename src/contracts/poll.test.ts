import { expect, test } from 'bun:test'
import { distanceS, pollDelayS } from './poll.ts'
import { status } from './status.fixture.ts'

const policy = { min_s: 1, max_s: 30, per_wait_s: 0.1, jitter: 0.25 }

test('the delay grows with the distance and stays within the bounds', () => {
  expect(pollDelayS(policy, 0, 0.5)).toBe(1)
  expect(pollDelayS(policy, 100, 0.5)).toBe(10)
  expect(pollDelayS(policy, 1e6, 0.5)).toBe(30)
})

test('the jitter is in proportion, up and down', () => {
  expect(pollDelayS(policy, 100, 0)).toBe(7.5)
  expect(pollDelayS(policy, 100, 0.999999)).toBeCloseTo(12.5, 3)
  expect(pollDelayS({ ...policy, jitter: 0 }, 100, 0)).toBe(10)
})

test('in the lobby the time to the opening counts, later it does not', () => {
  const lobby = status({
    phase: 'lobby',
    server_time: 0,
    opens_at: 60_000,
    now_serving: 0,
    rate_per_second: 10,
  })
  expect(distanceS(lobby, 100)).toBe(70)
  expect(distanceS({ ...lobby, phase: 'open', now_serving: 40 }, 100)).toBe(6)
})

test('while the line stands still the distance still says how far the front is', () => {
  expect(distanceS(status({ phase: 'held_out', now_serving: 10, rate_per_second: 2 }), 30)).toBe(10)
  expect(distanceS(status({ phase: 'open', now_serving: 10 }), 5)).toBe(0)
})
