import { expect, test } from 'bun:test'
import { createBackoff } from './backoff.ts'

test('delays double up to the longest and start over after a reset', () => {
  const backoff = createBackoff(50, 300, () => 1)
  expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([50, 100, 200, 300, 300])
  backoff.reset()
  expect(backoff.next()).toBe(50)
})

test('the random factor is between a half and one', () => {
  expect(createBackoff(100, 100, () => 0).next()).toBe(50)
  for (let n = 0; n < 100; n++) {
    const delay = createBackoff(100, 100).next()
    expect(delay).toBeGreaterThanOrEqual(50)
    expect(delay).toBeLessThan(100)
  }
})
