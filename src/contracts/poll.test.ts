import { expect, test } from 'bun:test'
import { askDelayS, distanceS, glanceDelayS, pollDelayS } from './poll.ts'
import { status } from './status.fixture.ts'

const policy = { min_s: 1, max_s: 30, per_wait_s: 0.1, jitter: 0.25 }
const at = (position: number) => ({ position })

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
  expect(distanceS(lobby, at(100))).toBe(70)
  expect(distanceS(lobby, { lobby_index: 100 })).toBe(70)
  expect(distanceS({ ...lobby, phase: 'open', now_serving: 40 }, at(100))).toBe(6)
  const draw = { commitment: 'ab', secret: null, lobby_size: null, tickets_hash: null }
  expect(distanceS({ ...lobby, draw }, { lobby_index: 100 })).toBe(60)
  expect(distanceS({ ...lobby, phase: 'scheduled', lobby_opens_at: 20_000 }, {})).toBe(20)
})

test('while the line stands still the distance still says how far the front is', () => {
  expect(distanceS(status({ phase: 'held_out', now_serving: 10, rate_per_second: 2 }), at(30))).toBe(10)
  expect(distanceS(status({ phase: 'open', now_serving: 10 }), at(5))).toBe(0)
  // How far it is in time nobody knows: as rarely as may be, and at the front as often.
  expect(pollDelayS(policy, distanceS(status({ now_serving: 10, rate_per_second: 0 }), at(30)), 0.5)).toBe(30)
  expect(pollDelayS(policy, distanceS(status({ now_serving: 10, rate_per_second: 0 }), at(10)), 0.5)).toBe(1)
  const lanes = { fans: { now_serving: 3, last_position: 20, rate_per_second: 2 } }
  expect(distanceS(status({ now_serving: 900, lanes }), { position: 9, lane: 'fans' })).toBe(3)
})

test('whoever has the turn asks again within the three seconds that keep the order, and not before it is asked to', () => {
  expect(askDelayS(undefined, 0)).toBe(1)
  expect(askDelayS(1, 0.999)).toBeLessThan(1.5)
  expect(askDelayS(7, 0)).toBe(7)
})

test('a page nobody sees looks again half the way there: a dozen times in an hour, and in time where the line gets faster', () => {
  let [left, looks] = [3600, 0]
  for (; left > 60; looks++) left -= glanceDelayS(left)
  expect(looks).toBeLessThan(15)
  expect(glanceDelayS(3600)).toBe(600)
  expect(glanceDelayS(40)).toBe(20)
  expect(glanceDelayS(0)).toBe(5)
  expect(glanceDelayS(Infinity)).toBe(60)
})
