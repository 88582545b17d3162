import { timeLeftMs } from './deadline.ts'
import { Overloaded } from './errors.ts'

/** Longest that a batch waits for the answer to the one before: where none comes, whoever asks has to learn it in time. */
const HOLD_MS = 20

/**
 * Micro-batching that adapts to the load: requests of one event-loop turn travel together, in the order they came.
 *
 * `send` gets up to `max` requests and answers one result each, in order. While nothing waits there is no
 * added delay: the first request of a turn schedules the flush for the end of that very turn. While an answer is
 * awaited, what comes meanwhile is collected, up to a whole batch: the slower the other side, the larger the batches.
 * Rejects each request of a batch with the error that `send` threw; with `Overloaded`, and nothing done, where `most` are
 * under way already or the time of the request is over before it is sent.
 */
export function createBatcher<Request, Result>(
  send: (requests: readonly Request[]) => Promise<readonly Result[]>,
  max = 64,
  most = 16_384,
): (request: Request) => Promise<Result> {
  interface Waiting {
    readonly request: Request
    readonly resolve: (result: Result) => void
    readonly reject: (error: unknown) => void
    /** `performance.now()` after which nobody waits for the answer. */
    readonly until: number
  }
  let waiting: Waiting[] = []
  let requests = 0
  let batches = 0
  let isScheduled = false
  let held: ReturnType<typeof setTimeout> | undefined

  const flush = (evenIfBusy = false) => {
    isScheduled = false
    const isHeld = batches > 0 && waiting.length < max && !evenIfBusy
    if (isHeld) {
      if (waiting.length > 0) held ??= setTimeout(flush, HOLD_MS, true)
      return
    }
    clearTimeout(held)
    held = undefined
    const now = performance.now()
    const all = waiting.filter(({ until, reject }) => {
      if (until > now) return true
      requests -= 1
      reject(new Overloaded('the time of the request is over'))
      return false
    })
    waiting = []
    for (let start = 0; start < all.length; start += max) void deliver(all.slice(start, start + max))
  }
  const deliver = async (batch: readonly Waiting[]) => {
    batches += 1
    try {
      const results = await send(batch.map((one) => one.request))
      if (results.length !== batch.length)
        throw new Error(`batch of ${batch.length} got ${results.length} results`)
      batch.forEach((one, index) => one.resolve(results[index] as Result))
    } catch (error) {
      for (const one of batch) one.reject(error)
    } finally {
      batches -= 1
      requests -= batch.length
      // What comes of these answers in this turn travels along.
      if (waiting.length > 0) schedule()
    }
  }
  const schedule = () => {
    if (isScheduled) return
    isScheduled = true
    setImmediate(flush)
  }
  return (request) =>
    new Promise((resolve, reject) => {
      if (requests >= most) return reject(new Overloaded(`${requests} requests are under way`))
      requests += 1
      const until = performance.now() + (timeLeftMs() ?? Infinity)
      waiting.push({ request, resolve, reject, until })
      schedule()
    })
}
