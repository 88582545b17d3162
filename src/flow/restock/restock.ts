import type { ItemId, OrderId, UserId } from '../../contracts/ids.ts'
import type { FailureReason } from '../../contracts/orders.ts'
import { times } from '../../contracts/money.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { DueHold, Inventory } from '../inventory/inventory.ts'
import type { Order, Orders } from '../orders/orders.ts'
import type { Payments } from '../payments/payments.ts'

export type CancelOutcome =
  | { readonly kind: 'cancelled'; readonly order: Order }
  | { readonly kind: 'unknown_order' }
  | { readonly kind: 'not_cancellable'; readonly order: Order }

/** What one sweep did. */
export interface Sweep {
  readonly failed: number
  readonly released: number
  readonly settled: number
  readonly payments: number
}

export interface Restock {
  /** The buyer changes their mind: the order fails, the unit goes back, the payment is closed. */
  cancel(user: UserId, id: OrderId): Promise<CancelOutcome>
  /** Ends what is overdue. Safe to repeat, and to run in several processes at once. */
  sweep(): Promise<Sweep>
  /** Where a claim stands that SQL has no row of yet. */
  findHold(user: UserId, id: OrderId): Promise<{ item_id: ItemId; hold: DueHold } | undefined>
}

const BATCH = 500

export interface RestockParts {
  readonly inventory: Inventory
  readonly orders: Orders
  readonly payments: Pick<Payments, 'finish' | 'repair'>
  readonly catalogue: Pick<Catalogue, 'product'>
  readonly log: Log
}

/**
 * SQL decides once, Redis follows: an order is FAILED before its hold is released, so a crash in between leaves a hold
 * whose order is FAILED, and the next sweep releases it.
 */
export function createRestock({ inventory, orders, payments, catalogue, log }: RestockParts): Restock {
  const end = async (order: Order, reason: FailureReason): Promise<boolean> => {
    if (!(await orders.fail(order.user_id, order.order_id, reason))) return false
    await inventory.release(order.item_id, order.order_id)
    await payments
      .finish(order.user_id, order.order_id)
      .catch((error: unknown) =>
        log.warn({ err: error, order_id: order.order_id }, 'closing the payment failed; it will be repaired'),
      )
    return true
  }

  /** A hold whose event has not reached SQL: its FAILED row comes first, so a late event finds it decided. */
  const bury = async (item_id: ItemId, hold: DueHold, reason: FailureReason): Promise<void> => {
    const product = await catalogue.product(item_id)
    if (product === undefined) throw new Error(`hold on ${item_id}, which the catalogue does not know`)
    await orders.bury(
      {
        order_id: hold.order_id,
        user_id: hold.user_id,
        sale_id: product.sale_id,
        item_id,
        quantity: hold.quantity,
        ...times({ amount: product.amount, currency: product.currency }, hold.quantity),
        claim_seq: hold.claim_seq,
        claimed_at: hold.created_at,
        pay_by: hold.pay_by,
        hold_expires_at: hold.deadline,
      },
      reason,
    )
  }

  /** Has SQL decide about a hold, for `reason` where it has not yet, and carries the decision out in Redis. */
  const conclude = async (item: ItemId, hold: DueHold, reason: FailureReason) => {
    const find = () => orders.find(hold.user_id, hold.order_id)
    let order = await find()
    if (order === undefined) {
      await bury(item, hold, reason)
      // The event may have won the race for the row; whoever did, the row says what is to be done.
      order = await find()
    }
    if (order?.status === 'PENDING') {
      if (await end(order, reason)) return 'released'
      order = await find()
    }
    if (order?.status === 'PAID') return inventory.settle(item, hold.order_id)
    return order?.status === 'FAILED' ? inventory.release(item, hold.order_id) : 'gone'
  }

  const findHold: Restock['findHold'] = async (user, id) => {
    for (const item_id of await inventory.items()) {
      const hold = await inventory.findClaim(item_id, id)
      if (hold !== undefined) return hold.user_id === user ? { item_id, hold } : undefined
    }
    return undefined
  }

  return {
    findHold,
    cancel: async (user, id) => {
      let order = await orders.find(user, id)
      if (order === undefined) {
        const found = await findHold(user, id)
        if (found !== undefined) await conclude(found.item_id, found.hold, 'cancelled_by_user')
      } else await end(order, 'cancelled_by_user')
      order = await orders.find(user, id)
      if (order === undefined) return { kind: 'unknown_order' }
      if (order.failure_reason === 'cancelled_by_user') return { kind: 'cancelled', order }
      return { kind: 'not_cancellable', order }
    },

    sweep: async () => {
      const done = { failed: 0, released: 0, settled: 0, payments: 0 }
      // One order, item or shard in trouble must not keep the units of the others from coming back.
      const attempt = async (what: object, work: () => Promise<void>) =>
        work().catch((error: unknown) => log.warn({ ...what, err: error }, 'sweeping failed; tried again'))

      await attempt({ what: 'overdue orders' }, async () => {
        for (const order of await orders.overdue(BATCH))
          await attempt({ order_id: order.order_id }, async () => {
            if (await end(order, 'payment_timeout')) done.failed += 1
          })
      })
      await attempt({ what: 'due holds' }, async () => {
        for (const item of await inventory.items())
          for (const hold of await inventory.due(item, BATCH))
            await attempt({ order_id: hold.order_id }, async () => {
              const result = await conclude(item, hold, 'hold_expired')
              if (result === 'released' || result === 'settled') done[result] += 1
            })
      })
      await attempt({ what: 'payments' }, async () => {
        done.payments = await payments.repair(BATCH)
      })
      return done
    },
  }
}
