/** Resolves after `ms`, or at once when the page comes to the front, is gone back to, or the network comes back. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', whenShown)
      removeEventListener('online', finish)
      removeEventListener('pageshow', whenRestored)
      resolve()
    }
    const whenShown = () => {
      if (!document.hidden) finish()
    }
    const whenRestored = ({ persisted }: PageTransitionEvent) => {
      if (persisted) finish()
    }
    const timer = setTimeout(finish, ms)
    document.addEventListener('visibilitychange', whenShown)
    addEventListener('online', finish)
    addEventListener('pageshow', whenRestored)
  })
}

/**
 * Resolves at once while the page can be seen, else when it is shown again: hidden tabs ask for nothing. Or after
 * `orAfterMs`, where somebody is to be told of what happens meanwhile.
 */
export function whenVisible(orAfterMs = Infinity): Promise<void> {
  if (!document.hidden) return Promise.resolve()
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', check)
      resolve()
    }
    const check = () => {
      if (!document.hidden) finish()
    }
    const timer = Number.isFinite(orAfterMs) ? setTimeout(finish, orAfterMs) : undefined
    document.addEventListener('visibilitychange', check)
  })
}

/** Calls `tick` now and every quarter second, which keeps a countdown in seconds from skipping one. */
export function everyTick(tick: () => void): void {
  tick()
  setInterval(tick, 250)
}

/** Grows from `min` to `max` by doubling, spread by half so that many browsers do not return together. */
export function backoffMs(attempt: number, min = 500, max = 15_000, random = Math.random()): number {
  return Math.min(max, min * 2 ** attempt) * (0.5 + random / 2)
}
