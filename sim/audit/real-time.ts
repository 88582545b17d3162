/** Order checks in real time: what was answered before something else was sent must have come before it. */
export interface Span {
  readonly sent: number
  readonly answered: number
}

/** A pair in the wrong order: `first` was over before `second` began. */
export interface Inversion<First, Second = First> {
  readonly first: First
  readonly second: Second
}

/**
 * For each of `later`, the one with the highest `rank` among all `earlier` that were answered before it was sent,
 * where `wrong` says that this is out of order. `wrong` must be monotone in the rank of `earlier`. O(n log n).
 */
export function inversions<First extends Span, Second extends Span>(
  earlier: readonly First[],
  later: readonly Second[],
  rank: (one: First) => number,
  wrong: (first: First, second: Second) => boolean,
): Inversion<First, Second>[] {
  const answers = [...earlier].sort((a, b) => a.answered - b.answered)
  const requests = [...later].sort((a, b) => a.sent - b.sent)
  const found: Inversion<First, Second>[] = []
  let highest: First | undefined
  let at = 0
  for (const second of requests) {
    for (let next = answers[at]; next !== undefined && next.answered < second.sent; next = answers[++at])
      if (highest === undefined || rank(next) > rank(highest)) highest = next
    if (highest !== undefined && wrong(highest, second)) found.push({ first: highest, second })
  }
  return found
}

/**
 * The most by which the spans that lie wholly within one window exceed `ratePerMs` times its length, over all windows.
 * A span is counted only where it must have happened, so a slow answer never looks like a burst. O(n log n).
 */
export function largestBurst(spans: readonly Span[], ratePerMs: number): number {
  const starts = spans.map((span) => span.sent).sort((a, b) => a - b)
  const first = starts[0]
  if (first === undefined) return 0
  const tree = createMaxTree(starts.length)
  const rankOf = new Map<number, number[]>()
  for (const [rank, start] of starts.entries()) rankOf.set(start, [...(rankOf.get(start) ?? []), rank])
  let burst = 0
  for (const span of [...spans].sort((a, b) => a.answered - b.answered)) {
    const rank = rankOf.get(span.sent)?.pop() ?? 0
    // A window that begins at this span's start becomes a candidate; every window from no later start holds it.
    tree.activate(rank, ratePerMs * (span.sent - first))
    tree.addUpTo(rank, 1)
    burst = Math.max(burst, tree.max() - ratePerMs * (span.answered - first))
  }
  return burst
}

/** Numbers under range addition and global maximum; one counts towards the maximum once it is active. */
function createMaxTree(length: number) {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, length)))
  const best = new Float64Array(size * 2).fill(-Infinity)
  const added = new Float64Array(size * 2)
  const lift = (node: number) => {
    for (let up = node >> 1; up >= 1; up >>= 1)
      best[up] = Math.max(best[up * 2] ?? 0, best[up * 2 + 1] ?? 0) + (added[up] ?? 0)
  }
  const add = (node: number, amount: number) => {
    best[node] = (best[node] ?? 0) + amount
    added[node] = (added[node] ?? 0) + amount
  }
  return {
    /** Sets a value on top of what was added to its place before. */
    activate: (index: number, value: number) => {
      const leaf = size + index
      best[leaf] = value + (added[leaf] ?? 0)
      lift(leaf)
    },
    addUpTo: (index: number, amount: number) => {
      let [left, right] = [size, size + index + 1]
      for (; left < right; left >>= 1, right >>= 1) {
        if (left & 1) add(left++, amount)
        if (right & 1) add(--right, amount)
      }
      lift(size)
      lift(size + index)
    },
    max: () => best[1] ?? -Infinity,
  }
}

/** The most by which a counter rose beyond `ratePerMs` times the time it took, between any two of its readings. */
export function largestRise(readings: readonly { at: number; value: number }[], ratePerMs: number): number {
  const sorted = [...readings].sort((a, b) => a.at - b.at)
  const origin = sorted[0]?.at ?? 0
  let lowest = Infinity
  let rise = 0
  for (const { at, value } of sorted) {
    const ahead = value - ratePerMs * (at - origin)
    lowest = Math.min(lowest, ahead)
    rise = Math.max(rise, ahead - lowest)
  }
  return rise
}
