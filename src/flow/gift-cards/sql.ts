import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Sql } from '../../platform/postgres.ts'
import type { GiftCard } from './gift-cards.ts'

interface CardRow extends Omit<GiftCard, 'issued_at' | 'expires_at'> {
  issued_at: Date
  expires_at: Date
}

/** What counts of a card: uses whose order is PENDING or PAID. A failed order gives its part back by failing. */
const BALANCE = `c.amount - coalesce((
  select sum(u.amount) from gift_card_uses u join orders o on o.user_id = u.user_id and o.id = u.order_id
  where u.user_id = c.user_id and u.card_id = c.order_id and o.status <> 'FAILED'), 0)::bigint`
const CARD = `c.user_id, c.order_id, c.code, c.amount, c.currency, c.issued_at, c.expires_at,
  c.expires_at <= now() as expired, ${BALANCE} as balance`

const toCard = (row: CardRow): GiftCard => ({
  ...row,
  issued_at: row.issued_at.getTime(),
  expires_at: row.expires_at.getTime(),
})

/** One card for an order, however often it is asked for; false where it has been issued. */
export async function insertCard(
  sql: Sql,
  card: Pick<GiftCard, 'user_id' | 'order_id' | 'code' | 'amount' | 'currency'>,
  validDays: number,
): Promise<boolean> {
  const done = await sql.query(
    `insert into gift_cards (user_id, order_id, code, amount, currency, expires_at)
     values ($1, $2, $3, $4, $5, now() + make_interval(days => $6)) on conflict (user_id, order_id) do nothing`,
    [card.user_id, card.order_id, card.code, card.amount, card.currency, validDays],
  )
  return done.rowCount === 1
}

/** Cards put towards an order live at least as long as one issued now: what they give back can be used. */
export async function prolongUsed(sql: Sql, user: UserId, order: OrderId, validDays: number): Promise<void> {
  await sql.query(
    `update gift_cards set expires_at = greatest(expires_at, now() + make_interval(days => $3))
     where user_id = $1 and order_id in (
       select card_id from gift_card_uses where user_id = $1 and order_id = $2)`,
    [user, order, validDays],
  )
}

export async function selectCards(sql: Sql, user: UserId): Promise<GiftCard[]> {
  const found = await sql.query<CardRow>(
    `select ${CARD} from gift_cards c where c.user_id = $1 order by c.issued_at desc, c.order_id`,
    [user],
  )
  return found.rows.map(toCard)
}

/** The latest cards of one shard, of everybody. */
export async function selectIssued(sql: Sql, max: number): Promise<GiftCard[]> {
  const found = await sql.query<CardRow>(
    `select ${CARD} from gift_cards c order by c.issued_at desc limit $1`,
    [max],
  )
  return found.rows.map(toCard)
}

/** Nobody else uses the card until the transaction ends; undefined where this buyer has none with this code. */
export async function lockCard(sql: Sql, user: UserId, code: string): Promise<GiftCard | undefined> {
  await sql.query(`select from gift_cards where user_id = $1 and code = $2 for update`, [user, code])
  // By itself, so that it sees the uses of whoever had the lock before.
  const found = await sql.query<CardRow>(
    `select ${CARD} from gift_cards c where c.user_id = $1 and c.code = $2`,
    [user, code],
  )
  return found.rows[0] && toCard(found.rows[0])
}

/** False where this card has been put towards the order before. */
export async function insertUse(
  sql: Sql,
  use: { user_id: UserId; order_id: OrderId; card_id: OrderId; amount: number },
): Promise<boolean> {
  const done = await sql.query(
    `insert into gift_card_uses (user_id, order_id, card_id, amount) values ($1, $2, $3, $4)
     on conflict (user_id, order_id, card_id) do nothing`,
    [use.user_id, use.order_id, use.card_id, use.amount],
  )
  return done.rowCount === 1
}

export async function hasUse(sql: Sql, user: UserId, order: OrderId, card: OrderId): Promise<boolean> {
  const found = await sql.query(
    `select from gift_card_uses where user_id = $1 and order_id = $2 and card_id = $3`,
    [user, order, card],
  )
  return found.rowCount === 1
}

export async function deleteUses(sql: Sql, user: UserId, order: OrderId): Promise<void> {
  await sql.query(`delete from gift_card_uses where user_id = $1 and order_id = $2`, [user, order])
}

/** What cards pay of each of a buyer's orders, or of one. */
export async function selectParts(sql: Sql, user: UserId, order?: OrderId): Promise<Map<OrderId, number>> {
  const found = await sql.query<{ order_id: OrderId; part: number }>(
    `select order_id, sum(amount)::bigint as part from gift_card_uses
     where user_id = $1 and ($2::uuid is null or order_id = $2) group by order_id`,
    [user, order ?? null],
  )
  return new Map(found.rows.map(({ order_id, part }) => [order_id, part]))
}
