import type { SaleId } from '../../contracts/ids.ts'
import { createBatcher } from '../../platform/batch.ts'

/** What is asked of one lane of a sale at a time travels together, up to `max`, in the order it came. */
export function batcherOfLane<Request, Result>(
  send: (sale: SaleId, lane: string, requests: readonly Request[]) => Promise<readonly Result[]>,
  max: number,
) {
  const batchers = new Map<string, (request: Request) => Promise<Result>>()
  return (sale: SaleId, lane: string) => {
    const key = `${sale} ${lane}`
    let batcher = batchers.get(key)
    if (batcher === undefined) {
      batcher = createBatcher((requests: readonly Request[]) => send(sale, lane, requests), max)
      batchers.set(key, batcher)
    }
    return batcher
  }
}
