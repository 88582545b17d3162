/**
 * The server's time, as far as its answers tell: the visitor's own clock may be wrong by minutes, and moves when it is
 * set. An answer's time is always a little old when it arrives, never early, so the latest claim is the best.
 */
export interface ServerClock {
  /** Takes note of a `server_time` (ms since the epoch) that has just arrived. */
  observe(serverTime: number): void
  /** Milliseconds since the epoch; the visitor's own clock until the first answer. */
  now(): number
}

export function createServerClock(monotonic = () => performance.now(), wall = () => Date.now()): ServerClock {
  let offset: number | undefined
  return {
    observe: (serverTime) => {
      offset = Math.max(offset ?? -Infinity, serverTime - monotonic())
    },
    now: () => (offset === undefined ? wall() : monotonic() + offset),
  }
}
