import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { OrderStatus } from '../../contracts/orders.ts'
import type { Shards } from '../../platform/postgres.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Order, Orders } from '../orders/orders.ts'
import type { PaymentProvider, ProviderEvent, ProviderName } from './provider.ts'
import { advance, insertEvent, insertPayment, type Payment, selectPayments, selectUnfinished } from './sql.ts'
import { nextStep, stateAfter } from './states.ts'

export type { PaymentProvider, ProviderEvent, ProviderName, WebhookReading } from './provider.ts'
export { ProviderRefused, ProviderUnavailable } from './provider.ts'

export type StartOutcome =
  | { readonly kind: 'started'; readonly browser: Record<string, string> }
  | { readonly kind: 'not_payable'; readonly status: OrderStatus }

/** What a provider event did: `duplicate` had its effect before, `early` has no order yet and must come again. */
export type EventOutcome = 'paid' | 'recorded' | 'duplicate' | 'early'

export interface Payments {
  /** Opens the payment of a PENDING order. Repeating it gives the same payment. */
  start(order: Order, provider: ProviderName): Promise<StartOutcome>
  provider(name: ProviderName): PaymentProvider | undefined
  /**
   * Takes a verified provider event in: its id, the compare-and-set PENDING->PAID and the payment's state in one
   * transaction on the buyer's shard; the calls to the provider follow after the commit.
   */
  receive(provider: ProviderName, event: ProviderEvent): Promise<EventOutcome>
  /**
   * Does at the provider what SQL has decided: captures for a PAID order, cancels or refunds for a FAILED one. Safe to
   * repeat, at any time, by anybody.
   */
  finish(user: UserId, order: OrderId): Promise<void>
  /** Finishes what a crash or an outage left half done; at most `max` per shard. Returns how many it tried. */
  repair(max: number): Promise<number>
}

/** How long a payment rests before `repair` takes it for abandoned. */
const QUIET_S = 2

export interface PaymentParts {
  readonly shards: Shards
  readonly orders: Orders
  readonly providers: readonly PaymentProvider[]
  /** Turns the hold of a paid order into a sale. A failure is repaired by the cleanup worker. */
  readonly settle: (order: Order) => Promise<unknown>
  readonly log: Log
}

export function createPayments({ shards, orders, providers, settle, log }: PaymentParts): Payments {
  const byName = new Map(providers.map((provider) => [provider.name, provider]))

  const act = async (order: Order, payment: Payment): Promise<void> => {
    const provider = byName.get(payment.provider)
    if (provider === undefined) throw new Error(`no adapter for ${payment.provider}`)
    const { user_id, order_id } = order
    const ref = payment.provider_ref
    const moveTo = (state: Payment['state']) => advance(shards.of(user_id), user_id, order_id, payment, state)
    switch (nextStep(order.status, payment.state)) {
      case 'none':
        return
      case 'capture': {
        const result = await provider.capture(ref, order_id)
        if (result.kind === 'captured') await moveTo('captured')
        else log.error({ order_id, provider_ref: ref, code: result.code }, 'a paid order can not be captured')
        return
      }
      case 'cancel': {
        const result = await provider.cancel(ref, order_id)
        if (result.kind === 'cancelled') {
          await moveTo('cancelled')
          return
        }
        await moveTo('refund_due')
        return act(order, { ...payment, state: 'refund_due' })
      }
      case 'refund': {
        await provider.refund(ref, order_id, order.failure_reason ?? 'paid twice')
        await moveTo('refunded')
        return
      }
    }
  }

  const finish = async (user: UserId, id: OrderId): Promise<void> => {
    const order = await orders.find(user, id)
    if (order === undefined || order.status === 'PENDING') return
    if (order.status === 'PAID')
      await settle(order).catch((error: unknown) =>
        log.warn({ err: error, order_id: id }, 'settle failed; the cleanup worker will do it'),
      )
    for (const payment of await selectPayments(shards.of(user), user, id)) await act(order, payment)
  }

  return {
    provider: (name) => byName.get(name),
    start: async (order, name) => {
      const provider = byName.get(name)
      if (provider === undefined) throw new Error(`no adapter for ${name}`)
      if (order.status !== 'PENDING') return { kind: 'not_payable', status: order.status }
      const { payment, browser } = await provider.start({
        order_id: order.order_id,
        user_id: order.user_id,
        amount: order.amount,
        currency: order.currency,
        description: `${order.quantity} x ${order.item_id}`,
      })
      // If the order fails right now, `repair` finds this row and cancels the payment.
      await insertPayment(shards.of(order.user_id), order.user_id, name, payment)
      return { kind: 'started', browser }
    },

    receive: async (name, { event_id, type, payment }) => {
      const { user_id, order_id } = payment
      const outcome = await shards
        .of(user_id)
        .transaction(async (sql): Promise<EventOutcome> => {
          if (!(await insertEvent(sql, user_id, name, event_id))) return 'duplicate'
          await insertPayment(sql, user_id, name, payment)
          const won =
            (type === 'authorised' || type === 'captured') && (await orders.pay(sql, user_id, order_id))
          const order = await orders.find(user_id, order_id, sql)
          if (order === undefined) throw new EarlyEvent()
          const known = await selectPayments(sql, user_id, order_id)
          const before = known.find(({ provider_ref }) => provider_ref === payment.provider_ref)?.state
          const rival = order.status === 'PAID' && !won && (before === 'started' || before === 'failed')
          const target = stateAfter(type, order.status, rival)
          await advance(sql, user_id, order_id, { provider: name, ...payment }, target)
          return won ? 'paid' : 'recorded'
        })
        .catch((error: unknown) => {
          if (error instanceof EarlyEvent) return 'early' as const
          throw error
        })
      if (outcome === 'paid' || outcome === 'recorded')
        await finish(user_id, order_id).catch((error: unknown) =>
          log.warn({ err: error, order_id }, 'the provider did not answer; the cleanup worker will finish'),
        )
      return outcome
    },

    finish,
    repair: async (max) => {
      let tried = 0
      for (const shard of shards.all)
        for (const { user_id, order_id } of await selectUnfinished(shard, QUIET_S, max)) {
          tried += 1
          await finish(user_id, order_id).catch((error: unknown) =>
            log.warn({ err: error, order_id }, 'repairing a payment failed; it will be tried again'),
          )
        }
      return tried
    },
  }
}

/** Rolls the transaction back: the provider sends the event again, and by then the order is written. */
class EarlyEvent extends Error {}
