/** Value below which a share of `sorted` lies, between neighbours in proportion; NaN of nothing. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)] ?? NaN
  return low + ((sorted[Math.ceil(at)] ?? NaN) - low) * (at - Math.floor(at))
}

/** Place of each value among all, from 1; those that are equal share the mean of theirs. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  const found = new Array<number>(values.length).fill(0)
  for (let from = 0; from < order.length;) {
    const value = values[order[from] ?? 0]
    let to = from
    while (to + 1 < order.length && values[order[to + 1] ?? 0] === value) to += 1
    for (let at = from; at <= to; at += 1) found[order[at] ?? 0] = (from + to) / 2 + 1
    from = to + 1
  }
  return found
}

/**
 * Spearman's rank correlation: 1 where both say the same order, 0 where one tells nothing of the other, -1 where one is the
 * other backwards. NaN for fewer than two, or where all are equal.
 */
export function rankCorrelation(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [ranks(one), ranks(other)]
  const mean = (a.length + 1) / 2
  let [both, alone, others] = [0, 0, 0]
  for (let index = 0; index < a.length; index += 1) {
    const [x, y] = [(a[index] ?? 0) - mean, (b[index] ?? 0) - mean]
    both += x * y
    alone += x * x
    others += y * y
  }
  return a.length < 2 ? NaN : both / Math.sqrt(alone * others)
}

/**
 * How many were let in without a token, of a bucket that holds one second's worth (at least one), full at `from` (ms), and
 * fills by `rate` a second. `times` ascending, ms.
 */
export function beyondRate(times: readonly number[], rate: number, from: number): number {
  const most = Math.max(1, rate)
  let [tokens, at, beyond] = [most, from, 0]
  for (const time of times) {
    tokens = Math.min(most, tokens + (rate * Math.max(0, time - at)) / 1000)
    at = Math.max(at, time)
    // As exact as the decimals with which the room keeps its tokens.
    if (tokens < 1 - 1e-3) beyond += 1
    else tokens -= 1
  }
  return beyond
}
