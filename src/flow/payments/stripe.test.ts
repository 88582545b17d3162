import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { cardFields, idOf, startStripeSandbox, stripeKeys } from '../../../test/support/stripe.ts'
import type { TestSandbox } from '../../../test/support/stripe.ts'
import { listen } from '../../platform/server.ts'
import { noFaults } from '../../sandbox/faults.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'
import type { PaymentProvider, StartPayment } from './provider.ts'

const visa = { payment_method: 'pm_card_visa' }
let stripe: TestSandbox
let provider: PaymentProvider
let orders = 0

beforeAll(async () => {
  stripe = await startStripeSandbox()
  provider = stripe.provider()
})
afterAll(() => stripe[Symbol.asyncDispose]())
beforeEach(() => stripe.faults(noFaults))

function order(change: Partial<StartPayment> = {}): StartPayment {
  const order_id = `order-${++orders}`
  return {
    order_id,
    user_id: 'user-1',
    amount: 1999,
    currency: 'EUR',
    description: 'One television',
    attempt: 0,
    return_url: 'http://shop.localhost/checkout/sale?order=1',
    ...change,
  }
}

async function started(change: Partial<StartPayment> = {}) {
  const asked = order(change)
  const { payment, browser } = await provider.start(asked)
  const clientSecret = browser['client_secret'] ?? ''
  return { orderId: asked.order_id, ref: payment.provider_ref, clientSecret, asked, payment, browser }
}

async function authorised() {
  const payment = await started()
  expect((await stripe.confirm(payment.clientSecret, visa)).status).toBe(200)
  return payment
}

describe('start', () => {
  test('opens a manual-capture payment and gives the browser what it needs, nothing secret', async () => {
    const { payment, browser, asked } = await started()
    expect(payment).toEqual({
      provider_ref: expect.stringMatching(/^pi_/) as string,
      order_id: asked.order_id,
      user_id: 'user-1',
      state: 'requires_payment',
      amount: 1999,
      amount_received: 0,
      amount_refunded: 0,
      currency: 'EUR',
    })
    expect(Object.keys(browser).sort()).toEqual(['api_url', 'client_secret', 'publishable_key', 'script_url'])
    expect(browser['publishable_key']).toBe(stripeKeys.publishableKey)
    expect(browser['api_url']).toBe(stripe.url)
    const seen = await stripe.look(browser['client_secret'] ?? '')
    expect(seen.body['capture_method'] as unknown).toBe('manual')
  })

  test('twice for one order is one payment, shown in its present state', async () => {
    const first = await authorised()
    const again = await provider.start(first.asked)
    expect(again.payment.provider_ref).toBe(first.ref)
    expect(again.payment.state).toBe('authorised')
    expect(again.browser).toEqual(first.browser)
    expect(stripe.entry(first.orderId)).toHaveLength(1)
  })

  test('ten at once for one order is one payment', async () => {
    const asked = order()
    const all = await Promise.all(Array.from({ length: 10 }, () => provider.start(asked)))
    expect(new Set(all.map(({ payment }) => payment.provider_ref)).size).toBe(1)
    expect(stripe.entry(asked.order_id)).toHaveLength(1)
  })

  test('another amount for the same order is another payment, and the first amount the first one again', async () => {
    const { asked, ref } = await started()
    const changed = await provider.start({ ...asked, amount: asked.amount - 1 })
    expect(changed.payment).toMatchObject({ order_id: asked.order_id, amount: asked.amount - 1 })
    expect(changed.payment.provider_ref).not.toBe(ref)
    expect((await provider.start(asked)).payment.provider_ref).toBe(ref)
  })

  test('whose answer is lost has opened one payment', async () => {
    const asked = order()
    await stripe.faults({ lose_next: 1, on: 'create' })
    const impatient = stripe.provider({ timeoutMs: 150, maxNetworkRetries: 0 })
    expect(await failure(impatient.start(asked))).toBeInstanceOf(ProviderUnavailable)
    const { payment } = await provider.start(asked)
    expect(stripe.entry(asked.order_id)).toMatchObject([{ payment: payment.provider_ref }])
  })

  test.each([
    [{ amount: 1 }, 'amount_too_small'],
    [{ currency: 'XXQ' }, 'invalid_request_error'],
    [{ currency: 'euro' }, 'invalid_currency'],
  ])('%j is refused as %s', async (change, code) => {
    const error = await failure(provider.start(order(change)))
    expect(error).toBeInstanceOf(ProviderRefused)
    expect(error).toMatchObject({ code, retryable: false })
  })
})

