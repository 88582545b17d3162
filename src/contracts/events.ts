import type { ItemId, OrderId, SaleId, UserId } from './ids.ts'

/**
 * Events of the order log, written by the Lua script that changes the stock (`flow/inventory`) into the
 * item's outbox stream, and carried on by `flow/events`. Times are milliseconds since the epoch on the
 * Redis server's clock. Fields are only ever added; a change of meaning raises `version`.
 */
interface EventBase {
  readonly version: 1
  readonly order_id: OrderId
  readonly user_id: UserId
  readonly item_id: ItemId
  readonly sale_id: SaleId
  readonly quantity: number
  readonly timestamp: number
}

/** A unit was taken from stock and is held for this order. */
export interface OrderCreated extends EventBase {
  readonly type: 'OrderCreated'
  /** Price of the whole order in minor units of `currency`. */
  readonly amount: number
  readonly currency: string
  /** Place of this claim in the item's history: 1, 2, 3, ... The last N are cancelled on an oversell. */
  readonly claim_seq: number
  readonly pay_by: number
  readonly hold_expires_at: number
}

/** The hold ended without a sale; its units are available again. */
export interface Restocked extends EventBase {
  readonly type: 'Restocked'
}

export type DomainEvent = OrderCreated | Restocked
