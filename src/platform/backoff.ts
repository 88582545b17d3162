/**
 * Delays for retries in milliseconds: each twice the one before, from `minMs` up to `maxMs`, times a random
 * factor between 0.5 and 1 so that many who failed together do not come back together.
 */
export function createBackoff(
  minMs: number,
  maxMs: number,
  random = Math.random,
): { next(): number; reset(): void } {
  let delay = minMs
  return {
    next: () => {
      const current = delay
      delay = Math.min(delay * 2, maxMs)
      return current * (0.5 + random() / 2)
    },
    reset: () => {
      delay = minMs
    },
  }
}
