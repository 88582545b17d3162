import { expect, test } from 'bun:test'
import { placeOf, placeText, projectedServing } from './place.ts'
import { status } from './status.fixture.ts'

test('a turn has come when the serving number reaches the position', () => {
  expect(placeOf(status({ now_serving: 41 }), 42)).toEqual({ kind: 'waiting', ahead: 0, wait_s: 0.1 })
  expect(placeOf(status({ now_serving: 42 }), 42)).toEqual({ kind: 'turn' })
})

test('an estimate is given only while the line moves', () => {
  expect(placeOf(status({ now_serving: 100 }), 300)).toEqual({ kind: 'waiting', ahead: 199, wait_s: 20 })
  expect(placeOf(status({ phase: 'paused', now_serving: 100 }), 300)).toEqual({
    kind: 'paused',
    ahead: 199,
    wait_s: null,
  })
  expect(placeOf(status({ phase: 'held_out', now_serving: 100 }), 300)).toMatchObject({ wait_s: null })
})

test('a pause keeps even those out whose turn had come; all held lets them in', () => {
  expect(placeOf(status({ phase: 'paused', now_serving: 50 }), 10).kind).toBe('paused')
  expect(placeOf(status({ phase: 'held_out', now_serving: 50 }), 10).kind).toBe('turn')
})

test('sold out and ended reach everybody, first in line or not', () => {
  expect(placeOf(status({ phase: 'sold_out', now_serving: 50 }), 10)).toEqual({ kind: 'sold_out' })
  expect(placeOf(status({ phase: 'ended' }), 10)).toEqual({ kind: 'ended' })
})

test('between polls the number moves at the rate, and never past the end or into the turn', () => {
  const now = status({ now_serving: 100, last_position: 150 })
  expect(projectedServing(now, 140, 1_000_000 + 1250)).toBe(112)
  expect(projectedServing(now, 140, 1_000_000 + 60_000)).toBe(139)
  expect(projectedServing(now, 900, 1_000_000 + 60_000)).toBe(150)
  expect(projectedServing(now, 140, 999_000)).toBe(100)
  expect(projectedServing({ ...now, phase: 'paused' }, 140, 1_060_000)).toBe(100)
})

test('the place in words', () => {
  expect(placeText({ kind: 'waiting', ahead: 1, wait_s: 5 })).toBe(
    '1 person is ahead of you. Your turn comes in less than a minute.',
  )
  expect(placeText({ kind: 'waiting', ahead: 0, wait_s: 0.1 })).toStartWith('You are next.')
  expect(placeText({ kind: 'lobby', ahead: 0 })).toBe('You are first in line.')
  expect(placeText({ kind: 'held_out', ahead: 3, wait_s: null })).toBe(
    '3 people are ahead of you. Your place is kept.',
  )
})
