import type { SaleId } from '../../contracts/ids.ts'
import { createBatcher } from '../../platform/batch.ts'

/** What goes to Redis together: the keys of one sale, or of one lane of it. */
type Where = readonly [sale: SaleId, lane?: string]

/** What is asked at a time of one place travels together, up to `max`, in the order it came. */
export function batchersBy<Place extends Where, Request, Result>(
  send: (place: Place, requests: readonly Request[]) => Promise<readonly Result[]>,
  max?: number,
) {
  const batchers = new Map<string, (request: Request) => Promise<Result>>()
  return (...place: Place) => {
    const name = place.join(' ')
    let batcher = batchers.get(name)
    if (batcher === undefined) {
      batcher = createBatcher((requests: readonly Request[]) => send(place, requests), max)
      batchers.set(name, batcher)
    }
    return batcher
  }
}
