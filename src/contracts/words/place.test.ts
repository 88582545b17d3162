import { expect, test } from 'bun:test'
import { english as say } from '../../../test/support/words.ts'
import { placeText } from './place.ts'

test('the place in words', () => {
  const waiting = { kind: 'waiting', position: 9, wait_s: 5 } as const
  expect(placeText(say, { ...waiting, ahead: 1 })).toBe(
    '1 person is ahead of you. Your turn comes in less than a minute.',
  )
  expect(placeText(say, { ...waiting, ahead: 0 })).toStartWith('You are next.')
  expect(placeText(say, { ...waiting, kind: 'lobby', ahead: 0 })).toEndWith('You are first in line.')
  expect(placeText(say, { ...waiting, kind: 'held_out', ahead: 3, wait_s: null })).toEndWith(
    '3 people are ahead of you. Your place is kept.',
  )
  const counted = (kind: 'waiting' | 'paused', ahead: number) =>
    placeText(say, { ...waiting, kind, ahead }, '', true)
  expect(counted('waiting', 3)).toBe('Your turn comes in less than a minute.')
  expect(counted('waiting', 0)).toStartWith('You are next.')
  expect(counted('paused', 3)).toBe('The shop has stopped the line for a moment. Your place is kept.')
  expect(placeText(say, { kind: 'turn', room: true })).toStartWith('We let you in as soon as there is room.')
})
