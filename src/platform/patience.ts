/** How late it may be noticed that a time is over. */
const LOOK_EVERY_MS = 100

interface Wait {
  readonly until: number
  readonly late: () => void
}

/**
 * Deadlines of all requests under way, looked at together: a timer for each costs more than what it watches over, since
 * hardly one is ever needed.
 */
const waits = new Set<Wait>()
let timer: ReturnType<typeof setTimeout> | undefined

const look = () => {
  const now = performance.now()
  for (const wait of waits) {
    if (wait.until > now) continue
    waits.delete(wait)
    wait.late()
  }
  timer = waits.size > 0 ? setTimeout(look, LOOK_EVERY_MS) : undefined
}

/**
 * Calls `late` once `performance.now()` is past `until`, unless what is returned is called before. That tells whether it was in
 * time.
 */
export function inTime(until: number, late: () => void): () => boolean {
  const wait = { until, late }
  waits.add(wait)
  timer ??= setTimeout(look, LOOK_EVERY_MS)
  return () => waits.delete(wait)
}
