import type { ItemId, UserId } from './ids.ts'

/**
 * The stock of a hot item may be split into parts, each with keys of its own on a cluster slot of its own. A buyer belongs to
 * one part for good, so limit and idempotency need no other; units move between the parts.
 */
export interface Part {
  readonly item_id: ItemId
  /** From 0 to `of - 1`. */
  readonly index: number
  /** Parts that the item has; 1: it is not split. */
  readonly of: number
}

export const MOST_PARTS = 16

export const partsOf = (item_id: ItemId, of: number): Part[] =>
  Array.from({ length: of }, (_, index) => ({ item_id, index, of }))

/**
 * By what keys in Redis are named, their hash tag: the id of an item, which is also that of its first part, or for a further
 * part the id, a dot (no id holds one) and the part's own name.
 */
export function readOwner(owner: string): { readonly item_id: ItemId; readonly part?: string } {
  const [item_id = '', part] = owner.split('.')
  return { item_id, ...(part === undefined ? {} : { part }) }
}
export const ownerOf = (item_id: ItemId, part: string | undefined): string =>
  part === undefined ? item_id : `${item_id}.${part}`

/** The part a buyer belongs to. Stable: never change it, their orders would no longer be found. FNV-1a, well mixed. */
export function partIndexOf(user_id: UserId, of: number): number {
  if (of === 1) return 0
  let hash = 0x811c9dc5
  for (let at = 0; at < user_id.length; at += 1) hash = Math.imul(hash ^ user_id.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % of
}
