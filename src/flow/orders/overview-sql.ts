import type { SaleId } from '../../contracts/ids.ts'
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
