import { timeLeftMs } from './deadline.ts'
import { Overloaded } from './errors.ts'

/**
 * Micro-batching: requests of one event-loop turn travel together, in the order they came.
 *
 * `send` gets up to `max` requests and answers one result each, in order. While nothing waits there is no
 * added delay: the first request of a turn schedules the flush for the end of that very turn.
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
  let underWay = 0

  const flush = () => {
    const now = performance.now()
    const all = waiting.filter(({ until, reject }) => {
      if (until > now) return true
      underWay -= 1
      reject(new Overloaded('the time of the request is over'))
      return false
    })
    waiting = []
    for (let start = 0; start < all.length; start += max) void deliver(all.slice(start, start + max))
  }
  const deliver = async (batch: readonly Waiting[]) => {
    try {
      const results = await send(batch.map((one) => one.request))
      if (results.length !== batch.length)
        throw new Error(`batch of ${batch.length} got ${results.length} results`)
      batch.forEach((one, index) => one.resolve(results[index] as Result))
    } catch (error) {
      for (const one of batch) one.reject(error)
    } finally {
      underWay -= batch.length
    }
  }
  return (request) =>
    new Promise((resolve, reject) => {
      if (underWay >= most) return reject(new Overloaded(`${underWay} requests are under way`))
      underWay += 1
      const until = performance.now() + (timeLeftMs() ?? Infinity)
      if (waiting.push({ request, resolve, reject, until }) === 1) setImmediate(flush)
    })
}
