import type { ItemId } from '../../contracts/ids.ts'
import { ownerOf, type Part } from '../../contracts/parts.ts'
import { tagApart } from '../../platform/slots.ts'

/** The set of every item that was ever loaded, and of every further part of one: how relay, workers and cleanup find them. */
export const ITEMS_KEY = 'items'

/**
 * The five keys of an item, or of one part of it, in the order every script here takes them. The braces keep them on one
 * cluster slot. What each holds:
 * - `stock` hash: total, available, held, sold, seq, state, opens_at, ends_at, sale_id, epoch, run_id; in a part also
 *   `out:{part}` -> `number units`, the last giving to another part, and `in:{part}` -> the last number taken in from it
 * - `buyers` hash: user_id -> `order_id:quantity` entries, separated by spaces; quantity 0 once released
 * - `holds` zset: order_id -> deadline
 * - `claims` hash: order_id -> `quantity claim_seq created_at pay_by user_id`, exactly as long as the hold
 * - `outbox` stream: the events that SQL has not confirmed yet
 */
export function itemKeys(owner: string) {
  const of = (name: string) => `item:{${owner}}:${name}`
  return {
    stock: of('stock'),
    buyers: of('buyers'),
    holds: of('holds'),
    claims: of('claims'),
    outbox: of('outbox'),
  }
}

const owners = new Map<string, string>()

/**
 * Whose keys those of a part are: the item's for the first, and for each further one of an id made so that the slots of all
 * parts lie evenly apart, on as many masters as there can be.
 */
export function partOwner({ item_id, index, of }: Part): string {
  if (index === 0) return item_id
  const name = `${item_id} ${index} ${of}`
  const known = owners.get(name)
  if (known !== undefined) return known
  const owner = tagApart(item_id, index / of, (turn) => ownerOf(item_id, `${index}-${turn}`))
  owners.set(name, owner)
  return owner
}

/** The stream that carries an item's events out, or those of its first part; `flow/events` reads it. */
export const outboxKey = (item_id: ItemId): string => itemKeys(item_id).outbox
