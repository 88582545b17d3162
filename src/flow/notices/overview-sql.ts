import type { OrderId, UserId } from '../../contracts/ids.ts'
import { beginsWith, type Sql } from '../../platform/postgres.ts'
import type { NoticeKind } from './sql.ts'

/** Orders of one shard with an address that begins so, in whatever case. */
export async function selectOrdersOfEmail(sql: Sql, email: string, max: number): Promise<OrderId[]> {
  const found = await sql.query<{ order_id: OrderId }>(
    `select c.order_id from contacts c where lower(c.email) like lower($1) limit $2`,
    [beginsWith(email), max],
  )
  return found.rows.map(({ order_id }) => order_id)
}

/** The addresses given for these orders of one shard. */
export async function selectContactsOf(
  sql: Sql,
  orders: readonly { readonly user_id: UserId; readonly order_id: OrderId }[],
): Promise<Map<OrderId, string>> {
  const found = await sql.query<{ order_id: OrderId; email: string }>(
    `select c.order_id, c.email
     from unnest($1::text[], $2::uuid[]) as wanted (user_id, order_id)
       join contacts c on c.user_id = wanted.user_id and c.order_id = wanted.order_id`,
    [orders.map(({ user_id }) => user_id), orders.map(({ order_id }) => order_id)],
  )
  return new Map(found.rows.map(({ order_id, email }) => [order_id, email]))
}

export interface RecordedNotice {
  readonly kind: NoticeKind
  readonly state: 'due' | 'sent' | 'dead' | 'obsolete'
  readonly attempts: number
  readonly code: string | null
  readonly created_at: Date
  readonly sent_at: Date | null
}

export async function selectNoticesOf(sql: Sql, user: UserId, order: OrderId): Promise<RecordedNotice[]> {
  const found = await sql.query<RecordedNotice>(
    `select n.kind, n.state, n.attempts, n.code, n.created_at, n.sent_at from notices n
     where n.user_id = $1 and n.order_id = $2 order by n.created_at`,
    [user, order],
  )
  return found.rows
}