describe('a card that is refused', () => {
  test.each([
    ['pm_card_visa_chargeDeclined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card'],
  ])('%s leaves %s and the payment open for another card', async (method, code) => {
    const { ref, clientSecret, orderId } = await started()
    const declined = await stripe.confirm(clientSecret, { payment_method: method })
    expect(declined.status).toBe(402)
    expect(declined.body['error']?.['decline_code'] as unknown).toBe(code)
    expect(await provider.find(ref)).toMatchObject({ state: 'requires_payment', failure_code: code })
    expect((await stripe.confirm(clientSecret, visa)).status).toBe(200)
    const paid = await provider.find(ref)
    expect(paid).toMatchObject({ state: 'authorised' })
    expect(paid).not.toHaveProperty('failure_code')
    expect(stripe.entry(orderId)[0]).toMatchObject({ authorisations: 1, captures: 0 })
  })
})

describe('capture', () => {
  test('takes the money once however often it is asked', async () => {
    const { ref, orderId } = await authorised()
    for (let i = 0; i < 3; i++) {
      const result = await provider.capture(ref, orderId)
      expect(result).toMatchObject({
        kind: 'captured',
        payment: { state: 'captured', amount_received: 1999 },
      })
    }
    const racing = await Promise.all([1, 2, 3].map(() => provider.capture(ref, orderId)))
    expect(racing.map(({ kind }) => kind)).toEqual(['captured', 'captured', 'captured'])
    expect(stripe.entry(orderId)).toMatchObject([{ captures: 1, captured: 1999 }])
  })

  test('is not possible before the buyer has paid; the stored refusal does not stand in the way later', async () => {
    const { ref, orderId, clientSecret } = await started()
    const early = await provider.capture(ref, orderId)
    expect(early).toMatchObject({ kind: 'not_capturable', code: 'payment_intent_unexpected_state' })
    await stripe.confirm(clientSecret, visa)
    expect((await provider.capture(ref, orderId)).kind).toBe('captured')
    expect(stripe.entry(orderId)).toMatchObject([{ captures: 1 }])
  })

  test('of a cancelled payment is not possible', async () => {
    const { ref, orderId } = await authorised()
    await provider.cancel(ref, orderId)
    const result = await provider.capture(ref, orderId)
    expect(result).toMatchObject({
      kind: 'not_capturable',
      payment: { state: 'cancelled', amount_received: 0 },
    })
  })

  test('whose answer is lost has taken the money once, and the SDK finds out by the key', async () => {
    const { ref, orderId } = await authorised()
    await stripe.faults({ lose_next: 1, on: 'capture' })
    const impatient = stripe.provider({ timeoutMs: 150, maxNetworkRetries: 2 })
    expect(await impatient.capture(ref, orderId)).toMatchObject({ kind: 'captured' })
    expect(stripe.entry(orderId)).toMatchObject([{ captures: 1, captured: 1999 }])
  })

  test('with every answer lost is an unknown outcome; repeating it later finds one capture', async () => {
    const { ref, orderId } = await authorised()
    await stripe.faults({ lose_next: 1, on: 'capture' })
    const impatient = stripe.provider({ timeoutMs: 150, maxNetworkRetries: 0 })
    const error = await failure(impatient.capture(ref, orderId))
    expect(error).toBeInstanceOf(ProviderUnavailable)
    expect(error).toMatchObject({ retryable: true })
    expect((await provider.capture(ref, orderId)).kind).toBe('captured')
    expect(stripe.entry(orderId)).toMatchObject([{ captures: 1 }])
  })

  test('with another order than the first does not capture twice', async () => {
    const { ref, orderId } = await authorised()
    await provider.capture(ref, orderId)
    expect((await provider.capture(ref, `${orderId}-other`)).kind).toBe('captured')
    expect(stripe.entry(orderId)).toMatchObject([{ captures: 1 }])
  })
})

