import type { ItemId, OrderId, SaleId, UserId } from '../../contracts/ids.ts'
import type { FailureReason, OrderStatus } from '../../contracts/orders.ts'
import type { Language } from '../../contracts/words/say.ts'
import type { Sql } from '../../platform/postgres.ts'

/** What a buyer is told about the end of an order, and that a paid one lost its money. */
export type NoticeKind = 'paid' | 'pay_again' | 'failed' | 'cancelled' | 'oversold'

export interface NoticeKey {
  readonly user_id: UserId
  readonly order_id: OrderId
  readonly kind: NoticeKind
}

/** A notice that is ours to send until its lease is over. */
export interface Taken extends NoticeKey {
  /** Counted from 1, this one included. */
  readonly attempts: number
}

/** What there is to tell about `orders o`; null while it is open. */
const KIND = `case when o.status = 'PAID' then 'paid'
  when o.failure_reason = 'cancelled_by_user' then 'cancelled'
  when o.failure_reason = 'oversold' then 'oversold'
  when o.status = 'FAILED' then 'failed' end`
const SAME = 'n.user_id = $1 and n.order_id = $2'

/**
 * Writes down what is to be told: of orders that have ended while an address waits, and of paid ones that were cancelled
 * or lost their money since. What ended longer ago than `freshS` (and the address was given then) is told no more. Safe to repeat, and to
 * run in several processes at once.
 */
export async function planNotices(
  sql: Sql,
  { freshS, max }: { freshS: number; max: number },
): Promise<number> {
  const planned = await sql.query(
    `with ended as (
       select c.user_id, c.order_id, ${KIND} as kind,
              greatest(o.paid_at, o.failed_at, c.given_at) > now() - make_interval(secs => $1::float8) as fresh
       from contacts c join orders o on o.user_id = c.user_id and o.id = c.order_id
       where c.waiting and o.status <> 'PENDING'
       order by c.given_at limit $2
       for update of c skip locked
     ), seen as (
       update contacts set waiting = false from ended
       where contacts.user_id = ended.user_id and contacts.order_id = ended.order_id
     ), cancelled_since as (
       select c.user_id, c.order_id, ${KIND} as kind
       from orders o join contacts c on o.user_id = c.user_id and o.id = c.order_id
       where o.failure_reason = 'oversold' and o.failed_at > now() - make_interval(secs => $1::float8)
         and not exists (select from notices n
                         where n.user_id = o.user_id and n.order_id = o.id and n.kind = 'oversold')
     ), lost_since as (
       select c.user_id, c.order_id, 'pay_again' as kind
       from payments p join orders o on o.user_id = p.user_id and o.id = p.order_id and o.status = 'PAID'
         join contacts c on c.user_id = o.user_id and c.order_id = o.id
       where p.state = 'lost' and p.updated_at > now() - make_interval(secs => $1::float8)
         and not exists (select from payments other
                         where other.user_id = p.user_id and other.order_id = p.order_id
                           and other.state in ('authorised', 'captured', 'refund_due', 'refunded'))
         and not exists (select from notices n
                         where n.user_id = o.user_id and n.order_id = o.id and n.kind = 'pay_again')
     )
     insert into notices (user_id, order_id, kind)
     select user_id, order_id, kind from ended where fresh
     union select user_id, order_id, kind from cancelled_since
     union select user_id, order_id, kind from lost_since
     on conflict (user_id, order_id, kind) do nothing`,
    [freshS, max],
  )
  return planned.rowCount ?? 0
}

/** Takes notices whose time has come, the longest waiting first; for `leaseS` nobody else takes them. */
export async function takeDue(sql: Sql, { leaseS, max }: { leaseS: number; max: number }): Promise<Taken[]> {
  const taken = await sql.query<Taken>(
    `update notices set attempts = attempts + 1, next_at = now() + make_interval(secs => $1::float8)
     from (
       select n.user_id, n.order_id, n.kind from notices n where n.state = 'due' and n.next_at <= now()
       order by n.next_at limit $2 for update skip locked
     ) as waiting
     where notices.user_id = waiting.user_id and notices.order_id = waiting.order_id
       and notices.kind = waiting.kind
     returning notices.user_id, notices.order_id, notices.kind, notices.attempts`,
    [leaseS, max],
  )
  return taken.rows
}

/**
 * The mail server has taken the mail to this address: whoever says so, it is true. False where the buyer has given another
 * address meanwhile and is still to be told there, as long as there were less than `tries` attempts.
 */
export async function markSent(
  sql: Sql,
  { user_id, order_id, kind }: NoticeKey,
  email: string,
  tries: number,
): Promise<boolean> {
  const marked = await sql.query(
    `update notices n set state = 'sent', sent_at = now(), code = null
     where ${SAME} and n.kind = $3 and n.state <> 'sent' and (n.attempts >= $5 or not exists (
       select from contacts c where c.user_id = $1 and c.order_id = $2 and c.email <> $4))`,
    [user_id, order_id, kind, email, tries],
  )
  return marked.rowCount === 1
}

