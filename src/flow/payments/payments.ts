import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { OrderStatus } from '../../contracts/orders.ts'
import { forEachAtMost } from '../../platform/parallel.ts'
import type { Shards, Sql } from '../../platform/postgres.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Order, Orders } from '../orders/orders.ts'
import { createClosing } from './closing.ts'
import type { PaymentProvider, ProviderEvent, ProviderName } from './provider.ts'
import * as sqlStore from './sql.ts'
import { REACHED_FROM, stateAfter } from './states.ts'

export type { PaymentProvider, ProviderEvent, ProviderName, WebhookReading } from './provider.ts'
export { ProviderRefused, ProviderUnavailable } from './provider.ts'

export type StartOutcome =
  | { readonly kind: 'started'; readonly browser: Record<string, string> }
  | { readonly kind: 'not_payable'; readonly status: OrderStatus }

/**
 * What a provider event did: `duplicate` had its effect before, `early` has no order yet and must come again, `foreign`
 * is about no order of ours.
 */
export type EventOutcome = 'paid' | 'recorded' | 'duplicate' | 'early' | 'foreign'

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
  /**
   * Finishes what a crash or an outage left half done, and asks the provider about payments it has not told us of;
   * at most `max` per shard. Returns how many it tried.
   */
  repair(max: number): Promise<number>
}

/** How long a payment of a decided order rests before `repair` takes it for abandoned. */
const QUIET_S = 2
/** How long one of an open order rests before `repair` asks the provider itself: a webhook may be lost. */
const POLL_S = 10
/** Calls to providers under way at once. */
const AT_ONCE = 8
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The statements on one shard. A model in memory stands in for them in the simulation. */
export type PaymentStore = typeof sqlStore

export interface PaymentParts {
  readonly store?: PaymentStore
  readonly shards: Shards
  readonly orders: Orders
  readonly providers: readonly PaymentProvider[]
  /** Turns the hold of a paid order into a sale. A failure is repaired by the cleanup worker. */
  readonly settle: (order: Order) => Promise<unknown>
  /** What gift cards pay of an order, in minor units; the provider pays the rest. Left out: nothing. */
  readonly giftPart?: (sql: Sql, user: UserId, order: OrderId) => Promise<number>
  readonly log: Log
}

export function createPayments(parts: PaymentParts): Payments {
  const { shards, store = sqlStore, orders, providers, settle, log } = parts
  const leftToPay = async (sql: Sql, { user_id, order_id, amount }: Order) =>
    amount - ((await parts.giftPart?.(sql, user_id, order_id)) ?? 0)
  const byName = new Map(providers.map((provider) => [provider.name, provider]))
  const finish = createClosing({ shards, store, orders, providers: byName, settle, log })

  /** Takes in what a provider says of a payment, in one transaction on the buyer's shard. */
  const record = async (
    provider: ProviderName,
    { type, payment, event_id }: Omit<ProviderEvent, 'event_id' | 'occurred_at'> & { event_id?: string },
  ): Promise<EventOutcome> => {
    const { user_id, order_id } = payment
    if (!UUID.test(order_id)) return 'foreign'
    return shards
      .of(user_id)
      .transaction(async (sql): Promise<EventOutcome> => {
        if (event_id !== undefined && !(await store.insertEvent(sql, user_id, provider, event_id)))
          return 'duplicate'
        const before = await store.lockPayment(sql, user_id, provider, payment)
        // Locked, so that what gift cards pay of it stays what it is until the order is decided.
        const order = await orders.lock(sql, user_id, order_id)
        if (order === undefined) throw new EarlyEvent()
        const due = await leftToPay(sql, order)
        // A payment that is over, or of another amount, pays nothing, whatever a late event says.
        const pays =
          (type === 'authorised' || type === 'captured') &&
          REACHED_FROM[type].includes(before) &&
          payment.amount === due &&
          payment.currency === order.currency &&
          (type === 'authorised' || payment.amount_received === due)
        const won = pays && (await orders.pay(sql, user_id, order_id))
        const winner = won || (order.status === 'PAID' && (before === 'authorised' || before === 'captured'))
        await store.advance(sql, user_id, order_id, { provider, ...payment }, stateAfter(type, winner))
        return won ? 'paid' : 'recorded'
      })
      .catch((error: unknown) => {
        if (error instanceof EarlyEvent) return 'early' as const
        throw error
      })
  }

  /** The answer of a provider to a question that no webhook has answered. */
  const poll = async ({ provider: name, provider_ref }: sqlStore.Unfinished): Promise<EventOutcome> => {
    const payment = await byName.get(name)?.find(provider_ref)
    const { state } = payment ?? {}
    if (payment === undefined) return 'recorded'
    if (state !== 'authorised' && state !== 'captured' && state !== 'cancelled') return 'recorded'
    return record(name, { type: state, payment })
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
        amount: await leftToPay(shards.of(order.user_id), order),
        currency: order.currency,
        description: `${order.quantity} x ${order.item_id}`,
      })
      // If the order fails right now, `repair` finds this row and cancels the payment.
      await store.lockPayment(shards.of(order.user_id), order.user_id, name, payment)
      return { kind: 'started', browser }
    },

    receive: async (name, event) => {
      const outcome = await record(name, event)
      const { user_id, order_id } = event.payment
      if (outcome === 'paid' || outcome === 'recorded')
        await finish(user_id, order_id).catch((error: unknown) =>
          log.warn({ err: error, order_id }, 'the provider did not answer; the cleanup worker will finish'),
        )
      return outcome
    },

    finish,
    repair: async (max) => {
      const found = await Promise.all(
        shards.all.map((shard) =>
          store.takeUnfinished(shard, { quietS: QUIET_S, pollS: POLL_S, max }).catch((error: unknown) => {
            log.warn({ err: error }, 'a shard does not tell its unfinished payments')
            return []
          }),
        ),
      )
      const unfinished = found.flat()
      await forEachAtMost(AT_ONCE, unfinished, async (payment) => {
        const { user_id, order_id, decided } = payment
        try {
          if (decided || (await poll(payment)) === 'paid') await finish(user_id, order_id)
        } catch (error) {
          log.warn({ err: error, order_id }, 'repairing a payment failed; it will be tried again')
        }
      })
      return unfinished.length
    },
  }
}

/** Rolls the transaction back: the provider sends the event again, and by then the order is written. */
class EarlyEvent extends Error {}