describe('cancel', () => {
  test('releases the authorisation, twice without harm, and nothing counts as refunded', async () => {
    const { ref, orderId } = await authorised()
    for (let i = 0; i < 2; i++) {
      const result = await provider.cancel(ref, orderId)
      expect(result).toMatchObject({ kind: 'cancelled', payment: { state: 'cancelled', amount_refunded: 0 } })
    }
    expect(stripe.entry(orderId)).toMatchObject([{ status: 'canceled', released: 1999, captured: 0 }])
  })

  test('closes a payment nobody paid', async () => {
    const { ref, orderId, clientSecret } = await started()
    expect((await provider.cancel(ref, orderId)).kind).toBe('cancelled')
    expect((await stripe.confirm(clientSecret, visa)).status).toBe(400)
    expect(stripe.entry(orderId)).toMatchObject([{ authorisations: 0 }])
  })

  test('after capture says so and changes nothing', async () => {
    const { ref, orderId } = await authorised()
    await provider.capture(ref, orderId)
    const result = await provider.cancel(ref, orderId)
    expect(result).toMatchObject({ kind: 'already_captured', payment: { state: 'captured' } })
    expect(stripe.entry(orderId)).toMatchObject([{ captured: 1999, released: 0, refunded: 0 }])
  })

  test('racing capture: one of them wins', async () => {
    const { ref, orderId } = await authorised()
    const [captured, cancelled] = await Promise.all([
      provider.capture(ref, orderId),
      provider.cancel(ref, orderId),
    ])
    const won = captured.kind === 'captured'
    expect(cancelled.kind).toBe(won ? 'already_captured' : 'cancelled')
    expect(stripe.entry(orderId)).toMatchObject([{ captured: won ? 1999 : 0, released: won ? 0 : 1999 }])
  })
})

describe('refund', () => {
  test('gives everything back once, whatever the reason given the second time', async () => {
    const { ref, orderId } = await authorised()
    await provider.capture(ref, orderId)
    for (const reason of ['oversold', 'oversold', 'paid too late']) {
      const result = await provider.refund(ref, orderId, reason)
      expect(result).toMatchObject({
        kind: 'refunded',
        payment: { amount_received: 1999, amount_refunded: 1999 },
      })
    }
    expect(stripe.entry(orderId)).toMatchObject([{ refunds: 1, refunded: 1999 }])
  })

  test('of an uncaptured payment gives nothing; after capture it still works', async () => {
    const { ref, orderId } = await authorised()
    expect((await provider.refund(ref, orderId, 'oversold')).kind).toBe('nothing_captured')
    await provider.capture(ref, orderId)
    expect((await provider.refund(ref, orderId, 'oversold')).kind).toBe('refunded')
    expect(stripe.entry(orderId)).toMatchObject([{ refunds: 1, refunded: 1999 }])
  })

  test('refused once, then possible, is not blocked by another reason under the same key', async () => {
    const { ref, orderId } = await authorised()
    expect((await provider.refund(ref, orderId, 'oversold')).kind).toBe('nothing_captured')
    await provider.capture(ref, orderId)
    expect((await provider.refund(ref, orderId, 'paid too late')).kind).toBe('refunded')
    expect(stripe.entry(orderId)).toMatchObject([{ refunds: 1 }])
  })

  test('whose answer is lost has given it back once', async () => {
    const { ref, orderId } = await authorised()
    await provider.capture(ref, orderId)
    await stripe.faults({ lose_next: 1, on: 'refund' })
    const impatient = stripe.provider({ timeoutMs: 150, maxNetworkRetries: 2 })
    expect((await impatient.refund(ref, orderId, 'oversold')).kind).toBe('refunded')
    expect(stripe.entry(orderId)).toMatchObject([{ refunds: 1 }])
  })
})

