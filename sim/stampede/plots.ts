export type Point = readonly [x: number, y: number]

export interface Series {
  readonly name: string
  readonly points: readonly Point[]
}

export interface Plot {
  readonly title: string
  readonly caption: string
  readonly x: string
  readonly y: string
  readonly series: readonly Series[]
  /** Dots instead of lines. */
  readonly dots?: boolean
  /** Powers of ten upwards; what is below one is drawn as one. */
  readonly log?: boolean
}

const [WIDTH, HEIGHT] = [560, 300]
const FRAME = { left: 70, right: 18, top: 12, bottom: 46 }
/** More points than a plot has room for say nothing more. */
const MOST = 280

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** 12345678 as `12.3 M`: for axes and tiles. */
export function short(value: number): string {
  const size = Math.abs(value)
  for (const [unit, name] of [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const)
    if (size >= unit) return `${Number((value / unit).toPrecision(3))}${name}`
  return `${Number(value.toPrecision(3))}`
}

/** Neighbours together, by their means, so that at most `most` are left; the last few may be fewer. */
export function thinned(points: readonly Point[], most = MOST): readonly Point[] {
  const size = Math.ceil(points.length / most)
  if (size <= 1) return points
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index): Point => {
    const some = points.slice(index * size, (index + 1) * size)
    const mean = (of: 0 | 1) => some.reduce((sum, point) => sum + point[of], 0) / some.length
    return [mean(0), mean(1)]
  })
}

/** Round values from about the least to about the most: steps of 1, 2 or 5. */
export function ticks(least: number, most: number, wanted = 5): number[] {
  const rough = (most - least) / wanted || 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5].find((times) => times * power >= rough) ?? 10) * power
  const first = Math.ceil(least / step)
  return Array.from({ length: Math.floor(most / step + 1e-9) - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  )
}

/** One plot as SVG in a figure, with its caption, a legend where there are several series, and a text for who can not see it. */
export function renderPlot({ title, caption, x, y, series, dots = false, log = false }: Plot): string {
  const all = series.flatMap(({ points }) => points)
  const [xs, ys] = [all.map(([at]) => at), all.map(([, value]) => value)]
  const least = (values: readonly number[]) => values.reduce((one, other) => Math.min(one, other), Infinity)
  const most = (values: readonly number[]) => values.reduce((one, other) => Math.max(one, other), -Infinity)
  const [left, right] = all.length === 0 ? [0, 1] : [least(xs), Math.max(most(xs), least(xs) + 1e-9)]
  const highest = Math.max(1e-9, most(ys)) * 1.04
  const level = (value: number) =>
    log ? Math.log10(Math.max(1, value)) / Math.log10(Math.max(10, highest)) : value / highest
  const across = (at: number) =>
    FRAME.left + ((at - left) / (right - left)) * (WIDTH - FRAME.left - FRAME.right)
  const up = (value: number) => HEIGHT - FRAME.bottom - level(value) * (HEIGHT - FRAME.top - FRAME.bottom)
  const at = (point: Point) => `${across(point[0]).toFixed(1)} ${up(point[1]).toFixed(1)}`
  const floor = HEIGHT - FRAME.bottom
  const levels = log
    ? Array.from({ length: Math.floor(Math.log10(Math.max(10, highest))) + 1 }, (_, power) => 10 ** power)
    : ticks(0, highest, 4)
  const grid = levels.map(
    (value) =>
      `<path class="grid" d="M${FRAME.left} ${up(value).toFixed(1)}H${WIDTH - FRAME.right}"/>` +
      `<text class="tick" x="${FRAME.left - 8}" y="${(up(value) + 4).toFixed(1)}" text-anchor="end">${short(value)}</text>`,
  )
  const marks = ticks(left, right, 6).map(
    (value) =>
      `<text class="tick" x="${across(value).toFixed(1)}" y="${floor + 16}" text-anchor="middle">${short(value)}</text>`,
  )
  const drawn = series.map(({ points }, index) =>
    dots
      ? `<path class="dots s${index}" d="${points.map((point) => `M${at(point)}h0`).join('')}"/>`
      : `<path class="line s${index}" d="M${thinned(points).map(at).join('L')}"/>`,
  )
  const names = series.map(({ name }, index) => `<li class="s${index}">${escapeHtml(name)}</li>`)
  return `<figure>
<h3>${escapeHtml(title)}</h3>
${series.length > 1 ? `<ul class="legend">${names.join('')}</ul>` : ''}
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title}. ${caption}`)}">
${grid.join('')}${marks.join('')}
<path class="axis" d="M${FRAME.left} ${floor}H${WIDTH - FRAME.right}"/>
${drawn.join('')}
<text class="label" x="${(FRAME.left + WIDTH - FRAME.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(x)}</text>
<text class="label" x="14" y="${FRAME.top + (floor - FRAME.top) / 2}" text-anchor="middle" transform="rotate(-90 14 ${FRAME.top + (floor - FRAME.top) / 2})">${escapeHtml(y)}</text>
</svg>
<figcaption>${escapeHtml(caption)}</figcaption>
</figure>`
}
