import type { PaymentStore, ProviderName } from '../../src/flow/payments/payments.ts'
import { type PaymentState, REACHED_FROM } from '../../src/flow/payments/states.ts'
import type { Sql } from '../../src/platform/postgres.ts'
import { keyOf as orderKey, type OrderRow, ORDERS, short } from './orders-model.ts'
import { runOn, type Transaction } from './postgres-model.ts'

/** A row of `payments`. Times in ms. */
export interface PaymentRow {
  readonly user_id: string
  readonly order_id: string
  readonly provider: ProviderName
  readonly provider_ref: string
  readonly amount: number
  readonly currency: string
  readonly state: PaymentState
  readonly failure_code: string | null
  readonly created_at: number
  readonly updated_at: number
}

export interface EventRow {
  readonly user_id: string
  readonly provider: ProviderName
  readonly event_id: string
}

export const PAYMENTS = 'payments'
export const EVENTS = 'webhook_events'
const keyOf = (row: Pick<PaymentRow, 'user_id' | 'order_id' | 'provider' | 'provider_ref'>) =>
  `${row.user_id}/${row.order_id}/${row.provider}/${row.provider_ref}`
const rowOf = (transaction: Transaction, key: string) => transaction.get<PaymentRow>(PAYMENTS, key)

const UNFINISHED: readonly PaymentState[] = ['started', 'failed', 'authorised', 'refund_due']

/** The money has come, whatever became of it. */
const FUNDED: readonly PaymentState[] = ['captured', 'refund_due', 'refunded']

/** flow/payments/sql.ts on the model. */
export const modelPayments: PaymentStore = {
  insertEvent: (sql, user_id, provider, event_id) =>
    runOn(sql, `insert event ${event_id}`, (transaction) => {
      const key = `${user_id}/${provider}/${event_id}`
      if (transaction.get(EVENTS, key) !== undefined) return false
      transaction.lock(EVENTS, key)
      transaction.put(EVENTS, key, { user_id, provider, event_id } satisfies EventRow)
      return true
    }),

  lockPayment: (sql, user_id, provider, payment) =>
    runOn(sql, `lock payment ${payment.provider_ref}`, (transaction) => {
      const { order_id, provider_ref, amount, currency } = payment
      const key = keyOf({ user_id, order_id, provider, provider_ref })
      transaction.lock(PAYMENTS, key)
      const { now } = transaction
      const row = rowOf(transaction, key) ?? {
        ...{ user_id, order_id, provider, provider_ref, amount, currency },
        ...{ state: 'started' as const, failure_code: null, created_at: now },
      }
      transaction.put(PAYMENTS, key, { ...row, updated_at: now })
      return row.state
    }),

  advance: (sql, user_id, order_id, payment, to) =>
    runOn(sql, `payment ${payment.provider_ref} to ${to}`, (transaction) => {
      const key = keyOf({ ...payment, user_id, order_id })
      const row = rowOf(transaction, key)
      if (row === undefined || !REACHED_FROM[to].includes(row.state)) return false
      transaction.lock(PAYMENTS, key)
      const failure_code = payment.failure_code ?? row.failure_code
      transaction.put(PAYMENTS, key, { ...row, state: to, failure_code, updated_at: transaction.now })
      return true
    }),

  selectPayments: (sql, user, order) =>
    runOn(sql, `payments of ${short(order)}`, (transaction) =>
      transaction
        .all<PaymentRow>(PAYMENTS)
        .filter(({ user_id, order_id }) => user_id === user && order_id === order)
        .toSorted((one, other) => one.created_at - other.created_at)

        .map(({ provider, provider_ref, state, failure_code }) => ({
          ...{ provider, provider_ref, state, failure_code },
        })),
    ),

  selectLacking: (sql, user) =>
    runOn(sql, 'orders without their money', (transaction) => {
      const own = transaction.all<PaymentRow>(PAYMENTS).filter(({ user_id }) => user_id === user)
      return [...Map.groupBy(own, ({ order_id }) => order_id)].flatMap(([id, rows]) =>
        isLacking(rows) ? [id] : [],
      )
    }),

  lacksMoney: async (sql, user, order) => (await modelPayments.selectLacking(sql, user)).includes(order),

  selectUnfunded: (sql, quietS, max) =>
    runOn(sql, 'unfunded orders', (transaction) => {
      const payments = transaction.all<PaymentRow>(PAYMENTS)
      const isFunded = ({ user_id, order_id }: PaymentRow) =>
        payments.some(
          (one) => one.user_id === user_id && one.order_id === order_id && FUNDED.includes(one.state),
        )
      return payments
        .flatMap((row) => {
          const order = transaction.get<OrderRow>(ORDERS, orderKey(row.user_id, row.order_id))
          const waits = row.state === 'authorised' || row.state === 'lost'
          if (!waits || order?.status !== 'PAID' || order.paid_at === null || isFunded(row)) return []
          if (order.paid_at >= transaction.now - quietS * 1000) return []
          const { user_id, order_id, provider, provider_ref, state, amount, currency } = row
          const { sale_id, item_id, paid_at } = order
          return {
            ...{ user_id, order_id, provider, provider_ref, state, amount, currency, sale_id, item_id },
            paid_at: new Date(paid_at),
          }
        })
        .toSorted((one, other) => one.paid_at.getTime() - other.paid_at.getTime())
        .slice(0, max)
    }),

  takeUnfinished: async (sql, limits) => {
    const unfinished = await take(sql, limits, ({ state }) => UNFINISHED.includes(state))
    const oversold = await take(
      sql,
      limits,
      ({ state }, order) => state === 'captured' && order.failure_reason === 'oversold',
    )
    return [...unfinished, ...oversold]
  },
}

