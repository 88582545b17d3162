import type { FoundOrder } from '../../contracts/order-search-http.ts'
import type { OrderId } from '../../contracts/ids.ts'
import { selectContactsOf, selectOrdersOfEmail } from '../../flow/notices/notices.ts'
import {
  type NamedOrders,
  type OrderPlace,
  type OrderSearch,
  type RecordedOrder,
  searchOrders,
} from '../../flow/orders/orders.ts'
import { type RecordedPayment, selectOrdersPaidAs, selectPaymentsOf } from '../../flow/payments/payments.ts'
import type { Shards, Sql } from '../../platform/postgres.ts'

/** What an operator looks for; `q` is whatever is at hand. */
export type OrderFilter = Omit<OrderSearch, 'named' | 'after'> & { readonly q?: string | undefined }

export interface SearchOptions {
  readonly after?: OrderPlace | undefined
  readonly limit: number
  /** Addresses are shown, and looked for. Masked otherwise. */
  readonly addresses: boolean
}

export interface Page {
  readonly orders: readonly FoundOrder[]
  /** Where the next page begins; undefined: this is the last. */
  readonly next: OrderPlace | undefined
  /** Shards that do not answer. */
  readonly away: readonly unknown[]
}

/** A database that takes longer is busy with what matters more. */
const DEADLINE_MS = 5000
/** More orders by one payment or address than that are not what anybody looks for. */
const MOST_NAMED = 1000

/** One page of the orders of all shards, the newest first. Whatever arrives meanwhile, no order is told twice or left out. */
export async function searchPage(
  shards: Pick<Shards, 'survey'>,
  filter: OrderFilter,
  options: SearchOptions,
): Promise<Page> {
  const { limit } = options
  const asked = await shards.survey(({ sql }) => searchShard(sql, filter, options), DEADLINE_MS)
  const found = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  const page = found.sort((one, other) => compare(one.place, other.place)).slice(0, limit)
  const last = page.at(-1)
  return {
    orders: page.map(({ order }) => order),
    next: found.length > limit && last !== undefined ? last.place : undefined,
    away: asked.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
  }
}

/** The newest first; ids as PostgreSQL compares them. */
const compare = (one: OrderPlace, other: OrderPlace): number =>
  other.created_us - one.created_us || (one.order_id < other.order_id ? 1 : -1)

/** One more than the page, to know whether there is a next one. */
async function searchShard(sql: Sql, { q, ...filter }: OrderFilter, options: SearchOptions) {
  const { after, limit, addresses } = options
  const named = q === undefined ? undefined : await resolve(sql, q, addresses)
  const orders = await searchOrders(sql, { ...filter, named, after }, limit + 1)
  return describe(sql, orders, addresses)
}

/** Rows with what other tables say of them. */
export async function describe(sql: Sql, orders: readonly RecordedOrder[], addresses: boolean) {
  const payments = await selectPaymentsOf(sql, orders)
  const emails = await selectContactsOf(sql, orders)
  return orders.map((row) => ({
    place: { created_us: row.created_us, order_id: row.order_id },
    order: toFound(
      row,
      payments.find(({ order_id }) => order_id === row.order_id),
      shown(emails.get(row.order_id), addresses),
    ),
  }))
}

/** Everything that a word may stand for. */
async function resolve(sql: Sql, q: string, addresses: boolean): Promise<NamedOrders> {
  const paid = await selectOrdersPaidAs(sql, q, MOST_NAMED)
  const mailed = addresses && q.length >= 3 ? await selectOrdersOfEmail(sql, q, MOST_NAMED) : []
  return { user_id: q, ids: [...paid, ...mailed], between: idsLike(q) }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const LOWEST = '00000000-0000-0000-0000-000000000000'

/** The first and the last id that begins so; undefined where it is no beginning of an id. */
export function idsLike(q: string): readonly [OrderId, OrderId] | undefined {
  const start = q.toLowerCase()
  if (start.length < 6 || start.length > LOWEST.length) return undefined
  const low = start + LOWEST.slice(start.length)
  return UUID.test(low) ? [low, start + LOWEST.replaceAll('0', 'f').slice(start.length)] : undefined
}

/** Enough to recognise an address that one knows, and no more. */
const shown = (email: string | undefined, addresses: boolean): string | null =>
  email === undefined ? null : addresses ? email : email.replace(/^(.).*(@[^@]*)$/s, '$1***$2')

function toFound(
  { created_us, paid_at, ...row }: RecordedOrder,
  payment: RecordedPayment | undefined,
  email: string | null,
): FoundOrder {
  const {
    order_id,
    user_id,
    sale_id,
    item_id,
    quantity,
    amount,
    currency,
    status,
    failure_reason,
    claim_seq,
  } = row
  return {
    ...{ order_id, user_id, sale_id, item_id, quantity, amount, currency, status, failure_reason },
    payment:
      payment === undefined
        ? null
        : { provider: payment.provider, state: payment.state, provider_id: payment.provider_ref },
    email,
    created_at: Math.floor(created_us / 1000),
    paid_at: paid_at?.getTime() ?? null,
    claim_seq,
  }
}

export const cursorOf = ({ created_us, order_id }: OrderPlace): string =>
  Buffer.from(`${created_us}.${order_id}`).toString('base64url')

/** undefined for a text that is no cursor of ours. */
export function readCursor(cursor: string): OrderPlace | undefined {
  const [, us, order_id = ''] =
    /^(\d{1,16})\.(.{36})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  return us !== undefined && UUID.test(order_id) ? { created_us: Number(us), order_id } : undefined
}
