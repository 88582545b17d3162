import type { ItemId } from '../../contracts/ids.ts'

/** The set of every item id that was ever loaded: how relay, workers and cleanup find the items. */
export const ITEMS_KEY = 'items'

/**
 * The five keys of an item, in the order every script here takes them. The braces keep them on one cluster
 * slot. What each holds:
 * - `stock` hash: total, available, held, sold, seq, state, opens_at, ends_at, sale_id, epoch, run_id
 * - `buyers` hash: user_id -> `order_id:quantity` entries, separated by spaces; quantity 0 once released
 * - `holds` zset: order_id -> deadline
 * - `claims` hash: order_id -> `quantity claim_seq created_at pay_by user_id`, exactly as long as the hold
 * - `outbox` stream: the events that SQL has not confirmed yet
 */
export function itemKeys(item_id: ItemId) {
  const of = (part: string) => `item:{${item_id}}:${part}`
  return {
    stock: of('stock'),
    buyers: of('buyers'),
    holds: of('holds'),
    claims: of('claims'),
    outbox: of('outbox'),
  }
}

/** The stream that carries an item's events out; `flow/events` reads it. */
export const outboxKey = (item_id: ItemId): string => itemKeys(item_id).outbox
