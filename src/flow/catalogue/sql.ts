import type { Sql } from '../../platform/postgres.ts'
import type { Group, NewProduct, Product, Sale, SaleChange, SaleSecrets } from './types.ts'
import { pictureOf, type StoredPicture } from './pictures.ts'
import type { SaleEdits } from './writing.ts'

type Times = 'opens_at' | 'ends_at' | 'lobby_opens_at' | 'post_sale_at'
interface SaleRow extends Omit<Sale, Times | 'rehearsal'> {
  rehearsal_of: string | null
  archived_at: Date | null
  opens_at: Date
  ends_at: Date | null
  lobby_opens_at: Date | null
  post_sale_at: Date | null
  guard: Record<string, unknown>
  oversell: Record<string, unknown>
}

const SALE = [
  ...['id', 'name', 'opens_at', 'ends_at', 'lobby_opens_at', 'post_sale_at', 'state', 'rate_per_second'],
  ...['payment_window_s', 'hold_s', 'pass_s', 'turn_s', 'checkout_cap', 'checkouts_per_unit'],
  ...['standby_threshold', 'draw_commitment', 'message'],
] as const
const PRODUCT = [
  ...(['id', 'sale_id', 'name', 'description', 'amount', 'currency', 'units'] as const),
  ...(['per_buyer_limit', 'stock_parts'] as const),
]
const PICTURE = ['hash', 'type', 'width', 'height'] as const
const SELECT_PRODUCTS = `
  select ${PRODUCT.map((column) => `products.${column}`).join(', ')}, picture_alt as alt,
    ${PICTURE.map((column) => `pictures.${column}`).join(', ')}
  from products left join pictures on pictures.hash = products.picture
  order by products.created_at, products.id`
const GROUP = 'sale_id, id, name, code_hash, rate_per_second, places'

export interface Everything {
  readonly sales: readonly Sale[]
  readonly products: readonly Product[]
  readonly groups: readonly Group[]
  readonly archived: ReadonlySet<string>
  /** Settings of the guard by sale, as they were given. */
  readonly guards: ReadonlyMap<string, Record<string, unknown>>
  /** What happens when more was sold than there is, by sale, as it was given. */
  readonly oversell: ReadonlyMap<string, Record<string, unknown>>
}

export async function readAll(sql: Sql): Promise<Everything> {
  const [sales, products, groups] = await Promise.all([
    sql.query<SaleRow>(
      `select ${SALE.join(', ')}, rehearsal_of, archived_at, guard, oversell from sales order by opens_at, id`,
    ),
    sql.query<NewProduct & StoredPicture>(SELECT_PRODUCTS),
    sql.query<Group>(`select ${GROUP} from sale_groups order by created_at, id`),
  ])
  return {
    sales: sales.rows.map(toSale),
    products: products.rows.map(toProduct),
    groups: groups.rows,
    archived: new Set(sales.rows.flatMap(({ id, archived_at }) => (archived_at === null ? [] : [id]))),
    guards: new Map(sales.rows.map(({ id, guard }) => [id, guard])),
    oversell: new Map(sales.rows.map(({ id, oversell }) => [id, oversell])),
  }
}

/** False where a sale of this id exists already. */
export async function insertSale(sql: Sql, sale: Sale, secrets: SaleSecrets): Promise<boolean> {
  const columns = [...SALE, 'draw_secret', 'rehearsal_of', 'guard', 'oversell']
  const row: Record<string, unknown> = {
    ...sale,
    opens_at: new Date(sale.opens_at),
    ends_at: date(sale.ends_at),
    lobby_opens_at: date(sale.lobby_opens_at),
    post_sale_at: date(sale.post_sale_at),
    draw_secret: secrets.draw_secret,
    rehearsal_of: secrets.rehearsal_of,
    guard: JSON.stringify(secrets.guard),
    oversell: JSON.stringify(secrets.oversell),
  }
  const done = await sql.query(
    `insert into sales (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})
     on conflict do nothing`,
    columns.map((column) => row[column]),
  )
  return done.rowCount === 1
}

/** False where a product of this id exists already. */
export async function insertProduct(sql: Sql, product: NewProduct): Promise<boolean> {
  const done = await sql.query(
    `insert into products (${PRODUCT.join(', ')}) values (${PRODUCT.map((_, index) => `$${index + 1}`).join(', ')})
     on conflict do nothing`,
    PRODUCT.map((column) => (column === 'stock_parts' ? (product[column] ?? 1) : product[column])),
  )
  return done.rowCount === 1
}

