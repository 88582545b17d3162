import { createHash } from 'node:crypto'
import type { ItemId, OrderId, UserId } from '../../contracts/ids.ts'
import type { Order } from '../orders/orders.ts'

/** One order that is to be cancelled, and what its buyer gets besides the money. */
export interface PlannedOrder {
  readonly order_id: OrderId
  readonly user_id: UserId
  readonly claim_seq: number
  readonly quantity: number
  readonly amount: number
  readonly currency: string
  /** When it was previewed: a PAID one is refunded. */
  readonly status: Order['status']
  readonly gift: number
}

/**
 * Pure: the last ones to claim, as few as make up `units`; strictly by claim sequence, whether paid or not, since that
 * is the order in which the units were promised. `latest`: PENDING and PAID orders, the last one to claim first.
 */
export function lastOnes(latest: readonly Order[], units: number): Order[] {
  let missing = units
  return latest.filter(({ quantity }) => {
    const needed = missing > 0
    missing -= quantity
    return needed
  })
}

/** What an approval is bound to: which orders, in which order, for which gift. Not what they are paid meanwhile. */
export function hashOf(item: ItemId, orders: readonly PlannedOrder[]): string {
  const list = orders.map(({ order_id, quantity, gift, currency }) => [order_id, quantity, gift, currency])
  return createHash('sha256')
    .update(JSON.stringify([item, list]))
    .digest('hex')
}
