import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { commitmentTo, drawnPosition, drawSeed, indexAt } from './draw.ts'

const seedOf = (n: number) => createHash('sha256').update(`seed ${n}`).digest('hex')

describe('the draw', () => {
  test('gives everybody exactly one position', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 800 }), fc.nat(), (size, n) => {
        const positions = Array.from({ length: size }, (_, i) => drawnPosition(seedOf(n), size, i + 1))
        expect(new Set(positions).size).toBe(size)
        expect(Math.min(...positions)).toBe(1)
        expect(Math.max(...positions)).toBe(size)
      }),
      { numRuns: 30 },
    )
  }, 30_000)

  test('refuses an index or a position outside the lobby', () => {
    for (const index of [0, -1, 11, 1.5, NaN]) {
      expect(() => drawnPosition(seedOf(1), 10, index)).toThrow(RangeError)
      expect(() => indexAt(seedOf(1), 10, index)).toThrow(RangeError)
    }
  })

  test('backwards it tells who has a position', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.nat(), fc.nat(), (size, from, n) => {
        const index = 1 + (from % size)
        expect(indexAt(seedOf(n), size, drawnPosition(seedOf(n), size, index))).toBe(index)
      }),
      { numRuns: 200 },
    )
  })

  // Chi-squared over cells with `n` expected hits each, `cells - 1` degrees of freedom: mean df, deviation sqrt(2 df).
  const chiSquared = (counts: readonly number[], expected: number) =>
    counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  const withinFiveSigma = (value: number, degrees: number) =>
    Math.abs(value - degrees) < 5 * Math.sqrt(2 * degrees)

  for (const size of [2, 3, 7, 16, 31])
    test(`is uniform: every index gets every position alike (lobby of ${size})`, () => {
      const draws = 60 * size
      const counts = Array.from({ length: size * size }, () => 0)
      for (let n = 0; n < draws; n += 1) {
        const seed = seedOf(n)
        for (let index = 1; index <= size; index += 1) {
          const cell = (index - 1) * size + drawnPosition(seed, size, index) - 1
          counts[cell] = (counts[cell] ?? 0) + 1
        }
      }
      // Rows and columns are fixed sums, which leaves (size - 1)^2 degrees of freedom.
      const degrees = (size - 1) ** 2
      const scaled = chiSquared(counts, draws / size)
      expect({ scaled, degrees, ok: withinFiveSigma(scaled, Math.max(degrees, 1)) }).toMatchObject({
        ok: true,
      })
    }, 30_000)

  test('the time of arrival has no effect: rank correlation of index and position is near zero', () => {
    const size = 8_000
    let sum = 0
    for (let index = 1; index <= size; index += 1) sum += (index - drawnPosition(seedOf(7), size, index)) ** 2
    const spearman = 1 - (6 * sum) / (size * (size ** 2 - 1))
    expect(Math.abs(spearman)).toBeLessThan(5 / Math.sqrt(size - 1))
  })

  test('every input changes the outcome', () => {
    const inputs = { secret: seedOf(1), lobby_size: 1000, tickets_hash: 'ab' }
    const seeds = [
      drawSeed(inputs),
      drawSeed({ ...inputs, secret: seedOf(2) }),
      drawSeed({ ...inputs, lobby_size: 1001 }),
      drawSeed({ ...inputs, tickets_hash: 'ac' }),
    ]
    expect(new Set(seeds).size).toBe(4)
    expect(commitmentTo(seedOf(1))).not.toBe(commitmentTo(seedOf(2)))
  })

  test('stays what it was: anybody may have published a check of it', () => {
    const secret = '00'.repeat(32)
    expect(commitmentTo(secret)).toMatchInlineSnapshot(
      `"2cb227f6ff51fb601f5a6cb145073cf6073143ff09bb36165779e50d9cfe23ab"`,
    )
    const seed = drawSeed({ secret, lobby_size: 1000, tickets_hash: 'ff' })
    expect(seed).toMatchInlineSnapshot(`"1e446906260a9d46d370adb5c86d8c71921eacdfbdc04a143b47aa0a56f26d7f"`)
    expect([1, 2, 3, 1000].map((index) => drawnPosition(seed, 1000, index))).toMatchInlineSnapshot(`
      [
        72,
        799,
        961,
        104,
      ]
    `)
  })
})