describe('the provider', () => {
  test('finds nothing under an unknown reference', async () => {
    expect(await provider.find('pi_unknown')).toBeUndefined()
    const error = await failure(provider.capture('pi_unknown', 'order-x'))
    expect(error).toMatchObject({ name: 'ProviderRefused', code: 'resource_missing' })
  })

  test('with a wrong key is refused', async () => {
    const error = await failure(stripe.provider({ secretKey: 'sk_test_wrong' }).find('pi_x'))
    expect(error).toBeInstanceOf(ProviderRefused)
  })

  test('answering 500 is unavailable until the SDK’s own retries get through', async () => {
    const asked = order()
    await stripe.faults({ fail_next: 2 })
    const error = await failure(stripe.provider({ maxNetworkRetries: 1 }).start(asked))
    expect(error).toBeInstanceOf(ProviderUnavailable)
    await stripe.faults({ fail_next: 1 })
    expect((await stripe.provider({ maxNetworkRetries: 1 }).start(asked)).payment.state).toBe(
      'requires_payment',
    )
  })

  test('that does not listen is unavailable', async () => {
    const server = listen({ host: '127.0.0.1', port: 0, fetch: () => new Response() })
    await server.stop(0)
    const gone = stripe.provider({ apiUrl: `http://127.0.0.1:${server.port}`, maxNetworkRetries: 0 })
    expect(await failure(gone.find('pi_x'))).toBeInstanceOf(ProviderUnavailable)
  })

  test.each([
    [
      'too many requests',
      429,
      '{"error":{"type":"invalid_request_error","code":"rate_limit","message":"slow"}}',
    ],
    ['a proxy’s error page', 502, '<html>Bad gateway</html>'],
    ['a page that is no answer', 200, '<html>Welcome</html>'],
    [
      'a key in use',
      409,
      '{"error":{"type":"idempotency_error","code":"idempotency_key_in_use","message":"x"}}',
    ],
  ])('answering with %s is unavailable', async (_name, status, body) => {
    const server = listen({ host: '127.0.0.1', port: 0, fetch: () => new Response(body, { status }) })
    const odd = stripe.provider({ apiUrl: `http://127.0.0.1:${server.port}`, maxNetworkRetries: 0 })
    const error = await failure(odd.capture('pi_x', 'order-x'))
    await server.stop(0)
    expect(error).toBeInstanceOf(ProviderUnavailable)
  })

  test('that hangs up in the middle is unavailable', async () => {
    const server = createServer(
      (socket) => void socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Le')),
    )
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    )
    const rude = stripe.provider({ apiUrl: `http://127.0.0.1:${port}`, maxNetworkRetries: 0 })
    const error = await failure(rude.capture('pi_x', 'order-x'))
    server.close()
    expect(error).toBeInstanceOf(ProviderUnavailable)
  })

  test('is not accepted at an address with a path', () => {
    expect(() => stripe.provider({ apiUrl: 'https://example.org/v1' })).toThrow('plain http(s) origin')
  })
})

describe('a card whose confirmation never answers', () => {
  test('is authorised once: the browser finds out by looking, not by paying again', async () => {
    const { ref, orderId, clientSecret } = await started()
    const request = fetch(`${stripe.url}/v1/payment_intents/${idOf(clientSecret)}/confirm`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stripeKeys.publishableKey}` },
      body: new URLSearchParams({ client_secret: clientSecret, ...cardFields('4000000000005043') }),
      signal: AbortSignal.timeout(150),
    })
    expect(await failure(request)).toMatchObject({ name: 'TimeoutError' })
    expect((await stripe.look(clientSecret)).body['status'] as unknown).toBe('requires_capture')
    expect((await stripe.confirm(clientSecret, visa)).status).toBe(400)
    expect((await provider.capture(ref, orderId)).kind).toBe('captured')
    expect(stripe.entry(orderId)).toMatchObject([{ authorisations: 1, captures: 1 }])
  })
})

/** The error a promise fails with; an unexpected success fails the test. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome) return outcome.error
  throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`)
}
