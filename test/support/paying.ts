import { expect } from 'bun:test'
import {
  createPayments,
  type PaymentProvider,
  type Payments,
  type ProviderEvent,
} from '../../src/flow/payments/payments.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { type Claim, type Flow, PRICE } from './flow.ts'
import { idOf } from './stripe.ts'

export type Paying = ReturnType<typeof paying>
export interface Started extends Claim {
  /** What the buyer's browser pays with. */
  readonly secret: string
  /** The payment at the provider. */
  readonly ref: string
}

/** Where providers send buyers back to. */
export const PAGE = 'http://shop.localhost/checkout/sale?order=1'

let events = 0

/** Paying for orders of an item, from both sides, step by step. */
export function paying(flow: Flow, item: string) {
  const { app, stripe, provider, paypal, paypalProvider } = flow
  const starting = async (claimed: Claim): Promise<Started> => {
    const outcome = await app.payments.start(await flow.row(claimed), 'stripe', PAGE)
    if (outcome.kind !== 'started') throw new Error(outcome.kind)
    const secret = outcome.browser['client_secret'] ?? ''
    return { ...claimed, secret, ref: idOf(secret) }
  }
  const started = async () => starting(await flow.pending(item))
  /** An event about a payment as the provider sees it now. */
  const eventOf = async (
    ref: string,
    type: ProviderEvent['type'],
    event_id = `evt_${++events}`,
  ): Promise<ProviderEvent> => {
    const payment = await provider.find(ref)
    if (payment === undefined) throw new Error(`no payment ${ref}`)
    return { event_id, type, payment, occurred_at: systemClock.now() }
  }
  return {
    starting,
    started,
    eventOf,
    /** A payment with PayPal; `secret` is the page where its buyer agrees. */
    withPaypal: async (claimed: Claim): Promise<Started> => {
      const outcome = await app.payments.start(await flow.row(claimed), 'paypal', PAGE)
      if (outcome.kind !== 'started') throw new Error(outcome.kind)
      const secret = outcome.browser['approve_url'] ?? ''
      return { ...claimed, secret, ref: new URL(secret).searchParams.get('token') ?? '' }
    },
    /** An event of PayPal's about a payment, as it is read when it comes. */
    paypalEvent: async (ref: string, type: ProviderEvent['type'], event_id = `WH-${++events}`) => {
      const payment = await paypalProvider.find(ref)
      if (payment === undefined) throw new Error(`no payment ${ref}`)
      return { event_id, type, payment, occurred_at: systemClock.now() } satisfies ProviderEvent
    },
    /** Payments with a provider some of whose calls are others. */
    paymentsWith: (
      change: Partial<PaymentProvider>,
      paypalLike: PaymentProvider = paypalProvider,
    ): Payments =>
      createPayments({
        shards: app.shards,
        orders: app.orders,
        providers: [{ ...provider, ...change }, paypalLike],
        settle: (order) => app.inventory.settle(order.item_id, order.order_id),
        log: app.log,
      }),
    /** A payment whose card has been accepted. */
    authorised: async () => {
      const payment = await started()
      const answer = await stripe.confirm(payment.secret, { payment_method: 'pm_card_visa' })
      if (answer.status !== 200) throw new Error(`confirm is ${answer.status}`)
      return payment
    },
    receive: async (ref: string, type: ProviderEvent['type'], by = app.payments) =>
      by.receive('stripe', await eventOf(ref, type)),
    stateOf: async ({ user_id, order_id, ref }: Started) => {
      const found = await app.shards
        .of(user_id)
        .query<{ state: string }>('select state from payments where order_id = $1 and provider_ref = $2', [
          order_id,
          ref,
        ])
      return found.rows[0]?.state
    },
    /** Repairs as if everything had rested long enough. */
    repaired: async (by = app.payments) => {
      await flow.rest()
      return by.repair(500)
    },
    /** Another payment of the same order, as a second provider would open it. */
    rivalOf: async ({ user_id, order_id }: Pick<Claim, 'user_id' | 'order_id'>, amount = PRICE) => {
      const made = await stripe.api('POST', '/v1/payment_intents', {
        amount: String(amount),
        currency: 'eur',
        capture_method: 'manual',
        'allowed_payment_method_types[]': 'card',
        'metadata[order_id]': order_id,
        'metadata[user_id]': user_id,
      })
      const secret = made.body['client_secret'] as unknown as string
      return { user_id, order_id, item_id: item, secret, ref: idOf(secret) }
    },
    /**
     * Holds the provider's ledger to the order: captured minus refunded is the price exactly when it is PAID, one
     * payment kept at most, none captured or refunded twice. Answers the order's status.
     */
    expectLedger: async (claimed: Claim) => {
      const { status, amount } = await flow.row(claimed)
      const entries = [...stripe.entry(claimed.order_id), ...paypal.entry(claimed.order_id)]
      const sum = (name: 'captured' | 'refunded') => entries.reduce((all, entry) => all + entry[name], 0)
      const kept = entries.filter((entry) => entry.captured > entry.refunded)
      expect(sum('captured') - sum('refunded')).toBe(status === 'PAID' ? amount : 0)
      expect(kept).toHaveLength(status === 'PAID' ? 1 : 0)
      for (const { captures, refunds } of entries) {
        expect(captures).toBeLessThanOrEqual(1)
        expect(refunds).toBeLessThanOrEqual(captures)
      }
      return status
    },
  }
}
