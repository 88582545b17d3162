/**
 * A local stand-in for PayPal: the same wire API, approval page and signed webhooks, and no money. It does not listen by
 * itself; give its `fetch` to a server.
 */
import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import type { Clock } from '../../platform/clock.ts'
import { controlRoutes } from '../controls.ts'
import { FaultBox } from '../faults.ts'
import type { LedgerEntry } from '../ledger.ts'
import { openStore } from '../store.ts'
import { Webhooks } from '../webhooks.ts'
import { approvalRoutes } from './approval-page.ts'
import { createSigningKey } from './certificate.ts'
import type { EndpointContext } from './endpoint.ts'
import { readLedger } from './ledger.ts'
import { type Operation, operations } from './operations.ts'
import { paypalRoutes } from './routes.ts'
import { signedEvent } from './signing.ts'
import { Tokens } from './tokens.ts'
import type { Row, WebhookEvent } from './types.ts'

export interface PaypalSandboxOptions {
  clientId: string
  clientSecret: string
  webhookId: string
  /** Where this sandbox is reached, without a trailing slash: `http://127.0.0.1:8081/paypal`. */
  url: string
  /** Where events are posted. Without it nobody hears of them. */
  webhookUrl?: string
  /** Where the journal is kept; without it everything is in memory. One sandbox at a time may use a folder. */
  dataDir?: string
  clock: Clock
  log?: (event: string, fields: Record<string, unknown>) => void
  newId?: () => string
  /** The wait after a first failed webhook delivery (default 1 s), doubling up to `webhookMaxRetryMs` (60 s). */
  webhookFirstRetryMs?: number
  webhookMaxRetryMs?: number
  /** Default nine hours. */
  tokenLifetimeS?: number
}

export interface PaypalSandbox {
  /** For requests below the path of `url`. */
  fetch(request: Request): Promise<Response>
  ledger(): LedgerEntry[]
  /** Ends hanging requests and deliveries. Unacknowledged events go out after the next start on the same folder. */
  close(): Promise<void>
}

export function createPaypalSandbox(options: PaypalSandboxOptions): PaypalSandbox {
  const { clock, url, webhookId, webhookUrl, log = () => undefined, newId = randomId } = options
  const store = openStore<Row>(options.dataDir, 'paypal-sandbox')
  const faults = new FaultBox(operations)
  const closing = new AbortController()
  const key = createSigningKey('messageverificationcerts.paypal.localhost', clock.now())
  const certPath = `/v1/notifications/certs/CERT-${randomBytes(8).toString('hex')}`
  const certUrl = url + certPath
  const webhooks =
    webhookUrl === undefined
      ? undefined
      : new Webhooks<WebhookEvent, Operation>({
          url: webhookUrl,
          sign: (event) => signedEvent(event, { key, certUrl, webhookId, now: clock.now() }),
          events: () => store.all('event'),
          ended: (id) => store.get('sandbox.delivery', id) !== undefined,
          commit: (delivery) => store.commit([delivery]),
          clock,
          faults,
          firstRetryMs: options.webhookFirstRetryMs ?? 1000,
          maxRetryMs: options.webhookMaxRetryMs ?? 60_000,
          log,
        })
  const mountedAt = new URL(url).pathname.replace(/\/$/, '')
  const context: EndpointContext = {
    around: { store, now: () => clock.now(), newId },
    tokens: new Tokens(options, options.tokenLifetimeS ?? 9 * 3600),
    faults,
    clock,
    mountedAt,
    closing: closing.signal,
    commit: (rows) => {
      store.commit(rows)
      for (const row of rows) if (row.object === 'event') webhooks?.send(row)
    },
  }
  const api = new Hono()
  api.get(certPath, (c) => c.body(key.certificatePem, 200, { 'content-type': 'application/x-pem-file' }))
  api.route('/', approvalRoutes(context))
  api.route('/', paypalRoutes(context))
  api.route(
    '/',
    controlRoutes({
      ledger: () => readLedger(store),
      faults,
      undelivered: () => webhooks?.pending().length ?? 0,
    }),
  )
  const app = new Hono()
  app.route(mountedAt === '' ? '/' : mountedAt, api)
  app.notFound((c) => c.json({ name: 'NOT_FOUND', message: 'There is nothing at this address' }, 404))
  app.onError((error, c) => {
    log('sandbox_error', { error: String(error), path: c.req.path })
    return c.json({ name: 'INTERNAL_SERVER_ERROR', message: 'The sandbox failed' }, 500)
  })
  webhooks?.resume()
  return {
    fetch: async (request) => app.fetch(request),
    ledger: () => readLedger(store),
    async close() {
      closing.abort()
      await webhooks?.close()
      store.close()
    },
  }
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'

function randomId(): string {
  // 252 = 7 * 36: bytes above it would favour the first letters.
  const letters = [...randomBytes(40)].filter((byte) => byte < 252).map((byte) => alphabet[byte % 36])
  return letters.slice(0, 17).join('')
}
