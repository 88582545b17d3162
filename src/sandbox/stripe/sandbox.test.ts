import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { cardFields, startStripeSandbox, stripeKeys } from '../../../test/support/stripe.ts'
import type { Fields, TestSandbox } from '../../../test/support/stripe.ts'
import { noFaults } from '../faults.ts'

let stripe: TestSandbox
let count = 0
beforeAll(async () => void (stripe = await startStripeSandbox()))
afterAll(() => stripe[Symbol.asyncDispose]())
beforeEach(() => stripe.faults(noFaults))

const manual = { amount: '1200', currency: 'eur', capture_method: 'manual' }
const visa = { payment_method: 'pm_card_visa' }

async function create(change: Fields = {}) {
  const orderId = `order-${++count}`
  const answer = await stripe.api('POST', '/v1/payment_intents', {
    ...manual,
    'metadata[order_id]': orderId,
    ...change,
  })
  expect(answer.status).toBe(200)
  const text = (name: string) => answer.body[name] as unknown as string
  return { orderId, ref: text('id'), clientSecret: text('client_secret'), body: answer.body }
}

describe('keys', () => {
  test.each([
    ['no key', {}, 401, undefined],
    ['a wrong key', { authorization: 'Bearer sk_test_wrong' }, 401, undefined],
    [
      'the publishable key',
      { authorization: `Bearer ${stripeKeys.publishableKey}` },
      401,
      'secret_key_required',
    ],
    ['the secret key', { authorization: `Bearer ${stripeKeys.secretKey}` }, 200, undefined],
    [
      'the secret key as basic user',
      { authorization: `Basic ${btoa(`${stripeKeys.secretKey}:`)}` },
      200,
      undefined,
    ],
  ])('%s on create', async (_name, headers: Fields, status, code) => {
    const answer = await stripe.call('POST', '/v1/payment_intents', manual, headers)
    expect(answer.status).toBe(status)
    expect(answer.body['error']?.['code'] as unknown).toBe(code)
    expect(answer.headers.get('request-id')).toMatch(/^req_/)
  })

  test('a browser needs the client secret, and sees no metadata', async () => {
    const { ref, clientSecret } = await create()
    const key = { key: stripeKeys.publishableKey }
    const path = `/v1/payment_intents/${ref}`
    const refused = await stripe.call('GET', path, { ...key, client_secret: `${clientSecret}x` })
    expect(refused.status).toBe(400)
    expect((await stripe.call('GET', path, key)).body['error']?.['code'] as unknown).toBe('parameter_missing')
    const seen = await stripe.call('GET', path, {
      ...key,
      client_secret: clientSecret,
      'expand[]': 'latest_charge',
    })
    expect(seen.status).toBe(200)
    expect(Object.keys(seen.body)).not.toContain('metadata')
    expect(Object.keys(seen.body)).not.toContain('latest_charge')
    expect((await stripe.confirm(`${clientSecret}x`, visa)).status).toBe(400)
    expect((await stripe.look(clientSecret)).body['status'] as unknown).toBe('requires_payment_method')
  })

  test('pages of other origins may ask, and test controls may not be changed by a plain form', async () => {
    const preflight = await fetch(`${stripe.url}/v1/payment_intents/pi_x/confirm`, { method: 'OPTIONS' })
    expect(preflight.status).toBe(200)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    const failed = await stripe.call('GET', '/v1/payment_intents/pi_x', {})
    expect(failed.headers.get('access-control-allow-origin')).toBe('*')
    const form = await fetch(`${stripe.url}/_sandbox/faults`, { method: 'POST', body: 'webhooks=drop' })
    expect(form.status).toBe(415)
  })
})

