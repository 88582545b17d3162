import { expect, test } from 'bun:test'
import { beyondRate, quantile, rankCorrelation, ranks } from './statistics.ts'

test('a quantile lies between its neighbours in proportion', () => {
  expect(quantile([10, 20, 30, 40, 50], 0.5)).toBe(30)
  expect(quantile([10, 20], 0.25)).toBe(12.5)
  expect(quantile([7], 0.99)).toBe(7)
  expect(quantile([], 0.5)).toBeNaN()
})

test('equal values share the mean of their ranks', () => {
  expect(ranks([30, 10, 20])).toEqual([3, 1, 2])
  expect(ranks([5, 1, 5, 9])).toEqual([2.5, 1, 2.5, 4])
})

test('rank correlation is 1 for the same order, whatever the values, and -1 backwards', () => {
  expect(rankCorrelation([1, 2, 3, 4], [10, 100, 1000, 10_000])).toBe(1)
  expect(rankCorrelation([1, 2, 3, 4], [9, 7, 5, 3])).toBe(-1)
  expect(rankCorrelation([1], [1])).toBeNaN()
  expect(rankCorrelation([1, 2, 3], [4, 4, 4])).toBeNaN()
  // A textbook's: the hours in front of a television, by intelligence quotient.
  const iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
  const hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
  expect(rankCorrelation(iq, hours)).toBeCloseTo(-29 / 165, 10)
})

test('a bucket starts with one second of its rate, and fills by the rate', () => {
  const at = (...times: number[]) => beyondRate(times, 2, 0)
  expect(at(0, 0)).toBe(0)
  expect(at(0, 0, 0, 0)).toBe(2)
  expect(at(0, 0, 500, 1000)).toBe(0)
  expect(at(0, 0, 499)).toBe(1)
  // An hour saves up no more than a second.
  expect(at(0, 3_600_000, 3_600_000, 3_600_000)).toBe(1)
  // One at a time, where the rate is less than one a second.
  expect(beyondRate([0, 1000, 2000], 0.5, 0)).toBe(1)
})