/** False where the sale has a group of this id or code already. */
export async function insertGroup(sql: Sql, group: Group): Promise<boolean> {
  const done = await sql.query(
    `insert into sale_groups (${GROUP}) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [group.sale_id, group.id, group.name, group.code_hash, group.rate_per_second, group.places],
  )
  return done.rowCount === 1
}

export async function selectDrawSecret(sql: Sql, sale: string): Promise<string | null> {
  const found = await sql.query<{ draw_secret: string | null }>(
    `select draw_secret from sales where id = $1`,
    [sale],
  )
  return found.rows[0]?.draw_secret ?? null
}

/** False where there is no such sale. `checkout_cap` null takes the cap away. */
export async function updateSale(sql: Sql, id: string, change: SaleChange): Promise<boolean> {
  const done = await sql.query(
    `update sales set
       state = coalesce($2, state),
       opens_at = coalesce($3, opens_at),
       lobby_opens_at = least(lobby_opens_at, coalesce($3, opens_at)),
       rate_per_second = coalesce($4, rate_per_second),
       message = coalesce($5, message),
       post_sale_at = coalesce($6, post_sale_at),
       checkout_cap = case when $7 then $8 else checkout_cap end
     where id = $1`,
    [
      id,
      change.state ?? null,
      date(change.opens_at ?? null),
      change.rate_per_second ?? null,
      change.message ?? null,
      date(change.post_sale_at ?? null),
      change.checkout_cap !== undefined,
      change.checkout_cap ?? null,
    ],
  )
  return done.rowCount === 1
}

export async function archiveSale(sql: Sql, id: string): Promise<void> {
  await sql.query(`update sales set archived_at = coalesce(archived_at, now()) where id = $1`, [id])
}

export async function selectUnits(sql: Sql, item: string): Promise<number | undefined> {
  const found = await sql.query<{ units: number }>(`select units from products where id = $1`, [item])
  return found.rows[0]?.units
}

/** Units that there are, and parts that they are split into. */
export async function selectStock(sql: Sql, item: string) {
  const found = await sql.query<{ units: number; parts: number }>(
    `select units, stock_parts as parts from products where id = $1`,
    [item],
  )
  return found.rows[0]
}

/** False unless the item is whole, or split that way already, and its sale opens in more than `least_ms`. */
export async function splitStock(sql: Sql, item: string, parts: number, least_ms: number): Promise<boolean> {
  const done = await sql.query(
    `update products set stock_parts = $2 from sales
     where products.id = $1 and stock_parts in (1, $2) and sales.id = products.sale_id
       and sales.opens_at > now() + make_interval(secs => $3)`,
    [item, parts, least_ms / 1000],
  )
  return done.rowCount === 1
}

/** False where there is no such product. */
export async function updateUnits(sql: Sql, item: string, units: number): Promise<boolean> {
  const done = await sql.query(`update products set units = $2 where id = $1`, [item, units])
  return done.rowCount === 1
}

const date = (ms: number | null) => (ms === null ? null : new Date(ms))

function toSale({
  guard: _guard,
  oversell: _oversell,
  archived_at: _archived,
  rehearsal_of,
  ...row
}: SaleRow): Sale {
  return {
    ...row,
    rehearsal: rehearsal_of !== null,
    opens_at: row.opens_at.getTime(),
    ends_at: row.ends_at?.getTime() ?? null,
    lobby_opens_at: row.lobby_opens_at?.getTime() ?? null,
    post_sale_at: row.post_sale_at?.getTime() ?? null,
  }
}

function toProduct({
  stock_parts = 1,
  alt,
  hash,
  type,
  width,
  height,
  ...row
}: NewProduct & StoredPicture): Product {
  const product = { ...row, ...(stock_parts === 1 ? {} : { stock_parts }) }
  return { ...product, picture: pictureOf(product, { alt, hash, type, width, height }) }
}

/** Nobody changes the sale until the transaction ends; undefined where there is none. */
export async function lockSale(sql: Sql, id: string) {
  const found = await sql.query<SaleRow>(
    `select ${SALE.join(', ')}, rehearsal_of, archived_at, guard, oversell from sales where id = $1 for update`,
    [id],
  )
  const [row] = found.rows
  return row && { sale: toSale(row), guard: row.guard, oversell: row.oversell }
}

export async function lockProducts(sql: Sql, sale: string): Promise<NewProduct[]> {
  const found = await sql.query<NewProduct>(
    `select ${PRODUCT.join(', ')} from products where sale_id = $1 order by created_at, id for update`,
    [sale],
  )
  return found.rows
}

const TIMES: ReadonlySet<string> = new Set<Times>(['opens_at', 'ends_at', 'lobby_opens_at', 'post_sale_at'])
const JSONS: ReadonlySet<string> = new Set(['guard', 'oversell'])
const stored = (column: string, value: unknown) =>
  TIMES.has(column) ? date(value as number | null) : JSONS.has(column) ? JSON.stringify(value) : value

/** Columns are named by our own types, never from outside. */
async function updateFields(
  sql: Sql,
  table: 'sales' | 'products',
  id: string,
  change: object,
): Promise<void> {
  const columns = Object.entries(change).filter(([, value]) => value !== undefined)
  if (columns.length === 0) return
  const set = columns.map(([column], index) => `${column} = $${index + 2}`).join(', ')
  const values = columns.map(([column, value]) => stored(column, value))
  await sql.query(`update ${table} set ${set} where id = $1`, [id, ...values])
}

export const updateSaleFields = (sql: Sql, id: string, change: SaleEdits['sale']) =>
  updateFields(sql, 'sales', id, change)

export const updateProductFields = (
  sql: Sql,
  id: string,
  change: Partial<Omit<NewProduct, 'id' | 'sale_id'>>,
) => updateFields(sql, 'products', id, change)
