/** One join as its sender saw it: two moments of one clock, and the position that was given. */
export interface Arrival {
  readonly arrived: number
  readonly answered: number
  readonly position: number
}

/**
 * How arrivals and positions go together. `overtaken`: positions that stand before one whose join had been answered
 * before theirs was sent. `apart`: pairs out of order that arrived further apart than the slowest answer took. `after`:
 * arrivals of which anything can be said, since somebody else had been answered before.
 */
export function orderOf(arrivals: readonly Arrival[]) {
  const byArrival = arrivals.toSorted((a, b) => a.arrived - b.arrived)
  const byAnswer = arrivals.toSorted((a, b) => a.answered - b.answered)
  const overtaken: number[] = []
  let [answered, furthest] = [0, 0]
  for (const { arrived, position } of byArrival) {
    for (let next = byAnswer[answered]; next && next.answered < arrived; next = byAnswer[++answered])
      furthest = Math.max(furthest, next.position)
    if (position < furthest) overtaken.push(position)
  }
  const slowest = Math.max(...arrivals.map(({ arrived, answered }) => answered - arrived))
  let apart = 0
  for (const [index, later] of byArrival.entries())
    for (const sooner of byArrival.slice(0, index))
      if (sooner.position > later.position && later.arrived - sooner.arrived > slowest) apart += 1
  const distinct = new Set(arrivals.map(({ position }) => position)).size
  return { overtaken, apart, slowest, after: answered, duplicates: arrivals.length - distinct }
}
