import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { OrderStatus } from '../../contracts/orders.ts'
import { forEachAtMost } from '../../platform/parallel.ts'
import { everywhere, type Shards, type Sql } from '../../platform/postgres.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Order, Orders } from '../orders/orders.ts'
import { createClosing } from './closing.ts'
import type { PaymentProvider, ProviderEvent, ProviderName, ProviderState } from './provider.ts'
import { ProviderUnavailable } from './provider.ts'
import * as sqlStore from './sql.ts'
import { createRecording } from './recording.ts'
import { isOver, type PaymentState } from './states.ts'

export type { PaymentProvider, ProviderEvent, ProviderName, WebhookReading } from './provider.ts'
export { ProviderRefused, ProviderUnavailable } from './provider.ts'
export * from './overview-sql.ts'

export type StartOutcome =
  | { readonly kind: 'started'; readonly browser: Record<string, string> }
  | { readonly kind: 'not_payable'; readonly status: OrderStatus }
  /** The shop does not take this provider. */
  | { readonly kind: 'not_offered' }
  /** The order is of a rehearsal, and this provider takes real money. */
  | { readonly kind: 'rehearsal_only' }

/** How an order stands, and its last payment with one provider; `failure_code` in the provider's words. */
export interface CheckOutcome {
  readonly status: OrderStatus
  readonly payment: 'none' | 'waiting' | 'declined' | 'accepted' | 'returned'
  readonly failure_code: string | undefined
}

export type UnfundedOrder = Omit<sqlStore.Unfunded, 'paid_at'> & { readonly paid_at: number }

/**
 * What a provider event did: `duplicate` had its effect before, `early` has no order yet and must come again, `foreign`
 * is about no order of ours.
 */
export type EventOutcome = 'paid' | 'recorded' | 'duplicate' | 'early' | 'foreign'

export interface Payments {
  /** The providers the shop takes. */
  readonly names: readonly ProviderName[]
  /**
   * Opens the payment of a PENDING order, or of a PAID one whose money was lost. Repeating it gives the same payment, or
   * a new one where the last is over. `returnUrl`: where the provider's page sends the buyer back to.
   */
  start(order: Order, provider: ProviderName, returnUrl: string): Promise<StartOutcome>
  /** Asks the provider now how the last payment stands, for a buyer who is back, and does what follows from it. */
  check(order: Order, provider: ProviderName): Promise<CheckOutcome>
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
  /** The buyer's PAID orders whose money was lost: they may be paid again. */
  owing(user: UserId): Promise<ReadonlySet<OrderId>>
  /** PAID orders whose money has not come, the oldest `max` of each shard: for an operator, and a number to watch. */
  unfunded(max: number): Promise<UnfundedOrder[]>
}

/** How long a payment of a decided order rests before `repair` takes it for abandoned. */
const QUIET_S = 2
/** How long one of an open order rests before `repair` asks the provider itself: a webhook may be lost. */
const POLL_S = 10
/** Calls to providers under way at once. */
const AT_ONCE = 8
/** How long a PAID order may wait for its money before an operator is told. */
const UNFUNDED_AFTER_S = 60

/** Nothing the buyer could do would change these. */
const MOVED_ON: ReadonlySet<ProviderState> = new Set(['approved', 'authorised', 'captured', 'cancelled'])

const SEEN_BY_BUYER: Readonly<Record<PaymentState, CheckOutcome['payment']>> = {
  started: 'waiting',
  failed: 'declined',
  cancelled: 'declined',
  lost: 'declined',
  authorised: 'accepted',
  captured: 'accepted',
  refund_due: 'returned',
  refunded: 'returned',
}

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
  /** Whether money may be taken for the order in this way. Left out: always. */
  readonly mayCharge?: (order: Order, provider: ProviderName) => Promise<boolean>
  readonly log: Log
}