describe('parameters', () => {
  test.each([
    [{ amount: '' }, 400, 'parameter_invalid_empty', 'amount'],
    [{ amount: '12.5' }, 400, 'parameter_invalid_integer', 'amount'],
    [{ amount: '-5' }, 400, 'parameter_invalid_integer', 'amount'],
    [{ amount: '100000000' }, 400, 'amount_too_large', 'amount'],
    [{ currency: 'zzz' }, 400, undefined, 'currency'],
    [{ capture_method: 'never' }, 400, undefined, 'capture_method'],
    [{ colour: 'red' }, 400, 'parameter_unknown', 'colour'],
    [{ payment_method: 'pm_card_unheardOf' }, 400, 'resource_missing', 'payment_method'],
    [{ confirm: 'true', ...visa, return_url: 'javascript:alert(1)' }, 400, 'url_invalid', 'return_url'],
  ])('%j', async (change: Fields, status, code, param) => {
    const before = stripe.sandbox.ledger().length
    const answer = await stripe.api('POST', '/v1/payment_intents', { ...manual, ...change })
    expect(answer.status).toBe(status)
    expect(answer.body['error'] as unknown).toMatchObject({ type: 'invalid_request_error', param })
    expect(answer.body['error']?.['code'] as unknown).toBe(code)
    expect(stripe.sandbox.ledger()).toHaveLength(before)
  })

  test('a JSON body is not understood', async () => {
    const headers = { authorization: `Bearer ${stripeKeys.secretKey}`, 'content-type': 'application/json' }
    const response = await fetch(`${stripe.url}/v1/payment_intents`, {
      method: 'POST',
      headers,
      body: '{"amount":1}',
    })
    expect(response.status).toBe(400)
  })

  test('an unknown path is 404 in the error envelope', async () => {
    const answer = await stripe.api('GET', '/v1/unicorns')
    expect([answer.status, answer.body['error']?.['type'] as unknown]).toEqual([404, 'invalid_request_error'])
  })
})

describe('card fields', () => {
  test.each([
    ['4242424242424241', {}, 'incorrect_number'],
    ['42', {}, 'invalid_number'],
    ['4242424242424242', { exp_month: '13' }, 'invalid_expiry_month'],
    ['4242424242424242', { exp_year: '2020' }, 'invalid_expiry_year'],
    ['4242424242424242', { cvc: '12' }, 'invalid_cvc'],
    ['4000000000000002', {}, 'card_declined'],
    ['4000000000000069', {}, 'expired_card'],
    ['4111111111111111', {}, 'card_declined'],
  ])('%s %j: %s', async (number, change: Fields, code) => {
    const { clientSecret, orderId } = await create()
    const answer = await stripe.confirm(clientSecret, cardFields(number, change))
    expect(answer.status).toBe(402)
    expect(answer.body['error'] as unknown).toMatchObject({ type: 'card_error', code })
    expect(stripe.entry(orderId)).toMatchObject([{ status: 'requires_payment_method', authorisations: 0 }])
  })

  test('a decline is shown with the payment to the browser, without its metadata', async () => {
    const { clientSecret } = await create()
    const { body } = await stripe.confirm(clientSecret, cardFields('4000000000009995'))
    expect(body['error'] as unknown).toMatchObject({
      code: 'card_declined',
      decline_code: 'insufficient_funds',
    })
    expect(body['error']?.['payment_intent']?.['status'] as unknown).toBe('requires_payment_method')
    expect(Object.keys(body['error']?.['payment_intent'] ?? {})).not.toContain('metadata')
  })

  test('a declined card is forgotten: confirming again needs a new one', async () => {
    const { clientSecret } = await create()
    await stripe.confirm(clientSecret, cardFields('4000000000000002'))
    expect((await stripe.look(clientSecret)).body['payment_method'] as unknown).toBeNull()
    const again = await stripe.confirm(clientSecret, {})
    expect([again.status, again.body['error']?.['code'] as unknown]).toEqual([
      400,
      'payment_intent_unexpected_state',
    ])
  })

  test.each(['pm_card_visa', 'pm_card_visa_chargeDeclined', 'pm_card_authenticationRequired'])(
    'on a closed payment %s is refused, and the refusal shows the payment',
    async (method) => {
      const { clientSecret, ref, orderId } = await create()
      await stripe.api('POST', `/v1/payment_intents/${ref}/cancel`)
      const { status, body } = await stripe.confirm(clientSecret, { payment_method: method })
      expect([status, body['error']?.['code'] as unknown]).toEqual([400, 'payment_intent_unexpected_state'])
      expect(body['error']?.['payment_intent']?.['status'] as unknown).toBe('canceled')
      expect(stripe.entry(orderId)).toMatchObject([{ status: 'canceled', authorisations: 0 }])
    },
  )

  test('a good card, written with spaces, is authorised', async () => {
    const { clientSecret, ref, orderId } = await create()
    expect(
      (await stripe.confirm(clientSecret, cardFields('4242 4242 4242 4242', { exp_year: '50' }))).status,
    ).toBe(200)
    expect(stripe.entry(orderId)).toMatchObject([{ status: 'requires_capture', authorised: 1200 }])
    const { body } = await stripe.api('GET', `/v1/payment_intents/${ref}`, { 'expand[0]': 'latest_charge' })
    expect(body as unknown).toMatchObject({
      object: 'payment_intent',
      amount_capturable: 1200,
      amount_received: 0,
      latest_charge: {
        object: 'charge',
        captured: false,
        paid: true,
        payment_method_details: { card: { last4: '4242' } },
      },
    })
  })
})

