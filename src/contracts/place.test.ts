import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { commitmentTo, drawnPosition, drawSeed } from './draw.ts'
import { drawnIn, keptPromise, placeOf, projectedServing, sellOutLikely } from './place.ts'
import { status } from './status.fixture.ts'

const at = (position: number) => ({ position })
const secret = createHash('sha256').update('a secret').digest('hex')
const hidden = { commitment: commitmentTo(secret), secret: null, lobby_size: null, tickets_hash: null }
const held = { commitment: commitmentTo(secret), secret, lobby_size: 40, tickets_hash: 'ab12' }

test('a turn has come when the serving number reaches the position', () => {
  expect(placeOf(status({ now_serving: 41 }), at(42))).toMatchObject({
    kind: 'waiting',
    ahead: 0,
    wait_s: 0.1,
  })
  expect(placeOf(status({ now_serving: 42 }), at(42))).toEqual({ kind: 'turn', room: true })
})

test('an estimate is given only while the line moves', () => {
  expect(placeOf(status({ now_serving: 100 }), at(300))).toMatchObject({ ahead: 199, wait_s: 20 })
  for (const phase of ['paused', 'held_out'] as const)
    expect(placeOf(status({ phase, now_serving: 100 }), at(300))).toMatchObject({
      kind: phase,
      ahead: 199,
      wait_s: null,
    })
})

test('a pause keeps even those out whose turn had come; all held lets them ask', () => {
  expect(placeOf(status({ phase: 'paused', now_serving: 50 }), at(10)).kind).toBe('paused')
  expect(placeOf(status({ phase: 'held_out', now_serving: 50 }), at(10))).toEqual({
    kind: 'turn',
    room: false,
  })
})

test('sold out, ended and over reach everybody, first in line or not', () => {
  for (const phase of ['sold_out', 'ended', 'post_sale'] as const)
    expect(placeOf(status({ phase, now_serving: 50 }), at(10))).toEqual({ kind: phase })
})

test('before the lobby there is no place; on standby everybody walks through', () => {
  expect(placeOf(status({ phase: 'scheduled' }), {})).toEqual({ kind: 'scheduled' })
  // The status may be a second older than the join.
  expect(placeOf(status({ phase: 'standby', now_serving: 3 }), at(4)).kind).toBe('turn')
})

test('first come, first served: the lobby index is the position', () => {
  const lobby = status({ phase: 'lobby', now_serving: 0 })
  expect(placeOf(lobby, { lobby_index: 21 })).toMatchObject({ kind: 'lobby', ahead: 20, wait_s: 2.1 })
  expect(placeOf(status({ now_serving: 5 }), { lobby_index: 21 })).toMatchObject({ position: 21, ahead: 15 })
})

test('in a draw nobody has a position before the opening, and everybody computes the own one after it', () => {
  const lobby = status({ phase: 'lobby', draw: hidden, last_position: 40 })
  expect(placeOf(lobby, { lobby_index: 7 })).toEqual({ kind: 'draw', lobby_index: 7, people: 40 })
  const position = drawnPosition(drawSeed(held), 40, 7)
  expect(placeOf(status({ draw: held }), { lobby_index: 7 })).toMatchObject({ position })
  // Who came after the opening is not in the draw.
  expect(placeOf(status({ draw: held }), at(41))).toMatchObject({ position: 41 })
  expect(drawnIn(held, 41)).toBeUndefined()
  expect(drawnIn(held, 0)).toBeUndefined()
  expect(drawnIn(hidden, 1)).toBeUndefined()
})

test('a promise is kept by the secret that was committed to, and by no other', () => {
  expect(keptPromise(hidden)).toBeUndefined()
  expect(keptPromise(held)).toBe(true)
  expect(keptPromise({ ...held, secret: secret.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) })).toBe(
    false,
  )
})

test('the line of a group has numbers of its own, and is not part of the draw', () => {
  const lanes = { fans: { now_serving: 3, last_position: 20, rate_per_second: 2 } }
  const fan = { lobby_index: 7, lane: 'fans' }
  expect(placeOf(status({ draw: held, now_serving: 30, lanes }), fan)).toMatchObject({
    ...{ kind: 'waiting', position: 7, ahead: 3, wait_s: 2 },
  })
  expect(placeOf(status({ phase: 'lobby', draw: hidden, lanes }), fan)).toMatchObject({
    kind: 'lobby',
    ahead: 6,
  })
  lanes.fans.now_serving = 7
  expect(placeOf(status({ draw: held, now_serving: 0, lanes }), fan).kind).toBe('turn')
})

test('nobody knows the wait in a line that stands still', () => {
  const still = status({ now_serving: 100, rate_per_second: 0 })
  expect(placeOf(still, at(300))).toMatchObject({ kind: 'waiting', ahead: 199, wait_s: null })
  expect(projectedServing(still, 300, 1_060_000)).toBe(100)
})

test('between polls the number moves at the rate, and never past the end or into the turn', () => {
  const now = status({ now_serving: 100, last_position: 150 })
  expect(projectedServing(now, 140, 1_000_000 + 1250)).toBe(112)
  expect(projectedServing(now, 140, 1_000_000 + 60_000)).toBe(139)
  expect(projectedServing(now, 900, 1_000_000 + 60_000)).toBe(150)
  expect(projectedServing(now, 140, 999_000)).toBe(100)
  expect(projectedServing({ ...now, phase: 'paused' }, 140, 1_060_000)).toBe(100)
})

test('a sell-out is likely when those ahead would take what is left, by what was taken so far', () => {
  // Nobody was served yet: one each.
  expect(sellOutLikely(status({ available: 50 }), 49)).toBe(false)
  expect(sellOutLikely(status({ available: 50 }), 50)).toBe(true)
  // Every second one took something.
  const half = status({ now_serving: 100, available: 50, held: 30, sold: 20 })
  expect(sellOutLikely(half, 99)).toBe(false)
  expect(sellOutLikely(half, 100)).toBe(true)
  expect(sellOutLikely(status({ total: 0, available: 0, held: 0, sold: 0 }), 1000)).toBe(false)
})
