import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Language } from '../../contracts/words/say.ts'
import type { Sql } from '../../platform/postgres.ts'

/** Where a buyer is told what becomes of an order, and in which language. */
export interface Contact {
  readonly email: string
  readonly language: Language
}

/**
 * Keeps the address for an order, unless a mail has gone out to another one already. Mails that found none, or that this
 * one's predecessor could not get, are tried again, `tries` times in all: nobody tries out addresses through us.
 */
export async function upsertContact(
  sql: Sql,
  user: UserId,
  order: OrderId,
  { email, language }: Contact,
  tries: number,
): Promise<'kept' | 'settled'> {
  const kept = await sql.query(
    `insert into contacts (user_id, order_id, email, language)
     select $1, $2, $3, $4 where not exists (select from notices n where n.user_id = $1 and n.order_id = $2 and n.state = 'sent')
     on conflict (user_id, order_id) do update set email = excluded.email, language = excluded.language, given_at = now(), waiting = true`,
    [user, order, email, language],
  )
  if (kept.rowCount === 0) return (await selectContact(sql, user, order)) === email ? 'kept' : 'settled'
  await sql.query(
    `update notices n set state = 'due', next_at = now()
     where n.user_id = $1 and n.order_id = $2 and n.state in ('dead', 'obsolete') and n.attempts < $3`,
    [user, order, tries],
  )
  return 'kept'
}

/** Where there is no address yet. */
export async function insertContact(
  sql: Sql,
  user: UserId,
  order: OrderId,
  { email, language }: Contact,
): Promise<void> {
  await sql.query(
    `insert into contacts (user_id, order_id, email, language) values ($1, $2, $3, $4)
     on conflict (user_id, order_id) do nothing`,
    [user, order, email, language],
  )
}

export async function deleteContact(sql: Sql, user: UserId, order: OrderId): Promise<void> {
  await sql.query('delete from contacts where user_id = $1 and order_id = $2', [user, order])
}

export async function selectContact(sql: Sql, user: UserId, order: OrderId): Promise<string | undefined> {
  const found = await sql.query<{ email: string }>(
    'select email from contacts where user_id = $1 and order_id = $2',
    [user, order],
  )
  return found.rows[0]?.email
}

/** Deletes addresses given more than so many days ago, the oldest `max`; answers how many. */
export async function deleteOldContacts(sql: Sql, days: number, max: number): Promise<number> {
  const gone = await sql.query(
    `delete from contacts where (user_id, order_id) in (
       select user_id, order_id from contacts where given_at < now() - make_interval(days => $1)
       order by given_at limit $2)`,
    [days, max],
  )
  return gone.rowCount ?? 0
}
