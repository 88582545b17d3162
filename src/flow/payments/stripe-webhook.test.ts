import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually, startReceiver, startStripeSandbox, stripeKeys } from '../../../test/support/stripe.ts'
import type { Received, TestSandbox } from '../../../test/support/stripe.ts'
import { signatureHeader } from '../../sandbox/stripe/webhooks.ts'
import type { PaymentProvider, ProviderEvent, WebhookReading } from './provider.ts'

const visa = { payment_method: 'pm_card_visa' }
let receiver: ReturnType<typeof startReceiver>
let stripe: TestSandbox
let provider: PaymentProvider
let orders = 0

beforeAll(async () => {
  receiver = startReceiver()
  stripe = await startStripeSandbox({ webhookUrl: receiver.url })
  provider = stripe.provider()
})
afterAll(async () => {
  await stripe[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

async function started() {
  const orderId = `order-${++orders}`
  const asked = {
    ...{ order_id: orderId, user_id: 'user-1', amount: 500, currency: 'usd', description: 'A shoe' },
    ...{ attempt: 0, return_url: 'http://shop.localhost/checkout/sale?order=1' },
  }
  const { payment, browser } = await provider.start(asked)
  return { orderId, ref: payment.provider_ref, clientSecret: browser['client_secret'] ?? '' }
}

/** The webhook of this type for this payment, once it has come. */
async function webhook(type: string, ref: string): Promise<Received> {
  const find = () => receiver.received.find((event) => event.type === type && event.raw.includes(ref))
  await eventually(() => find() !== undefined || receiver.types())
  const found = find()
  if (!found) throw new Error(`no ${type}`)
  return found
}

const read = async (type: string, ref: string): Promise<WebhookReading> => {
  const { raw, headers } = await webhook(type, ref)
  return provider.readWebhook(raw, headers)
}

async function event(type: string, ref: string): Promise<ProviderEvent> {
  const reading = await read(type, ref)
  if (reading.kind !== 'event') throw new Error(JSON.stringify(reading))
  return reading.event
}

describe('what a webhook says', () => {
  test('authorised, captured, refunded', async () => {
    const { ref, orderId, clientSecret } = await started()
    await stripe.confirm(clientSecret, visa)
    const common = { provider_ref: ref, order_id: orderId, user_id: 'user-1', amount: 500, currency: 'USD' }
    const authorised = await event('payment_intent.amount_capturable_updated', ref)
    expect(authorised).toMatchObject({
      type: 'authorised',
      payment: { ...common, state: 'authorised', amount_received: 0 },
    })
    expect(Math.abs(authorised.occurred_at - Date.now())).toBeLessThan(60_000)

    await provider.capture(ref, orderId)
    const captured = await event('payment_intent.succeeded', ref)
    expect(captured).toMatchObject({
      type: 'captured',
      payment: { ...common, state: 'captured', amount_received: 500 },
    })

    await provider.refund(ref, orderId, 'oversold')
    const refunded = await event('charge.refunded', ref)
    expect(refunded).toMatchObject({
      type: 'refunded',
      payment: { ...common, amount_received: 500, amount_refunded: 500 },
    })
    expect(new Set([authorised, captured, refunded].map(({ event_id }) => event_id)).size).toBe(3)
  })

  test('failed, with the reason', async () => {
    const { ref, clientSecret } = await started()
    await stripe.confirm(clientSecret, { payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds' })
    expect(await event('payment_intent.payment_failed', ref)).toMatchObject({
      type: 'failed',
      payment: { state: 'requires_payment', failure_code: 'insufficient_funds' },
    })
  })

  test('cancelled; the release of the authorisation is not taken for a refund', async () => {
    const { ref, orderId, clientSecret } = await started()
    await stripe.confirm(clientSecret, visa)
    await provider.cancel(ref, orderId)
    expect(await event('payment_intent.canceled', ref)).toMatchObject({
      type: 'cancelled',
      payment: { state: 'cancelled', amount_refunded: 0 },
    })
    expect(await read('charge.refunded', ref)).toMatchObject({ kind: 'ignored' })
  })

  test('what we do not act on is ignored by id', async () => {
    const { ref } = await started()
    const { id, raw, headers } = await webhook('payment_intent.created', ref)
    expect(await provider.readWebhook(raw, headers)).toEqual({ kind: 'ignored', event_id: id })
  })

  test('a payment without an order of ours is ignored', async () => {
    const created = await stripe.api('POST', '/v1/payment_intents', {
      amount: '900',
      currency: 'usd',
      confirm: 'true',
      ...visa,
    })
    const ref = created.body['id'] as unknown as string
    expect(await read('payment_intent.succeeded', ref)).toMatchObject({ kind: 'ignored' })
  })
})

describe('a webhook is refused', () => {
  const now = 1_800_000_000
  const raw = JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type: 'ping',
    created: now,
    data: { object: {} },
  })
  const signed = (payload = raw, secret = stripeKeys.webhookSecret, at = now) =>
    new Headers({ 'stripe-signature': signatureHeader(payload, secret, at) })

  test('not when it is genuine', async () => {
    expect(await provider.readWebhook(raw, signed(), now)).toEqual({ kind: 'ignored', event_id: 'evt_1' })
  })

  test('without a signature', async () => {
    expect(await provider.readWebhook(raw, new Headers(), now)).toEqual({
      kind: 'invalid',
      reason: 'no_signature',
    })
  })

  test.each([
    ['signed with another secret', raw, signed(raw, 'whsec_other')],
    ['altered by one byte', raw.replace('evt_1', 'evt_2'), signed()],
    ['reformatted', JSON.stringify(JSON.parse(raw), null, 1), signed()],
    ['empty', '', signed()],
    ['with a signature of another scheme', raw, new Headers({ 'stripe-signature': `t=${now},v0=00` })],
    ['with nonsense for a signature', raw, new Headers({ 'stripe-signature': 'nonsense' })],
  ])('when %s', async (_name, payload, headers) => {
    expect(await provider.readWebhook(payload, headers, now)).toEqual({
      kind: 'invalid',
      reason: 'bad_signature',
    })
  })

  test('with the time moved forward by hand', async () => {
    const old = signatureHeader(raw, stripeKeys.webhookSecret, now - 1000)
    const headers = new Headers({ 'stripe-signature': old.replace(`t=${now - 1000}`, `t=${now}`) })
    expect(await provider.readWebhook(raw, headers, now)).toEqual({
      kind: 'invalid',
      reason: 'bad_signature',
    })
  })

  test('when older than 300 s, not a second before', async () => {
    const reading = (age: number) =>
      provider.readWebhook(raw, signed(raw, stripeKeys.webhookSecret, now - age), now)
    expect(await reading(300)).toMatchObject({ kind: 'ignored' })
    expect(await reading(301)).toEqual({ kind: 'invalid', reason: 'too_old' })
  })

  test('when it is signed but no JSON', async () => {
    expect(await provider.readWebhook('{', signed('{'), now)).toEqual({
      kind: 'invalid',
      reason: 'bad_payload',
    })
  })

  test('by the injected clock when no time is given', async () => {
    const later = stripe.provider({ clock: { now: () => (now + 301) * 1000, sleep: async () => undefined } })
    expect(await later.readWebhook(raw, signed())).toEqual({ kind: 'invalid', reason: 'too_old' })
  })
})
