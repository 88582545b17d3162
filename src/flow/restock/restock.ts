import type { ItemId, OrderId, UserId } from '../../contracts/ids.ts'
import type { FailureReason } from '../../contracts/orders.ts'
import { times } from '../../contracts/money.ts'
import { forEachAtMost } from '../../platform/parallel.ts'
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
}

export interface Restock {
  /** The buyer changes their mind: the order fails, the unit goes back, the payment is closed. Safe to repeat. */
  cancel(user: UserId, id: OrderId): Promise<CancelOutcome>
  /**
   * Ends everything that is overdue. Safe to repeat, and to run in several processes at once. Closing the payments is
   * left to `Payments.repair`: a provider that does not answer must not keep units from coming back.
   */
  sweep(): Promise<Sweep>
  /** Where a claim stands that SQL has no row of yet. */
  findHold(user: UserId, id: OrderId): Promise<{ item_id: ItemId; hold: DueHold } | undefined>
}

/** How many are read at once, and how many are worked on at once. */
const BATCH = 500
const AT_ONCE = 16

export interface RestockParts {
  readonly inventory: Inventory
  readonly orders: Orders
  readonly payments: Pick<Payments, 'finish'>
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
    await inventory.release(order.item_id, order.order_id, order.user_id)
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
    if (order?.status === 'PAID') return inventory.settle(item, hold.order_id, hold.user_id)
    return order?.status === 'FAILED' ? inventory.release(item, hold.order_id, hold.user_id) : 'gone'
  }

  const findHold: Restock['findHold'] = async (user, id) => {
    for (const item_id of await inventory.items()) {
      const hold = await inventory.findClaim(item_id, id, user)
      if (hold !== undefined) return hold.user_id === user ? { item_id, hold } : undefined
    }
    return undefined
  }

  /** One order, item or shard in trouble must not keep the units of the others from coming back. */
  const attempt = async (what: object, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work()
      return true
    } catch (error) {
      log.warn({ ...what, err: error }, 'sweeping failed; tried again')
      return false
    }
  }

  /** Reads and works until nothing new is found; those in trouble stay, so the next reading reaches beyond them. */
  const drain = async <Found extends { order_id: OrderId }>(
    read: (max: number) => Promise<Found[]>,
    work: (found: Found) => Promise<void>,
  ): Promise<void> => {
    const seen = new Set<OrderId>()
    let stuck = 0
    for (;;) {
      const found = await read(BATCH + stuck)
      const fresh = found.filter(({ order_id }) => !seen.has(order_id))
      if (fresh.length === 0) return
      await forEachAtMost(AT_ONCE, fresh, async (one) => {
        seen.add(one.order_id)
        if (!(await attempt({ order_id: one.order_id }, () => work(one)))) stuck += 1
      })
      if (found.length < BATCH) return
    }
  }

  return {
    findHold,
    cancel: async (user, id) => {
      const found = await orders.find(user, id)
      if (found?.status === 'PENDING') await end(found, 'cancelled_by_user')
      if (found === undefined) {
        const held = await findHold(user, id)
        if (held !== undefined) await conclude(held.item_id, held.hold, 'cancelled_by_user')
      }
      const order = await orders.find(user, id)
      if (order === undefined) return { kind: 'unknown_order' }
      if (order.failure_reason !== 'cancelled_by_user') return { kind: 'not_cancellable', order }
      // Where an earlier attempt died in between, the unit is still held.
      if (found?.status === 'FAILED') await inventory.release(order.item_id, id, user)
      await payments
        .finish(user, id)
        .catch((error: unknown) =>
          log.warn({ err: error, order_id: id }, 'closing the payment failed; it will be repaired'),
        )
      return { kind: 'cancelled', order }
    },

    sweep: async () => {
      const done = { failed: 0, released: 0, settled: 0 }
      const shards = orders.shards.map((shard) =>
        attempt({ shard }, async () => {
          await drain(
            (max) => orders.overdue(shard, max),
            async (order) => {
              if (await end(order, 'payment_timeout')) done.failed += 1
            },
          )
          await forEachAtMost(
            AT_ONCE,
            await orders.unreleased(shard, BATCH),
            async ({ item_id, order_id, user_id }) => {
              await attempt({ order_id }, async () => {
                if ((await inventory.release(item_id, order_id, user_id)) === 'released') done.released += 1
              })
            },
          )
        }),
      )
      await Promise.all(shards)
      await attempt({ what: 'due holds' }, async () => {
        for (const item of await inventory.items()) {
          await attempt(
            { item, what: 'units on their way' },
            async () => void (await inventory.finishTransfers(item)),
          )
          await attempt({ item }, () =>
            drain(
              (max) => inventory.due(item, max),
              async (hold) => {
                const result = await conclude(item, hold, 'hold_expired')
                if (result === 'released' || result === 'settled') done[result] += 1
              },
            ),
          )
        }
      })
      return done
    },
  }
}
