import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Sql } from '../../platform/postgres.ts'

export interface RecordedUse {
  readonly card_id: OrderId
  readonly amount: number
  readonly used_at: Date
}

/** What each card pays of an order, without its code. */
export async function selectUsesOf(sql: Sql, user: UserId, order: OrderId): Promise<RecordedUse[]> {
  const found = await sql.query<RecordedUse>(
    `select card_id, amount, used_at from gift_card_uses where user_id = $1 and order_id = $2 order by used_at`,
    [user, order],
  )
  return found.rows
}

/** The card issued to make up for an order, without its code. */
export async function selectIssuedFor(sql: Sql, user: UserId, order: OrderId) {
  const found = await sql.query<{ amount: number; currency: string; issued_at: Date; expires_at: Date }>(
    `select amount, currency, issued_at, expires_at from gift_cards where user_id = $1 and order_id = $2`,
    [user, order],
  )
  return found.rows[0]
}
