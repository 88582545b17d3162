import { expect, test } from 'bun:test'
import { type Point, renderPlot, short, thinned, ticks } from './plots.ts'

test('ticks are round and within', () => {
  expect(ticks(0, 97)).toEqual([0, 20, 40, 60, 80])
  expect(ticks(-10, 10, 4)).toEqual([-10, -5, 0, 5, 10])
  expect(ticks(0, 0.3, 3)).toEqual([0, 0.1, 0.2, 0.3])
})

test('long numbers are short', () => {
  expect([0, 7.25, 999, 1234, 5_600_000, -2e9].map(short)).toEqual([
    '0',
    '7.25',
    '999',
    '1.23 k',
    '5.6 M',
    '-2 G',
  ])
})

test('thinned points keep the mean', () => {
  const points = Array.from({ length: 1000 }, (_, at): Point => [at, 2 * at])
  const fewer = thinned(points, 100)
  expect(fewer).toHaveLength(100)
  expect(fewer[0]).toEqual([4.5, 9])
  expect(thinned(points.slice(0, 50), 100)).toHaveLength(50)
})

test('nothing, one point and a line of zeros can be drawn', () => {
  for (const points of [
    [],
    [[1, 1]],
    [
      [0, 0],
      [1, 0],
    ],
  ] as Point[][])
    for (const log of [false, true]) {
      const svg = renderPlot({
        title: 'a < b',
        caption: '"c"',
        x: 'x',
        y: 'y',
        series: [{ name: 's', points }],
        log,
      })
      expect(svg).not.toMatch(/NaN|Infinity|a < b/)
      expect(svg).toContain('a &#60; b')
    }
})
