import { expect, test } from 'bun:test'
import { latencyOf, percentile } from './history.ts'

test('percentiles are nearest ranks', () => {
  const numbers = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([percentile(numbers, 0.5), percentile(numbers, 0.99), percentile(numbers, 1)]).toEqual([50, 99, 100])
  expect(percentile([7], 0.99)).toBe(7)
  expect(percentile([], 0.5)).toBe(0)
})

test('latency counts from wanting, and not for answers that never came', () => {
  const one = (wanted: number, answered: number, outcome = 'joined') => ({
    ...{ buyer: 1, wanted, sent: wanted + 5, answered, outcome },
  })
  const exchanges = [one(0, 10), one(0, 30), one(0, 20), one(0, 9999, 'lost')]
  expect(latencyOf(exchanges)).toEqual({ p50: 20, p99: 30, max: 30 })
  expect(latencyOf(exchanges, 'sent')).toEqual({ p50: 15, p99: 25, max: 25 })
})
