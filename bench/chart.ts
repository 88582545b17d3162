import { type MeasuredRow, meetsTarget, readable } from './result.ts'

/** Pixels. */
const LABEL = 330
const PLOT = 420
const VALUE = 90
const LINE = 30
const TOP = 56
const BOTTOM = 34

/** Readable on white and on black: the picture stands in pages of either. */
const TEXT = '#6e7681'
const BARS = { good: '#2a9d6f', poor: '#d1762a', free: '#4c8dd6' } as const

/** How many times as good as the yardstick, whichever way is better. */
const goodness = ({ better, ratio }: Pick<MeasuredRow, 'better' | 'ratio'>): number =>
  better === 'more' ? ratio : 1 / ratio

/**
 * A bar a row on a logarithmic scale: right of the line at 1 ours is better than its yardstick. A thin line over the end of a bar is
 * the interquartile range, an upright mark the target. Throws RangeError where there is no row.
 */
export function drawChart(rows: readonly MeasuredRow[]): string {
  if (rows.length === 0) throw new RangeError('no rows to draw')
  const reach = rows.flatMap((row) => [goodness(row), ...(targetOf(row) ?? []), ...rangeOf(row)])
  const low = Math.min(-1, Math.floor(Math.log10(Math.min(...reach))))
  const high = Math.max(1, Math.ceil(Math.log10(Math.max(...reach))))
  const x = (value: number) => round(LABEL + ((Math.log10(value) - low) / (high - low)) * PLOT)
  const [width, height] = [LABEL + PLOT + VALUE, TOP + rows.length * LINE + BOTTOM]
  const bottom = height - BOTTOM

  const grid = Array.from({ length: high - low + 1 }, (_, n) => {
    const value = 10 ** (low + n)
    const at = x(value)
    return `<line x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${bottom}" stroke="${TEXT}" stroke-opacity="${value === 1 ? 0.9 : 0.25}"/>
<text x="${at}" y="${bottom + 20}" text-anchor="middle">${value}×</text>`
  })
  const bars = rows.map((row, index) => {
    const y = TOP + index * LINE
    const value = goodness(row)
    const [from, to] = [x(1), x(value)].sort((a, b) => a - b) as [number, number]
    const meets = meetsTarget(row)
    const colour = BARS[meets === undefined ? 'free' : meets ? 'good' : 'poor']
    const [least, most] = rangeOf(row).map(x) as [number, number]
    const target = targetOf(row)?.map(
      (at) =>
        `<line x1="${x(at)}" x2="${x(at)}" y1="${y + 1}" y2="${y + LINE - 7}" stroke="${TEXT}" stroke-width="3"/>`,
    )
    return `<g><title>${escape(`${row.title}: ${row.ours_is}, against ${row.yardstick_is}`)}</title>
<text x="${LABEL - 12}" y="${y + 16}" text-anchor="end">${escape(row.title)}</text>
<rect x="${from}" y="${y + 4}" width="${Math.max(1, round(to - from))}" height="${LINE - 14}" rx="2" fill="${colour}"/>
<line x1="${least}" x2="${most}" y1="${y + 12}" y2="${y + 12}" stroke="${TEXT}" stroke-width="2"/>${(target ?? []).join('')}
<text x="${LABEL + PLOT + 12}" y="${y + 16}" font-weight="600">${readable(value)}×</text></g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title" font-family="system-ui, sans-serif" font-size="14" fill="${TEXT}">
<title id="title">How many times as good as its yardstick each part is</title>
<text x="12" y="20" font-size="16" font-weight="600">Times as good as the yardstick</text>
<g font-size="13">${legend([
    [BARS.good, 'meets its target (upright mark)'],
    [BARS.poor, 'misses it'],
    [BARS.free, 'has none'],
  ])}</g>
${[...grid, ...bars].join('\n')}
</svg>
`
}

function legend(entries: readonly (readonly [colour: string, text: string])[]): string {
  let at = LABEL
  return entries
    .map(([colour, text]) => {
      const one = `<rect x="${at}" y="9" width="12" height="12" rx="2" fill="${colour}"/><text x="${at + 18}" y="20">${text}</text>`
      at += 40 + text.length * 7
      return one
    })
    .join('')
}

const targetOf = ({ better, target }: MeasuredRow): [number] | undefined =>
  target === undefined ? undefined : [goodness({ better, ratio: target })]

/** The middle half of the rounds, around the bar's end. */
function rangeOf(row: MeasuredRow): [number, number] {
  const half = Math.min(row.spread / 2, 0.9)
  return [goodness(row) * (1 - half), goodness(row) * (1 + half)]
}

const round = (value: number) => Math.round(value * 10) / 10

const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
