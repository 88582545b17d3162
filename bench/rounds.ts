import type { Prepared } from './row.ts'

/** What one round measured of each, in the row's unit. */
export interface Round {
  readonly ours: number
  readonly yardstick: number
}

/** Medians over the rounds; spreads are interquartile range / median. */
export interface Summary extends Round {
  /** Median of ours / median of the yardstick. */
  readonly ratio: number
  /** Of the ratios of the single rounds. */
  readonly spread: number
  readonly ours_spread: number
  readonly yardstick_spread: number
}

/**
 * Measures one after the other, `rounds` times, who goes first changing each time, so that what happens to the machine meanwhile
 * happens to both. A round before warms both up and counts for nothing. Throws RangeError for a measurement that is none.
 */
export async function alternate(
  { ours, yardstick }: Pick<Prepared, 'ours' | 'yardstick'>,
  rounds: number,
  progress: (round: number) => void = () => undefined,
): Promise<Round[]> {
  const measured: Round[] = []
  for (let round = 0; round <= rounds; round += 1) {
    progress(round)
    const oursFirst = round % 2 === 0
    const first = valid(await (oursFirst ? ours : yardstick)())
    const second = valid(await (oursFirst ? yardstick : ours)())
    const [of, held] = oursFirst ? [first, second] : [second, first]
    if (round > 0) measured.push({ ours: of, yardstick: held })
  }
  return measured
}

function valid(value: number): number {
  if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`measured ${value}`)
  return value
}

export function summarise(rounds: readonly Round[]): Summary {
  const ours = rounds.map((round) => round.ours)
  const yardstick = rounds.map((round) => round.yardstick)
  return {
    ours: median(ours),
    yardstick: median(yardstick),
    ratio: median(ours) / median(yardstick),
    spread: spreadOf(rounds.map((round) => round.ours / round.yardstick)),
    ours_spread: spreadOf(ours),
    yardstick_spread: spreadOf(yardstick),
  }
}

/** Between the two nearest values where none stands at `share` (0 to 1) itself. Throws RangeError for no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (low === undefined || high === undefined) throw new RangeError('no values')
  return low + (high - low) * (at - Math.floor(at))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Interquartile range / median. */
const spreadOf = (values: readonly number[]): number =>
  (quantile(values, 0.75) - quantile(values, 0.25)) / median(values)