function isLacking(payments: readonly PaymentRow[]): boolean {
  const has = (...states: readonly PaymentState[]) => payments.some(({ state }) => states.includes(state))
  return has('lost') && !has('authorised', ...FUNDED)
}

/** Whether the order waits for no money any more, as far as this payment of it goes. */
function isDecided(row: PaymentRow, order: OrderRow, all: readonly PaymentRow[]): boolean {
  if (row.state === 'refund_due' || order.status === 'FAILED') return true
  const own = all.filter(({ user_id, order_id }) => user_id === row.user_id && order_id === row.order_id)
  return order.status === 'PAID' && !(['started', 'failed'].includes(row.state) && isLacking(own))
}

type Wanted = (row: PaymentRow, order: OrderRow) => boolean

function take(
  sql: Sql,
  { quietS, pollS, max }: Parameters<PaymentStore['takeUnfinished']>[1],
  wanted: Wanted,
) {
  return runOn(sql, 'unfinished payments', (transaction) => {
    const all = transaction.all<PaymentRow>(PAYMENTS)
    const waiting = all
      .flatMap((row) => {
        const order = transaction.get<OrderRow>(ORDERS, orderKey(row.user_id, row.order_id))
        if (order === undefined || !wanted(row, order)) return []
        const decided = isDecided(row, order, all)
        const due = transaction.now - (decided ? quietS : pollS) * 1000
        return row.updated_at < due && transaction.isFree(PAYMENTS, keyOf(row)) ? [{ row, decided }] : []
      })
      .toSorted((one, other) => one.row.updated_at - other.row.updated_at)
      .slice(0, max)
    for (const { row } of waiting) transaction.lock(PAYMENTS, keyOf(row))
    return waiting.map(({ row, decided }) => {
      transaction.put(PAYMENTS, keyOf(row), { ...row, updated_at: transaction.now })
      const { user_id, order_id, provider, provider_ref, state, failure_code } = row
      return { user_id, order_id, provider, provider_ref, state, failure_code, decided }
    })
  })
}
