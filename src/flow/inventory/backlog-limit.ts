import type { ItemId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'

const FRESH_MS = 200

/**
 * Whether an item's outbox holds `most` events that SQL has not confirmed, looked up at most five times a second. Past that
 * nothing new is taken from stock: an outbox is memory of Redis, and what can not be written can not be sold.
 */
export function createBacklogLimit(
  { unconfirmed, clock }: { unconfirmed: (item: ItemId) => Promise<number>; clock: Clock },
  most: number,
): (item: ItemId) => Promise<boolean> {
  const known = new Map<ItemId, { read_at: number; full: Promise<boolean> }>()
  return (item) => {
    const last = known.get(item)
    if (last !== undefined && clock.now() - last.read_at < FRESH_MS) return last.full
    const full = unconfirmed(item).then((events) => events >= most)
    known.set(item, { read_at: clock.now(), full })
    full.catch(() => known.delete(item))
    return full
  }
}
