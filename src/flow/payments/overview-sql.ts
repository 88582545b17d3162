import type { OrderId, SaleId, UserId } from '../../contracts/ids.ts'
import type { ProviderName } from './provider.ts'
import type { PaymentState } from '../../contracts/payments.ts'
import { beginsWith, type Sql } from '../../platform/postgres.ts'

export interface PaymentCount {
  readonly sale_id: SaleId
  readonly state: PaymentState
  readonly payments: number
}

/** Payments of the orders of these sales on one shard. */
export async function countPaymentsBySale(sql: Sql, sales: readonly SaleId[]): Promise<PaymentCount[]> {
  const found = await sql.query<PaymentCount>(
    `select o.sale_id, p.state, count(*) as payments
     from orders o join payments p on p.user_id = o.user_id and p.order_id = o.id
     where o.sale_id = any($1) group by o.sale_id, p.state`,
    [sales],
  )
  return found.rows
}

export interface RecordedPayment {
  readonly order_id: OrderId
  readonly provider: ProviderName
  readonly provider_ref: string
  readonly state: PaymentState
  readonly failure_code: string | null
  readonly amount: number
  readonly currency: string
  readonly created_at: Date
  readonly updated_at: Date
}

/** Payments of these orders of one shard; of each order the one with the money first, or else the latest. */
export async function selectPaymentsOf(
  sql: Sql,
  orders: readonly { readonly user_id: UserId; readonly order_id: OrderId }[],
): Promise<RecordedPayment[]> {
  const found = await sql.query<RecordedPayment>(
    `select p.order_id, p.provider, p.provider_ref, p.state, p.failure_code, p.amount, p.currency, p.created_at,
            p.updated_at
     from unnest($1::text[], $2::uuid[]) as wanted (user_id, order_id)
       join payments p on p.user_id = wanted.user_id and p.order_id = wanted.order_id
     order by array_position(array['captured', 'authorised', 'lost', 'refund_due', 'refunded'], p.state),
              p.created_at desc`,
    [orders.map(({ user_id }) => user_id), orders.map(({ order_id }) => order_id)],
  )
  return found.rows
}

/** Orders of one shard with a payment whose id at the provider begins so. */
export async function selectOrdersPaidAs(sql: Sql, ref: string, max: number): Promise<OrderId[]> {
  const found = await sql.query<{ order_id: OrderId }>(
    `select distinct order_id from payments where provider_ref like $1 limit $2`,
    [beginsWith(ref), max],
  )
  return found.rows.map(({ order_id }) => order_id)
}
