import { expect, test } from 'bun:test'
import { alternate, median, quantile, summarise } from './rounds.ts'

test('measures in turns, each first in every other round, and leaves the warm-up out', async () => {
  const calls: string[] = []
  let [ours, yardstick] = [0, 100]
  const rounds = await alternate(
    {
      ours: async () => (calls.push('ours'), ++ours),
      yardstick: async () => (calls.push('yardstick'), ++yardstick),
    },
    2,
  )
  expect(calls).toEqual(['ours', 'yardstick', 'yardstick', 'ours', 'ours', 'yardstick'])
  expect(rounds).toEqual([
    { ours: 2, yardstick: 102 },
    { ours: 3, yardstick: 103 },
  ])
})

const errorOf = (row: Parameters<typeof alternate>[0]): Promise<unknown> =>
  alternate(row, 1).catch((error: unknown) => error)

test('a measurement that is none, or that fails, fails the row', async () => {
  for (const broken of [NaN, 0, -1, Infinity])
    expect(await errorOf({ ours: async () => 1, yardstick: async () => broken })).toBeInstanceOf(RangeError)
  const failing = { ours: () => Promise.reject(new Error('409 instead of 201')), yardstick: async () => 1 }
  expect(await errorOf(failing)).toEqual(new Error('409 instead of 201'))
})

test('medians, ratio and spread', () => {
  const rounds = [
    { ours: 50, yardstick: 100 },
    { ours: 60, yardstick: 100 },
    { ours: 900, yardstick: 100 },
    { ours: 40, yardstick: 100 },
    { ours: 55, yardstick: 100 },
  ]
  const { ours, yardstick, ratio, spread, ours_spread, yardstick_spread } = summarise(rounds)
  expect({ ours, yardstick, ratio }).toEqual({ ours: 55, yardstick: 100, ratio: 0.55 })
  expect(spread).toBeCloseTo(10 / 55)
  expect(ours_spread).toBeCloseTo(10 / 55)
  expect(yardstick_spread).toBe(0)
})

test('what slows both down alike is no spread of the ratio', () => {
  const { spread, ours_spread } = summarise([1, 2, 4, 8].map((n) => ({ ours: 3 * n, yardstick: 6 * n })))
  expect(spread).toBe(0)
  expect(ours_spread).toBeGreaterThan(0.5)
})

test('quantiles lie between the nearest values', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(quantile([10, 20], 0.25)).toBe(12.5)
  expect(quantile([7], 0.99)).toBe(7)
  expect(() => median([])).toThrow(RangeError)
})
