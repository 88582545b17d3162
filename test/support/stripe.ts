/** A Stripe sandbox on a port of its own, the adapter against it, a browser's side of it, and a webhook endpoint. */
import { createStripeProvider, type StripeOptions } from '../../src/flow/payments/stripe.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { listen } from '../../src/platform/server.ts'
import type { Faults } from '../../src/sandbox/stripe/operations.ts'
import { createStripeSandbox, type StripeSandboxOptions } from '../../src/sandbox/stripe/sandbox.ts'

export const stripeKeys = {
  secretKey: 'sk_test_doorbuster',
  publishableKey: 'pk_test_doorbuster',
  webhookSecret: 'whsec_doorbuster',
}

export type Fields = Record<string, string>
export interface Answer {
  status: number
  headers: Headers
  body: Json
}
/** What a test reads out of a JSON answer; a wrong path is `undefined` and fails the expectation. */
export interface Json {
  [name: string]: Json
}

export type TestSandbox = Awaited<ReturnType<typeof startStripeSandbox>>

export async function startStripeSandbox(change: Partial<StripeSandboxOptions> = {}) {
  const options = {
    ...stripeKeys,
    clock: systemClock,
    webhookFirstRetryMs: 5,
    webhookMaxRetryMs: 20,
    ...change,
  }
  const sandbox = createStripeSandbox(options)
  const server = listen({ host: '127.0.0.1', port: 0, fetch: (request) => sandbox.fetch(request) })
  const url = `http://127.0.0.1:${server.port}`
  const call = async (
    method: string,
    path: string,
    fields: Fields = {},
    headers: Fields = {},
  ): Promise<Answer> => {
    const form = new URLSearchParams(fields)
    const response = await fetch(method === 'GET' ? `${url}${path}?${form}` : `${url}${path}`, {
      method,
      headers,
      ...(method === 'GET' ? {} : { body: form }),
    })
    return { status: response.status, headers: response.headers, body: (await response.json()) as Json }
  }
  const secret = { authorization: `Bearer ${stripeKeys.secretKey}` }
  const asBrowser = { authorization: `Bearer ${stripeKeys.publishableKey}` }
  return {
    sandbox,
    url,
    call,
    /** With the merchant's secret key. */
    api: (method: string, path: string, fields: Fields = {}, headers: Fields = {}) =>
      call(method, path, fields, { ...secret, ...headers }),
    /** As the buyer's browser confirms: publishable key, client secret, and a card. */
    confirm: (clientSecret: string, card: Fields, more: Fields = {}) =>
      call(
        'POST',
        `/v1/payment_intents/${idOf(clientSecret)}/confirm`,
        { client_secret: clientSecret, ...card, ...more },
        asBrowser,
      ),
    look: (clientSecret: string) =>
      call('GET', `/v1/payment_intents/${idOf(clientSecret)}`, { client_secret: clientSecret }, asBrowser),
    faults: async (faults: Partial<Faults>) => {
      const body = JSON.stringify(faults)
      const headers = { 'content-type': 'application/json' }
      return (await fetch(`${url}/_sandbox/faults`, { method: 'POST', headers, body })).status
    },
    provider: (more: Partial<StripeOptions> = {}) =>
      createStripeProvider({ ...stripeKeys, apiUrl: url, clock: systemClock, timeoutMs: 2000, ...more }),
    entry: (orderId: string) => sandbox.ledger().filter((entry) => entry.order_id === orderId),
    [Symbol.asyncDispose]: async () => {
      await sandbox.close()
      await server.stop(0)
    },
  }
}

export const idOf = (clientSecret: string): string => clientSecret.split('_secret_')[0] ?? ''

/** Card fields by number, valid in every other respect unless `change` says otherwise. */
export function cardFields(number: string, change: Fields = {}): Fields {
  const fields = { number, exp_month: '12', exp_year: '2050', cvc: '123', ...change }
  const named = Object.entries(fields).map(
    ([name, value]) => [`payment_method_data[card][${name}]`, value] as const,
  )
  return { 'payment_method_data[type]': 'card', ...Object.fromEntries(named) }
}

export interface Received {
  id: string
  type: string
  raw: string
  headers: Headers
}

/** A webhook endpoint that keeps what it gets; `answer` gives the status for the n-th request, counted from 1. */
export function startReceiver(answer: (n: number) => number = () => 200) {
  const received: Received[] = []
  const server = listen({
    host: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const raw = await request.text()
      const { id, type } = JSON.parse(raw) as { id: string; type: string }
      received.push({ id, type, raw, headers: request.headers })
      return new Response(null, { status: answer(received.length) })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/webhooks/stripe`,
    received,
    types: () => received.map((event) => event.type),
    [Symbol.asyncDispose]: () => server.stop(0),
  }
}

/** Waits until `condition` holds. Throws after `withinMs` with what was seen last. */
export async function eventually(condition: () => unknown, withinMs = 3000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const seen = await condition()
    if (seen === true) return
    if (performance.now() > deadline)
      throw new Error(`still not true after ${withinMs} ms: ${JSON.stringify(seen)}`)
    await systemClock.sleep(5)
  }
}
