import type { Order, OrderStore } from '../../src/flow/orders/orders.ts'
import { runOn, type Transaction } from './postgres-model.ts'

/** A row of `orders`. Times in ms. */
export interface OrderRow extends Order {
  readonly paid_at: number | null
  readonly failed_at: number | null
  readonly restocked_at: number | null
}

export const ORDERS = 'orders'
export const keyOf = (user: string, id: string) => `${user}/${id}`
const rowOf = (transaction: Transaction, user: string, id: string) =>
  transaction.get<OrderRow>(ORDERS, keyOf(user, id))

/** flow/orders/sql.ts on the model. */
export const modelOrders: OrderStore = {
  insertOrders: (sql, orders) =>
    runOn(sql, `insert orders ${orders.map(({ order_id }) => short(order_id)).join(' ')}`, (transaction) => {
      const fresh = orders.filter((order) => !rowOf(transaction, order.user_id, order.order_id))
      for (const order of fresh) transaction.lock(ORDERS, keyOf(order.user_id, order.order_id))
      for (const order of fresh) {
        if (rowOf(transaction, order.user_id, order.order_id)) continue
        const failed_at = order.status === 'FAILED' ? transaction.now : null
        const row = { ...order, paid_at: null, failed_at, restocked_at: null }
        transaction.put(ORDERS, keyOf(order.user_id, order.order_id), row)
      }
    }),

  markRestocked: (sql, events) =>
    runOn(sql, `restocked ${events.map(({ order_id }) => short(order_id)).join(' ')}`, (transaction) => {
      const matching = () =>
        events.flatMap((event) => {
          const row = rowOf(transaction, event.user_id, event.order_id)
          return row?.status === 'FAILED' && row.restocked_at === null ? [{ row, event }] : []
        })
      for (const { row } of matching()) transaction.lock(ORDERS, keyOf(row.user_id, row.order_id))
      for (const { row, event } of matching())
        transaction.put(ORDERS, keyOf(row.user_id, row.order_id), { ...row, restocked_at: event.timestamp })
    }),

  selectOrder: (sql, user, id) =>
    runOn(sql, `find ${short(id)}`, (transaction) => toOrder(rowOf(transaction, user, id))),

  selectOrderForUpdate: (sql, user, id) =>
    runOn(sql, `lock ${short(id)}`, (transaction) => {
      if (rowOf(transaction, user, id) === undefined) return undefined
      transaction.lock(ORDERS, keyOf(user, id))
      return toOrder(rowOf(transaction, user, id))
    }),

  selectOrdersOf: (sql, user) =>
    runOn(sql, `orders of ${user}`, (transaction) =>
      rows(transaction, (row) => row.user_id === user)
        .toSorted((one, other) => other.claimed_at - one.claimed_at || compare(other.order_id, one.order_id))
        .slice(0, 200),
    ),

  selectOverdue: (sql, max) =>
    runOn(sql, 'overdue orders', (transaction) =>
      rows(transaction, (row) => row.status === 'PENDING' && row.pay_by <= transaction.now)
        .toSorted((one, other) => one.pay_by - other.pay_by)
        .slice(0, max),
    ),

  selectUnreleased: (sql, max) =>
    runOn(sql, 'unreleased orders', (transaction) =>
      rows(
        transaction,
        (row) =>
          row.status === 'FAILED' && row.restocked_at === null && row.hold_expires_at > transaction.now,
      )
        .toSorted((one, other) => one.hold_expires_at - other.hold_expires_at)
        .slice(0, max),
    ),

  compareAndPay: (sql, user, id) =>
    runOn(sql, `pay ${short(id)}`, (transaction) => {
      const row = transaction.get<OrderRow>(ORDERS, keyOf(user, id))
      if (row === undefined || row.pay_by <= transaction.now) return false
      return changeFrom(transaction, user, id, ['PENDING'], { status: 'PAID', paid_at: transaction.now })
    }),

  compareAndFail: (sql, user, id, from, reason) =>
    runOn(sql, `fail ${short(id)} ${reason}`, (transaction) =>
      changeFrom(transaction, user, id, from, {
        status: 'FAILED',
        failure_reason: reason,
        failed_at: transaction.now,
      }),
    ),

  countByStatus: (sql, item) =>
    runOn(sql, `count ${item}`, (transaction) => {
      const groups = Map.groupBy(
        rows(transaction, (row) => row.item_id === item),
        ({ status }) => status,
      )
      return [...groups].map(([status, orders]) => ({
        ...{ status, orders: orders.length },
        units: orders.reduce((sum, { quantity }) => sum + quantity, 0),
      }))
    }),

  selectOrdersForItem: (sql, item) =>
    runOn(sql, `orders for ${item}`, (transaction) => rows(transaction, (row) => row.item_id === item)),

  selectLastActive: (sql, item, max) =>
    runOn(sql, `last active of ${item}`, (transaction) =>
      rows(transaction, (row) => row.item_id === item && row.status !== 'FAILED')
        .toSorted(
          (one, other) =>
            other.claimed_at - one.claimed_at ||
            other.claim_seq - one.claim_seq ||
            compare(other.order_id, one.order_id),
        )
        .slice(0, max),
    ),
}

/** An update of one row: it waits only for a row that it would change, and looks again after the wait. */
function changeFrom(
  transaction: Transaction,
  user: string,
  id: string,
  from: readonly Order['status'][],
  change: Partial<OrderRow>,
): boolean {
  const row = rowOf(transaction, user, id)
  if (row === undefined || !from.includes(row.status)) return false
  transaction.lock(ORDERS, keyOf(user, id))
  transaction.put(ORDERS, keyOf(user, id), { ...row, ...change })
  return true
}

function rows(transaction: Transaction, wanted: (row: OrderRow) => boolean): Order[] {
  return transaction
    .all<OrderRow>(ORDERS)
    .filter(wanted)
    .map((row) => toOrder(row) as Order)
}

function toOrder(row: OrderRow | undefined): Order | undefined {
  if (row === undefined) return undefined
  const order: Partial<OrderRow> = { ...row }
  for (const column of ['paid_at', 'failed_at', 'restocked_at'] as const) delete order[column]
  return order as Order
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)

/** Ids of the simulation differ at their end. */
export const short = (id: string) => id.slice(-4)
