import type { ItemId, OrderId, SaleId, UserId } from '../../contracts/ids.ts'
import type { FailureReason, OrderStatus } from '../../contracts/orders.ts'
import type { Sql } from '../../platform/postgres.ts'

export interface OrderCount {
  readonly sale_id: SaleId
  readonly status: OrderStatus
  readonly failure_reason: FailureReason | null
  readonly orders: number
}

/** Orders of these sales on one shard; from the index `orders_by_sale` alone. */
export async function countBySale(sql: Sql, sales: readonly SaleId[]): Promise<OrderCount[]> {
  const found = await sql.query<OrderCount>(
    `select sale_id, status, failure_reason, count(*) as orders from orders where sale_id = any($1)
     group by sale_id, status, failure_reason`,
    [sales],
  )
  return found.rows
}

/** An order as its row says; times in ms, and once in microseconds, as exact as SQL has them. */
export interface RecordedOrder {
  readonly order_id: OrderId
  readonly user_id: UserId
  readonly sale_id: SaleId
  readonly item_id: ItemId
  readonly quantity: number
  readonly amount: number
  readonly currency: string
  readonly status: OrderStatus
  readonly failure_reason: FailureReason | null
  readonly claim_seq: number
  readonly created_us: number
  readonly paid_at: Date | null
  readonly claimed_at: Date
  readonly pay_by: Date
  readonly hold_expires_at: Date
  readonly failed_at: Date | null
  readonly restocked_at: Date | null
}

/** A place in the list of orders, the newest first. */
export type OrderPlace = Pick<RecordedOrder, 'created_us' | 'order_id'>

/** Orders that are meant by name: those of a buyer, some, and those whose ids lie between two. */
export interface NamedOrders {
  readonly user_id: UserId
  readonly ids: readonly OrderId[]
  readonly between?: readonly [OrderId, OrderId] | undefined
}

export interface OrderSearch {
  readonly sale?: SaleId | undefined
  readonly item?: ItemId | undefined
  readonly status?: OrderStatus | undefined
  /** ms; `to` is the first moment that does not belong to it. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly named?: NamedOrders | undefined
  /** Only what comes after this place. */
  readonly after?: OrderPlace | undefined
}

const ROW = `o.id as order_id, o.user_id, o.sale_id, o.item_id, o.quantity, o.amount, o.currency, o.status,
  o.failure_reason, o.claim_seq, (extract(epoch from o.created_at) * 1000000)::bigint as created_us, o.paid_at,
  o.claimed_at, o.pay_by, o.hold_expires_at, o.failed_at, o.restocked_at`

/** The first `max` of one shard, the newest first. Every way of asking has an index; see 0011_order_search.sql. */
export async function searchOrders(sql: Sql, search: OrderSearch, max: number): Promise<RecordedOrder[]> {
  const values: unknown[] = []
  const value = (given: unknown) => `$${values.push(given)}`
  const { sale, item, status, from, to, named, after } = search
  const where = [
    ...(sale === undefined ? [] : [`o.sale_id = ${value(sale)}`]),
    ...(item === undefined ? [] : [`o.item_id = ${value(item)}`]),
    ...(status === undefined ? [] : [`o.status = ${value(status)}`]),
    ...(from === undefined ? [] : [`o.created_at >= ${value(new Date(from))}`]),
    ...(to === undefined ? [] : [`o.created_at < ${value(new Date(to))}`]),
    ...(after === undefined
      ? []
      : [
          `(o.created_at, o.id) < (timestamptz 'epoch' + ${value(after.created_us)}::bigint * interval '1 microsecond',
            ${value(after.order_id)}::uuid)`,
        ]),
  ]
  // Each by its own index, and only then together.
  const among =
    named === undefined
      ? 'orders'
      : `(select * from orders where user_id = ${value(named.user_id)}
          union select * from orders where id = any(${value(named.ids)}::uuid[])
          ${named.between === undefined ? '' : `union select * from orders where id between ${named.between.map((id) => `${value(id)}::uuid`).join(' and ')}`})`
  const found = await sql.query<RecordedOrder>(
    `select ${ROW} from ${among} o ${where.length === 0 ? '' : `where ${where.join(' and ')}`}
     order by o.created_at desc, o.id desc limit ${value(max)}`,
    values,
  )
  return found.rows
}
