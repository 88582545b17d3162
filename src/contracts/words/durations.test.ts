import { expect, test } from 'bun:test'
import { formatCountdown, formatMoment, formatWait } from './durations.ts'

test('a countdown shows 0 only when it is time', () => {
  expect(formatCountdown(1)).toBe('00:01')
  expect(formatCountdown(0)).toBe('00:00')
  expect(formatCountdown(-5000)).toBe('00:00')
})

test('minutes, hours and days', () => {
  expect(formatCountdown(59_000)).toBe('00:59')
  expect(formatCountdown(59_001)).toBe('01:00')
  expect(formatCountdown(3_723_000)).toBe('1:02:03')
  expect(formatCountdown(2 * 86_400_000 + 3_723_000)).toBe('2 d 01:02:03')
})

test('estimates stay vague', () => {
  expect(formatWait(0)).toBe('less than a minute')
  expect(formatWait(60)).toBe('about a minute')
  expect(formatWait(61)).toBe('about 2 minutes')
  expect(formatWait(59 * 60 + 1)).toBe('about an hour')
  expect(formatWait(2.4 * 3600)).toBe('about 2 hours')
})

test("a moment is told in the visitor's time zone, by name", () => {
  const moment = Date.UTC(2025, 10, 28, 8, 0)
  expect(formatMoment(moment, 'en-GB', 'Europe/Berlin')).toMatch(/Fri.* 28 Nov.*09:00 (CET|GMT\+1)/)
})