export function createPayments(parts: PaymentParts): Payments {
  const { shards, store = sqlStore, orders, providers, settle, log } = parts
  const leftToPay = async (sql: Sql, { user_id, order_id, amount }: Order) =>
    amount - ((await parts.giftPart?.(sql, user_id, order_id)) ?? 0)
  const byName = new Map(providers.map((provider) => [provider.name, provider]))
  const finish = createClosing({ shards, store, orders, providers: byName, settle, log })

  const { record, authorise, follow, ask, isPayable } = createRecording({
    shards,
    store,
    orders,
    providers: byName,
    leftToPay,
  })
  const finishOrLater = (user: UserId, order: OrderId) =>
    finish(user, order).catch((error: unknown) =>
      log.warn(
        { err: error, order_id: order },
        'the provider did not answer; the cleanup worker will finish',
      ),
    )

  return {
    provider: (name) => byName.get(name),
    names: [...byName.keys()],
    start: async (order, name, return_url) => {
      const provider = byName.get(name)
      if (provider === undefined) return { kind: 'not_offered' }
      if ((await parts.mayCharge?.(order, name)) === false) return { kind: 'rehearsal_only' }
      if (!(await isPayable(order))) return { kind: 'not_payable', status: order.status }
      const { user_id, order_id, currency } = order
      const sql = shards.of(user_id)
      const earlier = await store.selectPayments(sql, user_id, order_id)
      const { payment, browser } = await provider.start({
        ...{ order_id, user_id, currency, return_url },
        amount: await leftToPay(sql, order),
        description: `${order.quantity} x ${order.item_id}`,
        attempt: earlier.filter((one) => one.provider === name && isOver(one.state)).length,
      })
      // If the order fails right now, `repair` finds this row and cancels the payment.
      await store.lockPayment(sql, user_id, name, payment)
      if (!MOVED_ON.has(payment.state)) return { kind: 'started', browser }
      // Its news have not come to us yet: they may have paid the order, or make room for another attempt.
      await follow(name, payment)
      await finishOrLater(user_id, order_id)
      const now = (await orders.find(user_id, order_id)) ?? order
      if (!(await isPayable(now))) return { kind: 'not_payable', status: now.status }
      throw new ProviderUnavailable(name, `the payment of ${order_id} has just ended; another may be started`)
    },

    check: async ({ user_id, order_id }, name) => {
      const read = async () =>
        (await store.selectPayments(shards.of(user_id), user_id, order_id)).findLast(
          ({ provider }) => provider === name,
        )
      const before = await read()
      if (before?.state === 'started' || before?.state === 'failed') {
        await ask(name, before.provider_ref)
        await finishOrLater(user_id, order_id)
      }
      const [order, payment] = [await orders.find(user_id, order_id), await read()]
      return {
        status: order?.status ?? 'PENDING',
        payment: payment === undefined ? 'none' : SEEN_BY_BUYER[payment.state],
        failure_code: payment?.failure_code ?? undefined,
      }
    },

    receive: async (name, event) => {
      const { type, payment, event_id } = event
      const outcome =
        type === 'approved'
          ? await authorise(name, payment, event_id)
          : await record(name, { type, payment, event_id })
      if (outcome === 'paid' || outcome === 'recorded') await finishOrLater(payment.user_id, payment.order_id)
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
        const { user_id, order_id, provider, provider_ref, decided } = payment
        try {
          if (!decided) await ask(provider, provider_ref)
          await finish(user_id, order_id)
        } catch (error) {
          log.warn({ err: error, order_id }, 'repairing a payment failed; it will be tried again')
        }
      })
      return unfinished.length
    },

    owing: async (user) => {
      const sql = shards.of(user)
      const lacking = await store.selectLacking(sql, user)
      const found = await Promise.all(lacking.map((id) => orders.find(user, id)))
      return new Set(found.flatMap((order) => (order?.status === 'PAID' ? [order.order_id] : [])))
    },

    unfunded: async (max) => {
      const found = await everywhere(shards, ({ sql }) => store.selectUnfunded(sql, UNFUNDED_AFTER_S, max))
      return found.flat().map(({ paid_at, ...payment }) => ({ ...payment, paid_at: paid_at.getTime() }))
    },
  }
}
