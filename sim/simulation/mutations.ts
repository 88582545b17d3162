import { InventoryModel } from '../../src/flow/inventory/model.ts'
import type { Inventory } from '../../src/flow/inventory/inventory.ts'
import type { Orders, OrderStore } from '../../src/flow/orders/orders.ts'
import type { PaymentProvider, PaymentStore } from '../../src/flow/payments/payments.ts'
import { keyOf, modelOrders, type OrderRow, ORDERS } from './orders-model.ts'
import { runOn } from './postgres-model.ts'
import type { ItemFactory } from './redis-model.ts'

/** Where the composition can be spoilt. Nothing of this is in the product's code. */
export interface Mutation {
  readonly item?: ItemFactory
  readonly inventory?: (inventory: Inventory) => Inventory
  readonly orderStore?: Partial<OrderStore>
  readonly paymentStore?: Partial<PaymentStore>
  readonly orders?: (orders: Orders) => Orders
  readonly provider?: (provider: PaymentProvider) => PaymentProvider
  readonly confirmFirst?: true
  readonly captureFirst?: true
}

/** Bugs planted one at a time, to see that the auditor finds each. */
export const MUTATIONS = {
  'no duplicate check': {
    item: (now) =>
      new (class extends InventoryModel {
        protected override known() {
          return undefined
        }
        override findClaim() {
          return undefined
        }
      })(now),
  },
  'no fence': {
    item: (now) =>
      new (class extends InventoryModel {
        protected override isFenced() {
          return false
        }
      })(now),
  },
  'release without the hold check': {
    item: (now) =>
      new (class extends InventoryModel {
        override release(order_id: string) {
          const released = super.release(order_id)
          if (released !== 'gone') return released
          const known = this.orders.findIndex((order) => order.order_id === order_id)
          if (known < 0) return released
          this.orders.splice(known, 1)
          return 'released' as const
        }
      })(now),
  },
  'settle without the hold check': {
    item: (now) =>
      new (class extends InventoryModel {
        override settle(order_id: string) {
          const settled = super.settle(order_id)
          const known = this.orders.find((order) => order.order_id === order_id)
          if (settled !== 'gone' || known === undefined) return settled
          this.orders.push({ ...known, status: 'sold' })
          return 'settled' as const
        }
      })(now),
  },
  'no tombstone': {
    orders: (orders) => {
      const buried = new Map<string, Parameters<Orders['bury']>>()
      return {
        ...orders,
        bury: (order, reason) => {
          buried.set(order.order_id, [order, reason])
          return Promise.resolve()
        },
        find: async (user, id, sql) => {
          const [order, failure_reason] = buried.get(id) ?? []
          const found = await orders.find(user, id, sql)
          return found ?? (order && failure_reason && { ...order, status: 'FAILED', failure_reason })
        },
      }
    },
  },
  'a late event wins over a decision': {
    orderStore: {
      insertOrders: (sql, orders) =>
        runOn(sql, 'insert orders', (transaction) => {
          for (const order of orders) transaction.lock(ORDERS, keyOf(order.user_id, order.order_id))
          for (const order of orders) {
            const failed_at = order.status === 'FAILED' ? transaction.now : null
            const row: OrderRow = { ...order, paid_at: null, failed_at, restocked_at: null }
            transaction.put(ORDERS, keyOf(order.user_id, order.order_id), row)
          }
        }),
    },
  },
  'paid without the compare': {
    orderStore: {
      compareAndPay: (sql, user, id) =>
        runOn(sql, 'pay', (transaction) => {
          const row = transaction.get<OrderRow>(ORDERS, keyOf(user, id))
          if (row === undefined) return false
          transaction.lock(ORDERS, keyOf(user, id))
          transaction.put(ORDERS, keyOf(user, id), {
            ...{ ...row, status: 'PAID', failure_reason: null },
            ...{ paid_at: transaction.now, failed_at: null },
          })
          return true
        }),
    },
  },
  'restock of PAID': {
    orderStore: {
      compareAndFail: (sql, user, id, from, reason) =>
        modelOrders.compareAndFail(sql, user, id, [...from, 'PAID'], reason),
      selectOverdue: (sql, max) =>
        runOn(sql, 'overdue orders', (transaction) =>
          transaction
            .all<OrderRow>(ORDERS)
            .filter((row) => row.status !== 'FAILED' && row.pay_by <= transaction.now)
            .slice(0, max),
        ),
    },
  },
  'hold released before SQL has decided': {
    orders: (orders) => ({
      ...orders,
      find: async (user, id, sql) => {
        const order = await orders.find(user, id, sql)
        const early = sql === undefined && order?.status === 'PENDING'
        return early ? { ...order, status: 'FAILED', failure_reason: 'hold_expired' } : order
      },
    }),
  },
  'event id not recorded': { paymentStore: { insertEvent: () => Promise.resolve(true) } },
  'capture before the compare-and-set': { captureFirst: true },
  'offsets committed before SQL': { confirmFirst: true },
  'refund forgotten': {
    provider: (provider) => ({
      ...provider,
      refund: async (ref) => {
        const payment = await provider.find(ref)
        if (payment === undefined) throw new Error(`no payment ${ref}`)
        return { kind: 'refunded', payment }
      },
    }),
  },
  'authorisation kept': {
    provider: (provider) => ({
      ...provider,
      cancel: async (ref) => {
        const payment = await provider.find(ref)
        if (payment === undefined) throw new Error(`no payment ${ref}`)
        return payment.state === 'captured'
          ? { kind: 'already_captured', payment }
          : { kind: 'cancelled', payment }
      },
    }),
  },
} satisfies Record<string, Mutation> as Record<string, Mutation>
