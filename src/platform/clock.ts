/** Time as the flow sees it. Tests inject one they turn by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or as soon as `signal` is aborted. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** The clock of a machine that is set wrong. For tests: `CLOCK_OFFSET_MS`. */
export const shiftedClock = (offsetMs: number): Clock =>
  offsetMs === 0 ? systemClock : { ...systemClock, now: () => systemClock.now() + offsetMs }
