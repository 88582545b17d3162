/**
 * Micro-batching: requests of one event-loop turn travel together, in the order they came.
 *
 * `send` gets up to `max` requests and answers one result each, in order. While nothing waits there is no
 * added delay: the first request of a turn schedules the flush for the end of that very turn.
 * Rejects each request of a batch with the error that `send` threw.
 */
export function createBatcher<Request, Result>(
  send: (requests: readonly Request[]) => Promise<readonly Result[]>,
  max = 64,
): (request: Request) => Promise<Result> {
  interface Waiting {
    readonly request: Request
    readonly resolve: (result: Result) => void
    readonly reject: (error: unknown) => void
  }
  let waiting: Waiting[] = []

  const flush = () => {
    const all = waiting
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
    }
  }
  return (request) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ request, resolve, reject }) === 1) setImmediate(flush)
    })
}
