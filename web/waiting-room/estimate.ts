/** What is shown of a wait. */
export interface Estimate {
  /**
   * Takes in the seconds computed now, null while nobody can know, and gives what to show; null: nothing is promised.
   * `paused`: by the operator, which takes back every promise.
   */
  next(computed: number | null, paused?: boolean): number | null
}

/** A promise that is off by more than this is taken back, not replaced by a longer one. */
const OFF_BY = 1.5
const OFF_S = 60

/**
 * A wait on the screen never grows. While the line is slower than it was, the shown number stands still; when it has
 * become plainly wrong there is none, until it is right again. Only a pause by the operator starts afresh.
 */
export function createEstimate(): Estimate {
  let shown: number | null = null
  return {
    next: (computed, paused = false) => {
      if (paused) shown = null
      if (computed === null) return null
      shown = Math.min(shown ?? Infinity, computed)
      return computed > Math.max(shown * OFF_BY, shown + OFF_S) ? null : shown
    },
  }
}
