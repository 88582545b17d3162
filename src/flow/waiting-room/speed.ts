import type { LineNumbers } from './status.ts'
import type { Line } from './scripts.ts'

/** A line as it was at a moment (ms, Redis server time). */
export interface Moment {
  readonly now: number
  readonly serving: number
  /** Stopped for want of room, though open. */
  readonly stood: boolean
}

/** Where a line stops and goes, its speed is what it came to over so long. */
const WINDOW_MS = 20_000

/** Those of `moments` that still say something, oldest first, and the line as it is now. */
export function remember(moments: readonly Moment[], line: Line): readonly Moment[] {
  const { now, serving } = line
  const stood = line.state === 'open' && !line.running && now >= line.opens_at
  // The last one before the window begins it.
  const begin = moments.findLastIndex((moment) => moment.now <= now - WINDOW_MS)
  return [...moments.slice(Math.max(0, begin)), { now, serving, stood }]
}

/**
 * What everybody is told of a line. While it runs freely its pace is its speed. Where it has to stop for want of room
 * (the checkout is full, or nothing is available) it goes as fast as people leave the checkout: as it went of late.
 */
export function numbersOf(line: Line, moments: readonly Moment[]): LineNumbers {
  const numbers = { now_serving: line.serving, last_position: line.tail }
  const speed = moments.some(({ stood }) => stood) ? measured(moments) : line.pace
  return { ...numbers, rate_per_second: Math.round(speed * 1000) / 1000 }
}

function measured(moments: readonly Moment[]): number {
  const [first, last] = [moments[0], moments.at(-1)]
  if (first === undefined || last === undefined || last.now <= first.now) return 0
  return ((last.serving - first.serving) / (last.now - first.now)) * 1000
}
