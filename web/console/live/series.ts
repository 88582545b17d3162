import type { LiveSample } from '../shapes.ts'

/** Numbers over time; null where none is known. Times and values have the same length. */
export type Values = readonly (number | null)[]

/** A counter that has stood still for longer than this says nothing of the seconds between. */
const GAP_MS = 10_000

/** How fast a count grows, per second, at each sample. A count that fell was begun anew: nothing is known then. */
export function ratesOf(samples: readonly LiveSample[], pick: (sample: LiveSample) => number): Values {
  return samples.map((sample, i) => {
    const before = samples[i - 1]
    return before === undefined ? null : rateBetween(before, sample, pick)
  })
}

function rateBetween(
  before: LiveSample,
  after: LiveSample,
  pick: (sample: LiveSample) => number,
): number | null {
  const ms = after.at - before.at
  const grown = pick(after) - pick(before)
  return ms <= 0 || ms > GAP_MS || grown < 0 ? null : (grown * 1000) / ms
}

/** The same over the last seconds: steadier than one second alone. */
export function recentRate(
  samples: readonly LiveSample[],
  pick: (sample: LiveSample) => number,
  seconds = 5,
): number | null {
  const last = samples.at(-1)
  if (last === undefined) return null
  const first = samples.find(({ at }) => at >= last.at - seconds * 1000)
  return first === undefined || first === last ? null : rateBetween(first, last, pick)
}

/** Puts new samples behind those that are known, without doubles, and forgets what is older than `keepMs`. */
export function follow(
  known: readonly LiveSample[],
  more: readonly LiveSample[],
  keepMs: number,
): readonly LiveSample[] {
  const newest = known.at(-1)?.at ?? -Infinity
  const all = [...known, ...more.filter(({ at }) => at > newest)]
  const oldest = (all.at(-1)?.at ?? 0) - keepMs
  return (all[0]?.at ?? 0) < oldest ? all.filter(({ at }) => at >= oldest) : all
}

/** The last `minutes` of them. */
export function within(samples: readonly LiveSample[], minutes: number): readonly LiveSample[] {
  const from = (samples.at(-1)?.at ?? 0) - minutes * 60_000
  return samples.filter(({ at }) => at >= from)
}

/** A sum over all items. */
export const stockOf =
  (kind: 'available' | 'held' | 'sold' | 'total') =>
  ({ items }: LiveSample): number =>
    items.reduce((sum, item) => sum + item[kind], 0)
