import { useEffect, useId, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { LOCALE, number } from '../format.ts'
import type { Values } from './series.ts'

export interface Series {
  readonly label: string
  readonly values: Values
  /** 1 to 6, of the style sheet's palette. */
  readonly color: number
  readonly dashed?: boolean
  /** On an axis of its own, in this unit. */
  readonly right?: string
}

export interface ChartProps {
  readonly title: string
  /** Of the values: "a second", "people". */
  readonly unit: string
  /** Seconds since the epoch. */
  readonly times: readonly number[]
  readonly series: readonly Series[]
}

const HEIGHT = 168
const dark = matchMedia('(prefers-color-scheme: dark)')

/** Lines over time. The numbers, of now or under the pointer, stand beside it as text: the canvas is for the eye alone. */
export function Chart({ title, unit, times, series }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const [pointed, setPointed] = useState<number | null>(null)
  const titleId = useId()
  // Other lines than before need another plot; other values do not.
  const kind = series.map(({ label, color, right = '' }) => `${label} ${color} ${right}`).join('|')

  useEffect(() => {
    const parent = frame.current
    if (parent === null) return
    const draw = () => {
      plot.current?.destroy()
      plot.current = new uPlot(options(parent, series, setPointed), dataOf(times, series), parent)
    }
    draw()
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: parent.clientWidth, height: HEIGHT }),
    )
    resize.observe(parent)
    dark.addEventListener('change', draw)
    return () => {
      resize.disconnect()
      dark.removeEventListener('change', draw)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [kind])
  useEffect(() => plot.current?.setData(dataOf(times, series)), [times, series])

  const shown = pointed ?? times.length - 1
  const time = times[shown]
  return (
    <figure class="chart card" aria-labelledby={titleId}>
      <figcaption>
        <h3 id={titleId}>{title}</h3>
        <span class="quiet small">{pointed === null || time === undefined ? unit : clockTime(time)}</span>
      </figcaption>
      <dl class="legend">
        {series.map(({ label, color, values, dashed, right }) => (
          <div key={label}>
            <dt>
              <span class={dashed ? 'swatch dashed' : 'swatch'} data-color={color} />
              {label}
            </dt>
            <dd>
              {valueText(values[shown])}
              {right ? ` ${right}` : ''}
            </dd>
          </div>
        ))}
      </dl>
      <div class="plot" ref={frame} aria-hidden="true" />
    </figure>
  )
}

const valueText = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : number(value)

const format = new Intl.DateTimeFormat(LOCALE, {
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
})
const clockTime = (s: number) => format.format(s * 1000)

/** With seconds only where the lines are that close. */
const tickTime = (s: number) => (s % 60 === 0 ? clockTime(s).slice(0, 5) : clockTime(s))

function dataOf(times: readonly number[], series: readonly Series[]): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])]
}

/** What the style sheet says, for the canvas. */
function colorOf(parent: Element, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  parent.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function options(
  parent: HTMLElement,
  series: readonly Series[],
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const color = (name: string) => colorOf(parent, name)
  const axis = {
    stroke: color('--quiet'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: color('--grid'), width: 1 },
    ticks: { show: false },
  }
  const fromZero = (_: uPlot, __: number, most: number): uPlot.Range.MinMax => [0, Math.max(1, most * 1.1)]
  const right = series.find((one) => one.right !== undefined)?.right
  return {
    width: parent.clientWidth,
    height: HEIGHT,
    padding: [8, right === undefined ? 30 : 12, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'live' }, drag: { setScale: false, x: false, y: false }, y: false },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    scales: { y: { range: fromZero }, ...(right === undefined ? {} : { right: { range: fromZero } }) },
    axes: [
      { ...axis, size: 26, space: 70, values: (_, ticks) => ticks.map(tickTime) },
      { ...axis, size: 44, space: 34, values: (_, ticks) => ticks.map(short) },
      ...(right === undefined
        ? []
        : [
            {
              ...axis,
              ...{ scale: 'right', side: 1 as const, size: 40, space: 34, grid: { show: false } },
              values: (_: uPlot, ticks: number[]) => ticks.map((t) => `${short(t)} ${right}`),
            },
          ]),
    ],
    series: [
      {},
      ...series.map(({ label, color: n, dashed, right: own }) => ({
        label,
        scale: own === undefined ? 'y' : 'right',
        stroke: color(`--series-${n}`),
        width: 1.75,
        ...(dashed ? { dash: [5, 4] } : {}),
        points: { show: false },
        spanGaps: false,
      })),
    ],
  }
}

function short(n: number): string {
  return new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 }).format(n)
}
