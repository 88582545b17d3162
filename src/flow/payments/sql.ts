import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Sql } from '../../platform/postgres.ts'
import type { ProviderName, ProviderPayment } from './provider.ts'
import { type PaymentState, REACHED_FROM } from './states.ts'

export interface Payment {
  readonly provider: ProviderName
  readonly provider_ref: string
  readonly state: PaymentState
  readonly failure_code: string | null
}

/** False where this event has had its effect already. */
export async function insertEvent(
  sql: Sql,
  user: UserId,
  provider: ProviderName,
  eventId: string,
): Promise<boolean> {
  const done = await sql.query(
    `insert into webhook_events (user_id, provider, event_id) values ($1, $2, $3) on conflict do nothing`,
    [user, provider, eventId],
  )
  return done.rowCount === 1
}

/** Makes sure of the payment's row, locks it to the end of the transaction, and answers its state. */
export async function lockPayment(
  sql: Sql,
  user: UserId,
  provider: ProviderName,
  payment: ProviderPayment,
): Promise<PaymentState> {
  const locked = await sql.query<{ state: PaymentState }>(
    `insert into payments (user_id, order_id, provider, provider_ref, amount, currency, state)
     values ($1, $2, $3, $4, $5, $6, 'started')
     on conflict (user_id, order_id, provider, provider_ref) do update set updated_at = now()
     returning state`,
    [user, payment.order_id, provider, payment.provider_ref, payment.amount, payment.currency],
  )
  return locked.rows[0]?.state ?? 'started'
}

/** Moves a payment forward; false where it has got there, or further, already. */
export async function advance(
  sql: Sql,
  user: UserId,
  order: OrderId,
  payment: { provider: ProviderName; provider_ref: string; failure_code?: string },
  to: PaymentState,
): Promise<boolean> {
  const done = await sql.query(
    `update payments set state = $5, failure_code = coalesce($6, failure_code), updated_at = now()
     where user_id = $1 and order_id = $2 and provider = $3 and provider_ref = $4 and state = any($7)`,
    [user, order, payment.provider, payment.provider_ref, to, payment.failure_code ?? null, REACHED_FROM[to]],
  )
  return done.rowCount === 1
}

export async function selectPayments(sql: Sql, user: UserId, order: OrderId): Promise<Payment[]> {
  const found = await sql.query<Payment>(
    `select provider, provider_ref, state, failure_code from payments where user_id = $1 and order_id = $2
     order by created_at`,
    [user, order],
  )
  return found.rows
}

/** Of the payments `p` of one order: one was lost, and none has come in its place. */
const LACKING = `bool_or(p.state = 'lost')
  and not bool_or(p.state in ('authorised', 'captured', 'refund_due', 'refunded'))`

/** The orders of a buyer of whose payments one was lost, and none has come in its place. */
export async function selectLacking(sql: Sql, user: UserId): Promise<OrderId[]> {
  const found = await sql.query<{ order_id: OrderId }>(
    `select p.order_id from payments p where p.user_id = $1 group by p.order_id having ${LACKING}`,
    [user],
  )
  return found.rows.map(({ order_id }) => order_id)
}

export async function lacksMoney(sql: Sql, user: UserId, order: OrderId): Promise<boolean> {
  return (await selectLacking(sql, user)).includes(order)
}

/** A PAID order whose money the provider has not given us. */
export interface Unfunded extends Pick<Payment, 'provider' | 'provider_ref' | 'state'> {
  readonly order_id: OrderId
  readonly user_id: UserId
  readonly sale_id: string
  readonly item_id: string
  readonly amount: number
  readonly currency: string
  /** When the order became PAID. */
  readonly paid_at: Date
}

/** PAID for longer than `quietS` without a captured payment in the place of one that is lost or not captured yet. */
export async function selectUnfunded(sql: Sql, quietS: number, max: number): Promise<Unfunded[]> {
  const found = await sql.query<Unfunded>(
    `select p.provider, p.provider_ref, p.state, o.id as order_id, o.user_id, o.sale_id, o.item_id, p.amount,
            p.currency, o.paid_at
     from payments p join orders o on o.user_id = p.user_id and o.id = p.order_id
     where p.state in ('authorised', 'lost') and o.status = 'PAID'
       and o.paid_at < now() - make_interval(secs => $1::float8)
       and not exists (
         select 1 from payments other
         where other.user_id = p.user_id and other.order_id = p.order_id
           and other.state in ('captured', 'refund_due', 'refunded'))
     order by o.paid_at limit $2`,
    [quietS, max],
  )
  return found.rows
}

/** A payment that needs a look; `decided`: its order waits for no money any more. */
export interface Unfinished extends Payment {
  readonly user_id: UserId
  readonly order_id: OrderId
  readonly decided: boolean
}

interface TakeLimits {
  readonly quietS: number
  readonly pollS: number
  readonly max: number
}

/**
 * Payments that wait for us: the order is decided and a process died before its call to the provider, or the provider
 * did not answer; the order was paid and then cancelled as oversold; or the order is open and the provider may have told us something that got lost. Taking one touches
 * it, so nobody else takes it for `quietS` (decided) or `pollS` (open), and one that keeps failing goes to the back.
 */
export async function takeUnfinished(sql: Sql, limits: TakeLimits): Promise<Unfinished[]> {
  // Two questions, since each has an index of its own and they have none together.
  const unfinished = await take(sql, `p.state in ('started', 'failed', 'authorised', 'refund_due')`, limits)
  const oversold = await take(sql, `p.state = 'captured' and o.failure_reason = 'oversold'`, limits)
  return [...unfinished, ...oversold]
}

/** A PAID order whose money was lost waits for it as an open one does. */
const DECIDED = `p.state = 'refund_due' or o.status = 'FAILED' or (o.status = 'PAID' and not (
  p.state in ('started', 'failed') and (
    select ${LACKING.replaceAll('p.', 'other.')} from payments other
    where other.user_id = p.user_id and other.order_id = p.order_id)))`

async function take(sql: Sql, which: string, { quietS, pollS, max }: TakeLimits): Promise<Unfinished[]> {
  const taken = await sql.query<Unfinished>(
    `update payments set updated_at = now()
     from (
       select p.user_id, p.order_id, p.provider, p.provider_ref, decided
       from payments p join orders o on o.user_id = p.user_id and o.id = p.order_id
         cross join lateral (select ${DECIDED} as decided) as judged
       where ${which}
         and p.updated_at < now() - make_interval(secs => case when decided then $1::float8 else $2::float8 end)
       order by p.updated_at limit $3
       for update of p skip locked
     ) as waiting
     where payments.user_id = waiting.user_id and payments.order_id = waiting.order_id
       and payments.provider = waiting.provider and payments.provider_ref = waiting.provider_ref
     returning payments.user_id, payments.order_id, payments.provider, payments.provider_ref, payments.state,
               payments.failure_code, waiting.decided`,
    [quietS, pollS, max],
  )
  return taken.rows
}