describe('authentication by the bank', () => {
  const shop = 'https://shop.example/return?order=1'

  async function asked(number: string, fields: Fields = { return_url: shop }) {
    const payment = await create()
    const { body } = await stripe.confirm(payment.clientSecret, cardFields(number), fields)
    expect(body['status'] as unknown).toBe('requires_action')
    const action = body['next_action']
    const url = (action?.['redirect_to_url']?.['url'] ??
      action?.['use_stripe_sdk']?.['stripe_js']) as unknown as string
    return { ...payment, url, action: action as unknown }
  }
  const answer = (url: string, result: string) =>
    fetch(url, { method: 'POST', body: new URLSearchParams({ result }), redirect: 'manual' })

  test('approved: authorised, and back to the shop', async () => {
    const { url, ref, orderId, clientSecret } = await asked('4000002760003184')
    const page = await fetch(url)
    expect(await page.text()).toContain('€12.00')
    const back = await answer(url, 'approve')
    expect(back.status).toBe(303)
    const location = new URL(back.headers.get('location') ?? '')
    expect(location.origin + location.pathname).toBe('https://shop.example/return')
    expect(Object.fromEntries(location.searchParams)).toEqual({
      order: '1',
      payment_intent: ref,
      payment_intent_client_secret: clientSecret,
      redirect_status: 'succeeded',
    })
    await answer(url, 'fail')
    expect(stripe.entry(orderId)).toMatchObject([{ status: 'requires_capture', authorisations: 1 }])
  })

  test('failed: open for another card, and nothing authorised', async () => {
    const { url, orderId, clientSecret } = await asked('4000002500003155')
    const back = await answer(url, 'fail')
    expect(back.headers.get('location')).toContain('redirect_status=failed')
    const { body } = await stripe.look(clientSecret)
    expect(body['last_payment_error']?.['code'] as unknown).toBe('payment_intent_authentication_failure')
    await answer(url, 'approve')
    expect(stripe.entry(orderId)).toMatchObject([{ status: 'requires_payment_method', authorisations: 0 }])
    expect((await stripe.confirm(clientSecret, visa)).status).toBe(200)
  })

  test('approved but then declined', async () => {
    const { url, orderId, clientSecret } = await asked('4000008260003178')
    expect((await answer(url, 'approve')).headers.get('location')).toContain('redirect_status=failed')
    const { body } = await stripe.look(clientSecret)
    expect(body['last_payment_error']?.['decline_code'] as unknown).toBe('insufficient_funds')
    expect(stripe.entry(orderId)).toMatchObject([{ authorisations: 0 }])
  })

  test('without a return address the form for Stripe.js is given', async () => {
    const { action, url, orderId } = await asked('4000002760003184', {})
    expect(action).toMatchObject({
      type: 'use_stripe_sdk',
      use_stripe_sdk: { type: 'three_d_secure_redirect' },
    })
    expect((await answer(url, 'approve')).status).toBe(200)
    expect(stripe.entry(orderId)).toMatchObject([{ status: 'requires_capture' }])
  })

  test('too late after a cancel', async () => {
    const { url, ref, orderId } = await asked('4000002760003184')
    await stripe.api('POST', `/v1/payment_intents/${ref}/cancel`)
    expect((await answer(url, 'approve')).headers.get('location')).toContain('redirect_status=failed')
    expect(stripe.entry(orderId)).toMatchObject([{ status: 'canceled', authorisations: 0 }])
  })
})

