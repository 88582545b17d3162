import { expect, test } from 'bun:test'
import type { LiveSample } from '../shapes.ts'
import { follow, ratesOf, recentRate, within } from './series.ts'

const sample = (at: number, requests: number) => ({ at, requests }) as LiveSample
const requests = ({ requests }: LiveSample) => requests

test('a rate is the difference of two samples; none is told over a gap or when a count begins anew', () => {
  const samples = [sample(0, 10), sample(1000, 15), sample(3000, 25), sample(4000, 5), sample(60_000, 900)]
  expect(ratesOf(samples, requests)).toEqual([null, 5, 5, null, null])
})

test('the recent rate is over some seconds, and unknown where there is one sample', () => {
  const samples = [0, 1, 2, 3, 4, 5, 6, 7].map((s) => sample(s * 1000, s * s))
  expect(recentRate(samples, requests)).toBe((49 - 4) / 5)
  expect(recentRate(samples.slice(0, 1), requests)).toBeNull()
  expect(recentRate([], requests)).toBeNull()
})

test('samples that are told twice are kept once, and old ones are forgotten', () => {
  const known = [sample(0, 0), sample(1000, 1)]
  const followed = follow(known, [sample(1000, 1), sample(2000, 2)], 1500)
  expect(followed.map(({ at }) => at)).toEqual([1000, 2000])
  expect(within([sample(0, 0), sample(59_000, 1), sample(61_000, 2)], 1).map(({ at }) => at)).toEqual([
    59_000, 61_000,
  ])
})
