import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { startPaypalSandbox } from '../../../test/support/paypal.ts'
import { idOf, startReceiver, startStripeSandbox, eventually } from '../../../test/support/stripe.ts'
import { noFaults } from '../../sandbox/faults.ts'
import type { LedgerEntry } from '../../sandbox/ledger.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'
import type { PaymentProvider, ProviderEvent, StartPayment } from './provider.ts'

// What the payment step may rely on, whichever provider it talks to: the same cases against both adapters, each against
// the sandbox that speaks its wire API.

interface Side {
  readonly name: string
  readonly provider: PaymentProvider
  /** Gives up early, so that a lost answer shows. */
  readonly impatient: PaymentProvider
  /** What the buyer does with what `start` gave the browser. */
  accept(browser: Record<string, string>): Promise<unknown>
  refuse(browser: Record<string, string>): Promise<unknown>
  /** Which requests of the sandbox a step makes, as faults name them. */
  readonly operations: Readonly<Record<'start' | 'find' | 'capture' | 'cancel' | 'refund', string>>
  faults(faults: Record<string, unknown>): Promise<number>
  entry(orderId: string): LedgerEntry[]
  /** Takes the authorisation away at the provider, as somebody may by hand. */
  lapse(ref: string): Promise<unknown>
  readonly received: { raw: string; headers: Headers }[]
  readonly declined: string
}

const open: AsyncDisposable[] = []
const receivers = { stripe: startReceiver(), paypal: startReceiver() }
const stripe = await startStripeSandbox({ webhookUrl: receivers.stripe.url })
const paypal = await startPaypalSandbox({ webhookUrl: receivers.paypal.url })
open.push(stripe, paypal, receivers.stripe, receivers.paypal)
afterAll(async () => {
  for (const one of open) await one[Symbol.asyncDispose]()
})

const sides: Side[] = [
  {
    name: 'Stripe',
    provider: stripe.provider({ maxNetworkRetries: 0 }),
    impatient: stripe.provider({ maxNetworkRetries: 0, timeoutMs: 150 }),
    accept: (browser) => stripe.confirm(browser['client_secret'] ?? '', { payment_method: 'pm_card_visa' }),
    refuse: (browser) =>
      stripe.confirm(browser['client_secret'] ?? '', {
        payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds',
      }),
    operations: { start: 'create', find: 'retrieve', capture: 'capture', cancel: 'cancel', refund: 'refund' },
    faults: (faults) => stripe.faults(faults),
    entry: (orderId) => stripe.entry(orderId),
    lapse: (ref) => stripe.api('POST', `/v1/payment_intents/${ref}/cancel`),
    received: receivers.stripe.received,
    declined: 'insufficient_funds',
  },
  {
    name: 'PayPal',
    provider: paypal.provider(),
    impatient: paypal.provider({ timeoutMs: 150 }),
    accept: ({ approve_url = '' }) => paypal.answer(approve_url, 'approve'),
    refuse: ({ approve_url = '' }) => paypal.answer(approve_url, 'approve', 'declined_card'),
    operations: { start: 'create', find: 'retrieve', capture: 'capture', cancel: 'void', refund: 'refund' },
    faults: (faults) => paypal.faults(faults),
    entry: (orderId) => paypal.entry(orderId),
    lapse: async (ref) => {
      const { body } = await paypal.api('GET', `/v2/checkout/orders/${ref}`)
      const id = body['purchase_units']?.['0']?.['payments']?.['authorizations']?.['0']?.['id']
      return paypal.api('POST', `/v2/payments/authorizations/${id as unknown as string}/void`, {})
    },
    received: receivers.paypal.received,
    declined: 'INSTRUMENT_DECLINED',
  },
]

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

