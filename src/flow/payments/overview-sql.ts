import type { SaleId } from '../../contracts/ids.ts'
import type { PaymentState } from '../../contracts/payments.ts'
import type { Sql } from '../../platform/postgres.ts'

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