/** To be tried again `afterS` from now, or never. No effect where our lease was over and somebody else has it. */
export async function putBack(
  sql: Sql,
  { user_id, order_id, kind, attempts }: Taken,
  to: { readonly state: 'due' | 'dead' | 'obsolete'; readonly code: string; readonly afterS?: number },
): Promise<void> {
  await sql.query(
    `update notices n set state = $5, code = $6, next_at = now() + make_interval(secs => $7::float8)
     where ${SAME} and n.kind = $3 and n.attempts = $4 and n.state = 'due'`,
    [user_id, order_id, kind, attempts, to.state, to.code, to.afterS ?? 0],
  )
}

/** Everything a mail or a receipt says of an order. */
export interface Told {
  readonly kind: NoticeKind | null
  readonly email: string | null
  /** English where there is no address. */
  readonly language: Language
  readonly sale_id: SaleId
  readonly item_id: ItemId
  readonly quantity: number
  readonly amount: number
  readonly currency: string
  readonly status: OrderStatus
  readonly failure_reason: FailureReason | null
  readonly paid_at: Date | null
  /** Of the payment that paid it, or whose money came and went back. */
  readonly provider: string | null
  readonly provider_ref: string | null
  /** What the provider was asked for: the price, less what gift cards paid. */
  readonly provider_amount: number | null
  /** What gift cards paid of it. */
  readonly gift_amount: number
  /** Money that had reached us goes back. */
  readonly returned: boolean
  /** The provider gave the payment up before it was captured, and no other has come in its place. */
  readonly lost: boolean
  /** State of the notice of this kind. */
  readonly notice: 'due' | 'sent' | 'dead' | 'obsolete' | null
}

/** What makes up for an order that was cancelled. */
export interface GiftCard {
  readonly code: string
  readonly amount: number
  readonly currency: string
  readonly expires_at: Date
}

export async function selectTold(sql: Sql, user: UserId, order: OrderId): Promise<Told | undefined> {
  const found = await sql.query<Told>(
    `select told.*, n.state as notice from (
       select ${KIND} as kind, o.sale_id, o.item_id, o.quantity, o.amount, o.currency, o.status,
              o.failure_reason, o.paid_at, c.email, coalesce(c.language, 'en') as language, p.provider, p.provider_ref, p.amount as provider_amount,
              (select coalesce(sum(u.amount), 0)::bigint from gift_card_uses u
               where u.user_id = o.user_id and u.order_id = o.id) as gift_amount,
              coalesce(p.state in ('refund_due', 'refunded'), false) as returned,
              coalesce(p.state = 'lost', false) as lost
       from orders o
         left join contacts c on c.user_id = o.user_id and c.order_id = o.id
         left join lateral (
           select provider, provider_ref, amount, state from payments p
           where p.user_id = o.user_id and p.order_id = o.id
             and p.state in ('authorised', 'captured', 'lost', 'refund_due', 'refunded')
           order by p.state in ('captured', 'authorised') desc, p.updated_at desc limit 1
         ) p on true
       where o.user_id = $1 and o.id = $2
     ) told left join notices n on ${SAME} and n.kind = told.kind`,
    [user, order],
  )
  return found.rows[0]
}

/** The card issued for an order, if there is one. */
export async function selectGiftCard(sql: Sql, user: UserId, order: OrderId): Promise<GiftCard | undefined> {
  const found = await sql.query<GiftCard>(
    'select code, amount, currency, expires_at from gift_cards where user_id = $1 and order_id = $2',
    [user, order],
  )
  return found.rows[0]
}

/** Notices that wait and that were given up, on one shard. */
export async function countNotices(sql: Sql): Promise<{ due: number; dead: number }> {
  const found = await sql.query<{ due: number; dead: number }>(
    `select (select count(*) from notices where state = 'due') as due,
            (select count(*) from notices where state = 'dead') as dead`,
  )
  return found.rows[0] ?? { due: 0, dead: 0 }
}

/** A notice that was given up; without the address. */
export interface Undelivered {
  readonly order_id: OrderId
  readonly kind: NoticeKind
  readonly attempts: number
  readonly code: string | null
  readonly created_at: Date
}

export async function selectUndelivered(sql: Sql, max: number): Promise<Undelivered[]> {
  const found = await sql.query<Undelivered>(
    `select order_id, kind, attempts, code, created_at from notices where state = 'dead'
     order by created_at desc limit $1`,
    [max],
  )
  return found.rows
}

/** All that were given up are tried again; answers how many. */
export async function reviveNotices(sql: Sql): Promise<number> {
  const revived = await sql.query(
    `update notices set state = 'due', attempts = 0, next_at = now() where state = 'dead'`,
  )
  return revived.rowCount ?? 0
}
