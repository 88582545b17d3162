/**
 * A local stand-in for Stripe: the same wire API, test cards and signed webhooks, and no money. It does not listen by
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
import { challengeRoutes } from './challenge-page.ts'
import { elementsRoutes } from './elements/routes.ts'
import type { EndpointContext } from './endpoint.ts'
import { IdempotencyKeys } from './idempotency.ts'
import { readLedger } from './ledger.ts'
import { type Operation, operations } from './operations.ts'
import { stripeRoutes, unknownRoute } from './routes.ts'
import type { Event, Row } from './types.ts'
import { signedEvent } from './webhooks.ts'

export interface StripeSandboxOptions {
  secretKey: string
  publishableKey: string
  webhookSecret: string
  /** Where events are posted. Without it they can only be read at `/v1/events`. */
  webhookUrl?: string
  /** Where the journal is kept; without it everything is in memory. One sandbox at a time may use a folder. */
  dataDir?: string
  clock: Clock
  log?: (event: string, fields: Record<string, unknown>) => void
  newId?: (prefix: string) => string
  /** The wait after a first failed webhook delivery (default 1 s), doubling up to `webhookMaxRetryMs` (60 s). */
  webhookFirstRetryMs?: number
  webhookMaxRetryMs?: number
}

export interface StripeSandbox {
  fetch(request: Request): Promise<Response>
  ledger(): LedgerEntry[]
  /** Ends hanging requests and deliveries. Unacknowledged events go out after the next start on the same folder. */
  close(): Promise<void>
}

const apiVersion = '2026-10-28.endive'

export function createStripeSandbox(options: StripeSandboxOptions): StripeSandbox {
  const { clock, webhookUrl, log = () => undefined, newId = randomId } = options
  const store = openStore<Row>(options.dataDir, 'stripe-sandbox')
  const faults = new FaultBox(operations)
  const closing = new AbortController()
  const webhooks =
    webhookUrl === undefined
      ? undefined
      : new Webhooks<Event, Operation>({
          url: webhookUrl,
          sign: (event) => signedEvent(event, options.webhookSecret, clock.now()),
          events: () => store.all('event').filter((event) => event.pending_webhooks > 0),
          ended: (id) => store.get('sandbox.delivery', id) !== undefined,
          commit: (delivery) => store.commit([delivery]),
          clock,
          faults,
          firstRetryMs: options.webhookFirstRetryMs ?? 1000,
          maxRetryMs: options.webhookMaxRetryMs ?? 60_000,
          log,
        })
  const context: EndpointContext = {
    keys: options,
    around: { store, now: () => clock.now(), newId, apiVersion, endpoints: webhooks ? 1 : 0 },
    idempotency: new IdempotencyKeys(store),
    faults,
    clock,
    closing: closing.signal,
    commit: (rows) => {
      store.commit(rows)
      for (const row of rows) if (row.object === 'event') webhooks?.send(row)
    },
  }
  const app = new Hono()
  app.route('/', challengeRoutes(context))
  app.route('/', elementsRoutes())
  app.route(
    '/',
    controlRoutes({
      ledger: () => readLedger(store),
      faults,
      undelivered: () => webhooks?.pending().length ?? 0,
    }),
  )
  app.route('/', stripeRoutes(context))
  app.notFound((c) => unknownRoute(c.req.method, c.req.path))
  app.onError((error, c) => {
    log('sandbox_error', { error: String(error), path: c.req.path })
    return c.json({ error: { type: 'api_error', message: 'The sandbox failed' } }, 500)
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

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function randomId(prefix: string): string {
  // 248 = 4 * 62: bytes above it would favour the first letters.
  const letters = [...randomBytes(64)].filter((byte) => byte < 248).map((byte) => alphabet[byte % 62])
  return `${prefix}_${letters.slice(0, 24).join('')}`
}