describe('idempotency keys', () => {
  const key = (name: string) => ({ 'idempotency-key': name })

  test('the same request again is the same answer, marked as replayed', async () => {
    const send = () => stripe.api('POST', '/v1/payment_intents', manual, key('same'))
    const [first, second] = [await send(), await send()]
    expect(second.body).toEqual(first.body)
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(second.headers.get('original-request')).toBe(first.headers.get('request-id'))
  })

  test('a refusal is replayed too; a malformed request is not kept', async () => {
    const { ref, clientSecret } = await create()
    const capture = () => stripe.api('POST', `/v1/payment_intents/${ref}/capture`, {}, key('early'))
    expect((await capture()).status).toBe(400)
    await stripe.confirm(clientSecret, visa)
    const again = await capture()
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([400, 'true'])
    expect((await stripe.api('POST', '/v1/payment_intents', { amount: 'x' }, key('typo'))).status).toBe(400)
    expect((await stripe.api('POST', '/v1/payment_intents', manual, key('typo'))).status).toBe(200)
  })

  test('other words or another path under the same key are refused', async () => {
    await stripe.api('POST', '/v1/payment_intents', manual, key('reused'))
    const other = await stripe.api(
      'POST',
      '/v1/payment_intents',
      { ...manual, amount: '1300' },
      key('reused'),
    )
    expect([other.status, other.body['error']?.['type'] as unknown]).toEqual([400, 'idempotency_error'])
    const elsewhere = await stripe.api('POST', '/v1/refunds', manual, key('reused'))
    expect([elsewhere.status, elsewhere.body['error']?.['type'] as unknown]).toEqual([
      400,
      'idempotency_error',
    ])
  })

  test('while the first request runs, the second is told to wait', async () => {
    await stripe.faults({ latency_ms: 100 })
    const send = () => stripe.api('POST', '/v1/payment_intents', manual, key('concurrent'))
    const answers = await Promise.all([send(), send()])
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, 409])
    const conflict = answers.find(({ status }) => status === 409)
    expect(conflict?.body['error']?.['code'] as unknown).toBe('idempotency_key_in_use')
  })

  test('are forgotten after a day', async () => {
    let now = 1_800_000_000_000
    await using aged = await startStripeSandbox({ clock: { now: () => now, sleep: async () => undefined } })
    const send = async () =>
      (await aged.api('POST', '/v1/payment_intents', manual, key('old'))).body['id'] as unknown
    const first = await send()
    now += 24 * 3600_000 - 1000
    expect(await send()).toBe(first)
    now += 1000
    expect(await send()).not.toBe(first)
  })
})

test('a partial capture releases the rest, which Stripe counts as refunded and our ledger does not', async () => {
  const { ref, clientSecret, orderId } = await create()
  await stripe.confirm(clientSecret, visa)
  const capture = (amount: string) =>
    stripe.api('POST', `/v1/payment_intents/${ref}/capture`, { amount_to_capture: amount })
  expect((await capture('1201')).body['error']?.['code'] as unknown).toBe('amount_too_large')
  expect((await capture('1000')).body['amount_received'] as unknown).toBe(1000)
  expect(stripe.entry(orderId)).toMatchObject([{ captured: 1000, released: 200, refunded: 0 }])
  expect((await stripe.api('POST', '/v1/refunds', { payment_intent: ref, amount: '1001' })).status).toBe(400)
  expect((await stripe.api('POST', '/v1/refunds', { payment_intent: ref })).body['amount'] as unknown).toBe(
    1000,
  )
  expect(await stripe.provider().find(ref)).toMatchObject({ amount_received: 1000, amount_refunded: 1000 })
  const again = await stripe.api('POST', '/v1/refunds', { payment_intent: ref })
  expect([again.status, again.body['error']?.['code'] as unknown]).toEqual([400, 'charge_already_refunded'])
})

test('lists are newest first, in pages, and events can be read', async () => {
  const first = await create()
  const second = await create()
  const ids = (data: unknown) => (data as { id: string }[]).map(({ id }) => id)
  const page = await stripe.api('GET', '/v1/payment_intents', { limit: '1' })
  expect([ids(page.body['data']), page.body['has_more'] as unknown]).toEqual([[second.ref], true])
  const next = await stripe.api('GET', '/v1/payment_intents', { limit: '1', starting_after: second.ref })
  expect(ids(next.body['data'])).toEqual([first.ref])
  const none = await stripe.api('GET', '/v1/payment_intents', { 'created[gt]': '9000000000' })
  expect(ids(none.body['data'])).toEqual([])
  const events = await stripe.api('GET', '/v1/events', { type: 'payment_intent.*', limit: '1' })
  const [eventId] = ids(events.body['data'])
  const event = await stripe.api('GET', `/v1/events/${eventId}`)
  expect(event.body as unknown).toMatchObject({
    type: 'payment_intent.created',
    data: { object: { id: second.ref } },
  })
})

test('faults are read back, and nonsense is refused', async () => {
  expect(await stripe.faults({ latency_ms: 5, on: 'capture' })).toBe(200)
  const read = await stripe.call('GET', '/_sandbox/faults')
  expect(read.body as unknown).toEqual({ ...noFaults, latency_ms: 5, on: 'capture' })
  expect(await stripe.faults({ latency_ms: -1 })).toBe(400)
})
