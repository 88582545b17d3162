import { afterAll, beforeEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import { paypalKeys, startPaypalSandbox } from '../../../test/support/paypal.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import { systemClock } from '../../platform/clock.ts'
import { listen } from '../../platform/server.ts'
import { noFaults } from '../../sandbox/faults.ts'
import { createSigningKey } from '../../sandbox/paypal/certificate.ts'
import { transmissionHeaders } from '../../sandbox/paypal/signing.ts'
import { createPaypalClient } from './paypal-client.ts'
import { fromPaypalAmount, toPaypalAmount } from './paypal-money.ts'
import { createSignatureCheck } from './paypal-signature.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'

// What is PayPal's alone: its amounts, its token, its signatures. The rest is in the contract of all providers.

const paypal = await startPaypalSandbox({ tokenLifetimeS: 600 })
afterAll(() => paypal[Symbol.asyncDispose]())
beforeEach(() => paypal.faults(noFaults))

const failure = (work: () => unknown) =>
  Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (error: unknown) => error,
    )

test.each([
  ['EUR', 1999, '19.99'],
  ['EUR', 5, '0.05'],
  ['USD', 100, '1.00'],
  ['JPY', 1999, '1999'],
  ['HUF', 199_900, '1999'],
  ['TWD', 100, '1'],
  ['eur', 0, '0.00'],
])('%s %i is %s', (currency, amount, value) => {
  expect(toPaypalAmount(amount, currency)).toEqual({ currency_code: currency.toUpperCase(), value })
})

test('amounts come back as they went, in every currency, or are refused', () => {
  const currencies = fc.constantFrom('EUR', 'USD', 'JPY', 'HUF', 'TWD', 'GBP', 'CHF')
  fc.assert(
    fc.property(currencies, fc.maxSafeNat(), (currency, amount) => {
      const whole = currency === 'HUF' || currency === 'TWD'
      if (whole && amount % 100 !== 0) expect(() => toPaypalAmount(amount, currency)).toThrow(ProviderRefused)
      else expect(fromPaypalAmount(toPaypalAmount(amount, currency))).toBe(amount)
    }),
    replaySettings('amounts of PayPal'),
  )
})

test.each([
  ['EUR', -1],
  ['EUR', 0.5],
  ['EUR', 2 ** 60],
  ['KWD', 1000],
  ['XXX', 100],
  ['constructor', 1],
])('%s %d is nothing PayPal takes', (currency, amount) => {
  expect(() => toPaypalAmount(amount, currency)).toThrow(ProviderRefused)
})

test.each(['', '1.001', '-1', '1e3', '99999999999999999999', '1,00'])(
  '%s is no amount of PayPal',
  (value) => {
    expect(() => fromPaypalAmount({ currency_code: 'EUR', value })).toThrow(ProviderRefused)
  },
)

test('one token for many requests, renewed before it ends, and when it is taken back', async () => {
  let tokens = 0
  const counting = listen({
    host: '127.0.0.1',
    port: 0,
    fetch: (request) => {
      const url = new URL(request.url)
      if (url.pathname.endsWith('/oauth2/token')) tokens += 1
      return fetch(`http://127.0.0.1:${paypal.port}${url.pathname}`, request)
    },
  })
  const clock = { ...systemClock, ahead: 0, now: () => Date.now() + clock.ahead }
  const apiUrl = `http://127.0.0.1:${counting.port}/paypal`
  const client = createPaypalClient({ ...paypalKeys, apiUrl, clock })
  const ask = () => failure(() => client.call({ method: 'GET', path: '/v2/checkout/orders/NOBODY' }))
  const found = await Promise.all([ask(), ask(), ask()])
  for (const error of found) expect(error).toMatchObject({ code: 'RESOURCE_NOT_FOUND' })
  expect(tokens).toBe(1)
  clock.ahead = 539_000
  await ask()
  expect(tokens).toBe(1)
  clock.ahead = 541_000
  await ask()
  expect(tokens).toBe(2)
  await paypal.revokeTokens()
  expect(await ask()).toMatchObject({ code: 'RESOURCE_NOT_FOUND' })
  expect(tokens).toBe(3)
  await paypal.faults({ fail_next: 1, on: 'token' })
  await paypal.revokeTokens()
  expect(await ask()).toBeInstanceOf(ProviderUnavailable)
  expect(await ask()).toMatchObject({ code: 'RESOURCE_NOT_FOUND' })
  await counting.stop(0)
})

test('nobody at the address is unavailable', async () => {
  const client = createPaypalClient({ ...paypalKeys, apiUrl: 'http://127.0.0.1:1', clock: systemClock })
  expect(await failure(() => client.call({ method: 'GET', path: '/' }))).toBeInstanceOf(ProviderUnavailable)
})

test('a certificate counts only from the host of the API, and while it is valid', async () => {
  const webhookId = paypalKeys.webhookId
  const now = Date.now()
  const path = '/v1/notifications/certs/CERT-1'
  const ours = createSigningKey('messageverificationcerts.paypal.com', now)
  const old = createSigningKey('messageverificationcerts.paypal.com', now - 11 * 365 * 86_400_000)
  const serve = (key: typeof ours) =>
    listen({ host: '127.0.0.1', port: 0, fetch: () => new Response(key.certificatePem) })
  const [good, expired, stranger] = [serve(ours), serve(old), serve(ours)]
  const verdict = async (server: typeof good, key: typeof ours, api = server) => {
    const check = createSignatureCheck({
      ...{ webhookId, apiUrl: `http://127.0.0.1:${api.port}`, timeoutMs: 2000 },
    })
    const certUrl = `http://127.0.0.1:${server.port}${path}`
    const headers = new Headers(transmissionHeaders('{}', { key, certUrl, webhookId, now }))
    return check('{}', headers, now / 1000)
  }
  expect(await verdict(good, ours)).toBe('genuine')
  expect(await verdict(stranger, ours, good)).toBe('bad_signature')
  expect(await verdict(expired, old)).toBe('bad_signature')
  expect(await verdict(good, old)).toBe('bad_signature')

  const live = createSignatureCheck({ webhookId, apiUrl: 'https://api-m.paypal.com', timeoutMs: 200 })
  for (const certUrl of [
    `http://api.paypal.com${path}`,
    `https://api.paypal.com.evil.example${path}`,
    `https://api.sandbox.paypal.com${path}`,
    'https://api.paypal.com/somewhere/else',
    `https://api.paypal.com${path}?x=1`,
  ]) {
    const headers = new Headers(transmissionHeaders('{}', { key: ours, certUrl, webhookId, now }))
    expect(await live('{}', headers, now / 1000)).toBe('bad_signature')
  }
  for (const server of [good, expired, stranger]) await server.stop(0)
})
