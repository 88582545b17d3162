/** A PayPal sandbox on a port of its own, the adapter against it, and a buyer's browser. */
import { createPaypalProvider, type PaypalOptions } from '../../src/flow/payments/paypal.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { listen } from '../../src/platform/server.ts'
import type { Faults } from '../../src/sandbox/paypal/operations.ts'
import { createPaypalSandbox, type PaypalSandboxOptions } from '../../src/sandbox/paypal/sandbox.ts'
import type { Json } from './stripe.ts'

export const paypalKeys = {
  clientId: 'sandbox-client',
  clientSecret: 'sandbox-secret',
  webhookId: '8PT597110X687430LKGECATA',
}

export type TestPaypal = Awaited<ReturnType<typeof startPaypalSandbox>>

/** `port`: 0, or that of an earlier one whose folder is opened again. */
export async function startPaypalSandbox(change: Partial<PaypalSandboxOptions> = {}, port = 0) {
  let fetchIt: (request: Request) => Promise<Response> = () => Promise.reject(new Error('not yet'))
  const server = listen({ host: '127.0.0.1', port, fetch: (request) => fetchIt(request) })
  const url = `http://127.0.0.1:${server.port}/paypal`
  const sandbox = createPaypalSandbox({
    ...paypalKeys,
    url,
    clock: systemClock,
    webhookFirstRetryMs: 5,
    webhookMaxRetryMs: 20,
    ...change,
  })
  fetchIt = (request) => sandbox.fetch(request)
  let token: string | undefined
  const authorization = async () => {
    const { clientId, clientSecret } = paypalKeys
    token ??= (
      (await (
        await fetch(`${url}/v1/oauth2/token`, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
        })
      ).json()) as { access_token: string }
    ).access_token
    return { authorization: `Bearer ${token}` }
  }
  const post = async (path: string, json?: unknown) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json ?? {}),
    })
  return {
    sandbox,
    url,
    port: server.port,
    /** With the shop's own token. */
    api: async (method: string, path: string, json?: unknown, headers: Record<string, string> = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: { 'content-type': 'application/json', ...(await authorization()), ...headers },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      })
      const text = await response.text()
      return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Json }
    },
    /** What the buyer does at PayPal's page; answers where it sends the browser. */
    answer: async (approveUrl: string, result: 'approve' | 'cancel', instrument = 'balance') => {
      const response = await fetch(approveUrl, {
        method: 'POST',
        body: new URLSearchParams({ result, instrument }),
        redirect: 'manual',
      })
      return { status: response.status, location: response.headers.get('location') }
    },
    reverseApproval: async (id: string) => (await post(`/_sandbox/orders/${id}/reverse-approval`)).status,
    revokeTokens: () => post('/_sandbox/revoke-tokens'),
    faults: async (faults: Partial<Faults>) => (await post('/_sandbox/faults', faults)).status,
    provider: (more: Partial<PaypalOptions> = {}) =>
      createPaypalProvider({ ...paypalKeys, apiUrl: url, clock: systemClock, timeoutMs: 2000, ...more }),
    entry: (orderId: string) => sandbox.ledger().filter((entry) => entry.order_id === orderId),
    [Symbol.asyncDispose]: async () => {
      await sandbox.close()
      await server.stop(0)
    },
  }
}
