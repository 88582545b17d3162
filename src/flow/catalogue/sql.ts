import type { Sql } from '../../platform/postgres.ts'
import type { Product, Sale, SaleChange } from './catalogue.ts'

interface SaleRow extends Omit<Sale, 'opens_at' | 'ends_at'> {
  opens_at: Date
  ends_at: Date | null
}

const SALE_COLUMNS =
  'id, name, opens_at, ends_at, state, rate_per_second, payment_window_s, hold_s, pass_s, message'
const PRODUCT_COLUMNS = 'id, sale_id, name, description, amount, currency, units, per_buyer_limit'

export async function readAll(sql: Sql): Promise<{ sales: Sale[]; products: Product[] }> {
  const [sales, products] = await Promise.all([
    sql.query<SaleRow>(`select ${SALE_COLUMNS} from sales order by opens_at, id`),
    sql.query<Product>(`select ${PRODUCT_COLUMNS} from products order by created_at, id`),
  ])
  return { sales: sales.rows.map(toSale), products: products.rows }
}

/** False where a sale of this id exists already. */
export async function insertSale(sql: Sql, sale: Sale): Promise<boolean> {
  const done = await sql.query(
    `insert into sales (${SALE_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict do nothing`,
    [
      sale.id,
      sale.name,
      new Date(sale.opens_at),
      sale.ends_at === null ? null : new Date(sale.ends_at),
      sale.state,
      sale.rate_per_second,
      sale.payment_window_s,
      sale.hold_s,
      sale.pass_s,
      sale.message,
    ],
  )
  return done.rowCount === 1
}

/** False where a product of this id exists already. */
export async function insertProduct(sql: Sql, product: Product): Promise<boolean> {
  const done = await sql.query(
    `insert into products (${PRODUCT_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [
      product.id,
      product.sale_id,
      product.name,
      product.description,
      product.amount,
      product.currency,
      product.units,
      product.per_buyer_limit,
    ],
  )
  return done.rowCount === 1
}

/** False where there is no such sale. */
export async function updateSale(sql: Sql, id: string, change: SaleChange): Promise<boolean> {
  const done = await sql.query(
    `update sales set
       state = coalesce($2, state),
       opens_at = coalesce($3, opens_at),
       rate_per_second = coalesce($4, rate_per_second),
       message = coalesce($5, message)
     where id = $1`,
    [
      id,
      change.state ?? null,
      change.opens_at === undefined ? null : new Date(change.opens_at),
      change.rate_per_second ?? null,
      change.message ?? null,
    ],
  )
  return done.rowCount === 1
}

function toSale(row: SaleRow): Sale {
  return { ...row, opens_at: row.opens_at.getTime(), ends_at: row.ends_at?.getTime() ?? null }
}