let orders = 0
describe.each(sides.map((side) => [side.name, side] as const))('%s', (_name, side) => {
  const { provider, impatient } = side
  const PRICE = 1999
  const asked = (change: Partial<StartPayment> = {}): StartPayment => ({
    order_id: `order-${++orders}`,
    user_id: 'user 1',
    amount: PRICE,
    currency: 'EUR',
    description: 'One television',
    attempt: 0,
    return_url: 'http://shop.localhost/checkout/sale?order=1',
    ...change,
  })
  const started = async (change: Partial<StartPayment> = {}) => {
    const order = asked(change)
    const { payment, browser } = await provider.start(order)
    return { id: order.order_id, ref: payment.provider_ref, order, browser, payment }
  }
  const authorised = async () => {
    const payment = await started()
    await side.accept(payment.browser)
    expect((await provider.authorise(payment.ref, payment.id)).kind).toBe('authorised')
    return payment
  }
  const captured = async () => {
    const payment = await authorised()
    expect((await provider.capture(payment.ref, payment.id)).kind).toBe('captured')
    return payment
  }
  /** The provider's webhook of this type about that payment, as the adapter reads it. */
  const webhook = async (ref: string, type: ProviderEvent['type']): Promise<ProviderEvent> => {
    let found: ProviderEvent | undefined
    await eventually(async () => {
      for (const { raw, headers } of side.received.filter((one) => one.raw.includes(ref))) {
        const reading = await provider.readWebhook(raw, headers)
        if (reading.kind === 'event' && reading.event.type === type) found = reading.event
      }
      return found !== undefined
    })
    if (found === undefined) throw new Error(`no ${type}`)
    return found
  }
  beforeEach(() => side.faults(noFaults))

  test('start gives the same payment again, another for another attempt or amount', async () => {
    const { ref, order, payment } = await started()
    expect(payment).toMatchObject({
      order_id: order.order_id,
      user_id: 'user 1',
      state: 'requires_payment',
      ...{ amount: PRICE, currency: 'EUR', amount_received: 0, amount_refunded: 0 },
    })
    expect((await provider.start(order)).payment.provider_ref).toBe(ref)
    for (const change of [{ attempt: 1 }, { amount: 500 }])
      expect((await provider.start({ ...order, ...change })).payment.provider_ref).not.toBe(ref)
  })

  test('start whose answer is lost has opened one payment', async () => {
    const order = asked()
    await side.faults({ lose_next: 1, on: side.operations.start })
    expect(await failure(impatient.start(order))).toBeInstanceOf(ProviderUnavailable)
    await provider.start(order)
    expect(side.entry(order.order_id)).toHaveLength(1)
  })

  test('nothing is authorised before the buyer agrees', async () => {
    const { ref, id } = await started()
    expect((await provider.authorise(ref, id)).kind).toBe('waiting')
    expect((await provider.capture(ref, id)).kind).toBe('not_capturable')
    expect(side.entry(id)).toMatchObject([{ authorisations: 0, captures: 0 }])
  })

  test('authorised once, however often it is asked for', async () => {
    const { ref, id } = await started()
    const { browser } = await provider.start({ ...asked(), order_id: id })
    await side.accept(browser)
    const all = await Promise.all([1, 2, 3, 4].map(() => provider.authorise(ref, id)))
    for (const result of all)
      expect(result).toMatchObject({ kind: 'authorised', payment: { state: 'authorised', amount: PRICE } })
    expect(side.entry(id)).toMatchObject([{ authorisations: 1, authorised: PRICE, captured: 0 }])
  })

  test('a decline moves nothing and says why; the next attempt can be paid', async () => {
    const { ref, id, order, browser } = await started()
    await side.refuse(browser)
    const result = await provider.authorise(ref, id)
    expect(result.payment.failure_code).toBe(side.declined)
    expect(side.entry(id)).toMatchObject([{ authorisations: 0 }])
    // Stripe's payment takes another card, PayPal's is over: both take another attempt.
    const again = await provider.start({ ...order, attempt: 1 })
    await side.accept(again.browser)
    const second = await provider.authorise(again.payment.provider_ref, id)
    expect(second.kind).toBe('authorised')
  })

  test('captured at most once, whatever becomes of the answers', async () => {
    const { ref, id } = await authorised()
    await side.faults({ lose_next: 1, on: side.operations.capture })
    expect(await failure(impatient.capture(ref, id))).toBeInstanceOf(ProviderUnavailable)
    const all = await Promise.all([provider.capture(ref, id), provider.capture(ref, id)])
    for (const result of all)
      expect(result).toMatchObject({ kind: 'captured', payment: { amount_received: PRICE } })
    expect(side.entry(id)).toMatchObject([{ captures: 1, captured: PRICE }])
  })

  test.each(['start', 'find', 'capture', 'cancel', 'refund'] as const)(
    'a server error at %s is unavailable, changes nothing, and the same call works the next time',
    async (step) => {
      const order = asked()
      const { ref, id } = step === 'refund' ? await captured() : await authorised()
      const call = {
        start: () => provider.start(order),
        find: () => provider.find(ref),
        capture: () => provider.capture(ref, id),
        cancel: () => provider.cancel(ref, id),
        refund: () => provider.refund(ref, id, 'late'),
      }[step]
      await side.faults({ fail_next: 1, on: side.operations[step] })
      const before = side.entry(id)
      const error = await failure(call())
      expect(error).toBeInstanceOf(ProviderUnavailable)
      expect((error as ProviderUnavailable).retryable).toBe(true)
      expect(side.entry(id)).toEqual(before)
      await call()
    },
  )

  test('cancelled twice is cancelled, and nothing can be captured any more', async () => {
    const { ref, id } = await authorised()
    await side.faults({ lose_next: 1, on: side.operations.cancel })
    expect(await failure(impatient.cancel(ref, id))).toBeInstanceOf(ProviderUnavailable)
    expect(await provider.cancel(ref, id)).toMatchObject({
      kind: 'cancelled',
      payment: { state: 'cancelled' },
    })
    expect((await provider.cancel(ref, id)).kind).toBe('cancelled')
    expect(await provider.capture(ref, id)).toMatchObject({
      kind: 'not_capturable',
      payment: { state: 'cancelled' },
    })
    expect(side.entry(id)).toMatchObject([{ captures: 0, released: PRICE }])
  })

  test('what nobody has agreed to is cancelled too', async () => {
    const { ref, id } = await started()
    expect((await provider.cancel(ref, id)).kind).toBe('cancelled')
    expect(side.entry(id)).toMatchObject([{ authorised: 0, captured: 0 }])
  })

  test('captured can not be cancelled, only refunded, once', async () => {
    const { ref, id } = await captured()
    expect((await provider.cancel(ref, id)).kind).toBe('already_captured')
    await side.faults({ lose_next: 1, on: side.operations.refund })
    expect(await failure(impatient.refund(ref, id, 'oversold'))).toBeInstanceOf(ProviderUnavailable)
    const all = await Promise.all([provider.refund(ref, id, 'oversold'), provider.refund(ref, id, 'late')])
    for (const result of all)
      expect(result).toMatchObject({ kind: 'refunded', payment: { amount_refunded: PRICE } })
    expect(side.entry(id)).toMatchObject([{ captured: PRICE, refunded: PRICE, refunds: 1 }])
  })

  test('nothing captured is nothing to refund', async () => {
    const { ref, id } = await authorised()
    expect((await provider.refund(ref, id, 'late')).kind).toBe('nothing_captured')
    expect(side.entry(id)).toMatchObject([{ refunds: 0 }])
  })

  test('an authorisation taken away at the provider is not capturable, and says so', async () => {
    const { ref, id } = await authorised()
    await side.lapse(ref)
    expect(await provider.capture(ref, id)).toMatchObject({
      kind: 'not_capturable',
      payment: { state: 'cancelled' },
    })
  })

  test('an unknown payment is not found, and nothing is taken for it', async () => {
    const unknown = side.name === 'Stripe' ? idOf('pi_nobody_secret_x') : 'NOBODY0000000000X'
    expect(await provider.find(unknown)).toBeUndefined()
    for (const call of [
      () => provider.capture(unknown, 'order-x'),
      () => provider.refund(unknown, 'order-x', 'late'),
      () => provider.authorise(unknown, 'order-x'),
    ])
      expect(await failure(call())).toBeInstanceOf(ProviderRefused)
  })

  test.each([
    ['a currency that is none', { currency: 'XX1' }],
    ['no amount', { amount: 0 }],
    ['a negative amount', { amount: -5 }],
  ])('%s is refused', async (_what, change) => {
    expect(await failure(provider.start(asked(change)))).toBeInstanceOf(ProviderRefused)
  })

  test.each([
    ['JPY', 1999],
    ['EUR', 100],
    ['USD', 12_345_678],
  ])('amounts in %s come back as they went', async (currency, amount) => {
    const { payment, id } = await started({ currency, amount })
    expect(payment).toMatchObject({ amount, currency })
    expect(side.entry(id)).toMatchObject([{ amount, currency }])
  })

  test('no keys, no payment', async () => {
    const wrong =
      side.name === 'Stripe'
        ? stripe.provider({ secretKey: 'sk_test_wrong', maxNetworkRetries: 0 })
        : paypal.provider({ clientSecret: 'wrong' })
    expect(await failure(wrong.start(asked()))).toBeInstanceOf(ProviderRefused)
  })

  describe('webhooks', () => {
    test('tell of the authorisation, the capture and the refund', async () => {
      const { ref, id } = await started()
      const { browser } = await provider.start({ ...asked(), order_id: id })
      await side.accept(browser)
      await provider.authorise(ref, id)
      const first = await webhook(ref, 'authorised')
      expect(first.payment).toMatchObject({
        provider_ref: ref,
        order_id: id,
        user_id: 'user 1',
        amount: PRICE,
      })
      expect(Math.abs(first.occurred_at - Date.now())).toBeLessThan(60_000)
      await provider.capture(ref, id)
      expect((await webhook(ref, 'captured')).payment.amount_received).toBe(PRICE)
      await provider.refund(ref, id, 'late')
      expect((await webhook(ref, 'refunded')).payment.amount_refunded).toBe(PRICE)
    })

    test('tell of an authorisation that was released', async () => {
      const { ref, id } = await authorised()
      await provider.cancel(ref, id)
      expect((await webhook(ref, 'cancelled')).payment.state).toBe('cancelled')
    })

    test('unsigned, signed by another, changed, or old are refused', async () => {
      const { ref } = await authorised()
      await webhook(ref, 'authorised')
      const { raw, headers } = side.received.find((one) => one.raw.includes(ref)) ?? { raw: '', headers: {} }
      const genuine = new Headers(headers)
      const read = async (body: string, sent: Headers, now?: number) => {
        const reading = await provider.readWebhook(body, sent, now)
        return reading.kind === 'invalid' ? reading.reason : reading.kind
      }
      expect(await read(raw, genuine)).not.toBe('bad_signature')
      expect(await read(raw, new Headers())).toBe('no_signature')
      expect(await read(raw.replace('1999', '1'), genuine)).toBe('bad_signature')
      expect(await read(raw.replace('19.99', '0.01').replace('1999', '1'), genuine)).toBe('bad_signature')
      expect(await read(raw, genuine, Date.now() / 1000 + 400)).toBe('too_old')
      const stranger =
        side.name === 'Stripe'
          ? stripe.provider({ webhookSecret: 'whsec_other' })
          : paypal.provider({ webhookId: 'ANOTHER0WEBHOOK' })
      expect(await stranger.readWebhook(raw, genuine)).toEqual({ kind: 'invalid', reason: 'bad_signature' })
    })
  })
})
