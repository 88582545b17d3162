import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Sql } from '../../platform/postgres.ts'
import type { ProviderName, ProviderPayment } from './provider.ts'
import { type PaymentState, REACHED_FROM } from './states.ts'

export interface Payment {
  readonly provider: ProviderName
  readonly provider_ref: string
  readonly state: PaymentState
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

export async function insertPayment(
  sql: Sql,
  user: UserId,
  provider: ProviderName,
  payment: ProviderPayment,
): Promise<void> {
  await sql.query(
    `insert into payments (user_id, order_id, provider, provider_ref, amount, currency, state)
     values ($1, $2, $3, $4, $5, $6, 'started')
     on conflict do nothing`,
    [user, payment.order_id, provider, payment.provider_ref, payment.amount, payment.currency],
  )
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
  const found = await sql.query<{ provider: ProviderName; provider_ref: string; state: PaymentState }>(
    `select provider, provider_ref, state from payments where user_id = $1 and order_id = $2
     order by created_at`,
    [user, order],
  )
  return found.rows
}

/**
 * Orders whose decision is taken while a payment still waits for its call to the provider: a process died between the
 * commit and the call, or the provider did not answer. Untouched for `quiet_s`, so as not to race the request
 * that is finishing it right now.
 */
export async function selectUnfinished(
  sql: Sql,
  quietS: number,
  max: number,
): Promise<{ user_id: UserId; order_id: OrderId }[]> {
  const found = await sql.query<{ user_id: UserId; order_id: OrderId }>(
    `select p.user_id, p.order_id
     from payments p join orders o on o.user_id = p.user_id and o.id = p.order_id
     where p.state in ('started', 'failed', 'authorised', 'refund_due')
       and p.updated_at < now() - make_interval(secs => $1)
       and (o.status <> 'PENDING' or p.state = 'refund_due')
     order by p.updated_at limit $2`,
    [quietS, max],
  )
  return found.rows
}
