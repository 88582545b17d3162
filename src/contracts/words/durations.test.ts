import { expect, test } from 'bun:test'
import { english as say } from '../../../test/support/words.ts'
import { momentFormat } from './durations.ts'

test('a countdown shows 0 only when it is time', () => {
  expect(say.countdown(1)).toBe('00:01')
  expect(say.countdown(0)).toBe('00:00')
  expect(say.countdown(-5000)).toBe('00:00')
})

test('minutes, hours and days', () => {
  expect(say.countdown(59_000)).toBe('00:59')
  expect(say.countdown(59_001)).toBe('01:00')
  expect(say.countdown(3_723_000)).toBe('1:02:03')
  expect(say.countdown(2 * 86_400_000 + 3_723_000)).toBe('2 d 01:02:03')
})

test('estimates stay vague', () => {
  expect(say.wait(0)).toBe('less than a minute')
  expect(say.wait(60)).toBe('about a minute')
  expect(say.wait(61)).toBe('about 2 minutes')
  expect(say.wait(59 * 60 + 1)).toBe('about an hour')
  expect(say.wait(2.4 * 3600)).toBe('about 2 hours')
})

test('a span is told exactly, and never as more than it is', () => {
  expect(say.span(300)).toBe('5 minutes')
  expect(say.span(299)).toBe('4 minutes')
  expect(say.span(90)).toBe('90 seconds')
})

test("a moment is told in the visitor's time zone, by name", () => {
  const moment = Date.UTC(2025, 10, 28, 8, 0)
  expect(momentFormat('en-GB', 'Europe/Berlin').format(moment)).toMatch(/Fri.* 28 Nov.*09:00 (CET|GMT\+1)/)
})
