import { expect, test } from 'bun:test'
import { drawChart } from './chart.ts'
import { rowOf } from './result.fixture.ts'

/** Every element with its attributes; throws where tags do not close as they opened. */
function elementsOf(svg: string): { name: string; attributes: Record<string, string> }[] {
  const open: string[] = []
  const found = [...svg.matchAll(/<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<]*")*)\s*(\/?)>/g)].flatMap(
    ([, closing, name = '', attributes = '', selfClosing]) => {
      if (closing) {
        expect(open.pop()).toBe(name)
        return []
      }
      if (!selfClosing) open.push(name)
      const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)]
      return [
        {
          name,
          attributes: Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value] as const)),
        },
      ]
    },
  )
  expect(open).toEqual([])
  // What is left is text, without a bare angle bracket or ampersand.
  const text = svg.replaceAll(/<[^>]*>/g, '')
  expect(text).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot);)/)
  return found
}
const bars = (svg: string) =>
  elementsOf(svg).filter(({ name, attributes }) => name === 'rect' && attributes['height'] !== '12')
const number = (text: string | undefined) => Number(text)

test('a bar a row, well formed whatever a title holds, with nothing that is no number', () => {
  const svg = drawChart([
    rowOf({ title: 'a < b & "c"' }),
    rowOf({ ratio: 0.01 }),
    rowOf({ ratio: 40, target: 20 }),
  ])
  expect(bars(svg)).toHaveLength(3)
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  expect(svg).toContain('a &lt; b &amp; &quot;c&quot;')
  expect(elementsOf(svg)[0]).toMatchObject({
    name: 'svg',
    attributes: { role: 'img', 'aria-labelledby': 'title' },
  })
})

test('right of the line at 1 is better, whichever way is better', () => {
  const [faster, slower, smaller] = bars(
    drawChart([
      rowOf({ ratio: 4 }),
      rowOf({ ratio: 0.25 }),
      rowOf({ ratio: 0.25, better: 'less', unit: 'ms' }),
    ]),
  ).map(({ attributes }) => attributes)
  expect(faster).toMatchObject({ x: smaller?.['x'] ?? '', width: smaller?.['width'] ?? '' })
  expect(number(slower?.['x']) + number(slower?.['width'])).toBeCloseTo(number(faster?.['x']))
  expect(slower?.['width']).toBe(faster?.['width'] ?? '')
})

test('colours say whether a target is met', () => {
  const colours = bars(
    drawChart([
      rowOf({ target: 1.3 }),
      rowOf({ target: 2.5 }),
      rowOf(),
      rowOf({ unit: 'ms', better: 'less', most: 20 }),
    ]),
  ).map(({ attributes }) => attributes['fill'])
  expect(colours).toEqual(['#2a9d6f', '#d1762a', '#4c8dd6', '#d1762a'])
})

test('bars stay inside the picture', () => {
  const svg = drawChart([rowOf({ ratio: 3000, spread: 3 }), rowOf({ ratio: 0.0004, spread: 3 })])
  const width = number(elementsOf(svg)[0]?.attributes['width'])
  for (const { attributes } of bars(svg)) {
    expect(number(attributes['x'])).toBeGreaterThan(300)
    expect(number(attributes['x']) + number(attributes['width'])).toBeLessThan(width - 80)
  }
})

test('no rows, no picture', () => {
  expect(() => drawChart([])).toThrow(RangeError)
})
