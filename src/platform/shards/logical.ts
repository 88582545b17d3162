import { createHash } from 'node:crypto'

export const LOGICAL_SHARDS = 256

/**
 * Stable: the first byte of the SHA-256 of the user id, as `logical_shard` in SQL has it too. Never change it; rows would
 * no longer be found.
 */
export function logicalShard(userId: string): number {
  return createHash('sha256').update(userId).digest().readUInt8(0)
}

/** The tables whose rows belong to a buyer, in an order in which they may be filled: a foreign key comes after its target. */
export const BUYER_TABLES = [
  'orders',
  'payments',
  'webhook_events',
  'gift_cards',
  'gift_card_uses',
  'contacts',
  'notices',
] as const

/** SQLSTATE of a server that is asked to write for a buyer whose logical shard it does not hold. */
const NOT_HELD = 'DB001'

/** Nothing was done: the logical shard is somewhere else, or nowhere for a moment. */
export class NotHeld extends Error {
  override readonly name = 'NotHeld'
  readonly code = NOT_HELD
}

export const isNotHeld = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === NOT_HELD
