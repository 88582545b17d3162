import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { OrderParam, PaymentAnswer, PaymentRequest } from '../../contracts/http.ts'
import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Identity } from '../../platform/identity.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, type AppEnv, json, jsonBody, problems } from '../../platform/http.ts'
import type { Log, Metrics } from '../../platform/telemetry.ts'
import type { Order } from '../orders/orders.ts'
import { ProviderRefused, ProviderUnavailable, type Payments } from './payments.ts'

const postPayment = createRoute({
  method: 'post',
  path: '/api/orders/{id}/payment',
  request: { params: OrderParam, body: jsonBody(PaymentRequest) },
  responses: {
    200: json(PaymentAnswer, 'What the browser needs to pay'),
    ...problems(
      'bad_request',
      'session_missing',
      'session_invalid',
      'origin_refused',
      'unknown_order',
      'order_not_payable',
      'provider_refused',
      'unavailable',
    ),
  },
})

export interface PaymentRouteParts {
  readonly payments: Payments
  readonly findOrder: (user: UserId, id: OrderId) => Promise<Order | undefined>
  /** Whether a claim of this buyer is on its way to SQL. */
  readonly isProcessing: (user: UserId, id: OrderId) => Promise<boolean>
  /** Told of each payment that is opened. Never throws. */
  readonly onStart: (c: Context<AppEnv>, order: Order) => Promise<void>
  readonly identity: Identity
  readonly metrics: Metrics
  readonly log: Log
}

export function paymentRoutes(app: App, parts: PaymentRouteParts): void {
  const { payments, findOrder, isProcessing, identity, metrics, log } = parts

  app.openapi(postPayment, async (c) => {
    const user = await identity.known(c)
    const { id } = c.req.valid('param')
    const { provider } = c.req.valid('json')
    const order = await findOrder(user, id)
    if (order === undefined) {
      if (!(await isProcessing(user, id))) throw new Problem('unknown_order')
      throw new Problem('order_not_payable', 'The order is being written; try again in a second.', {
        retryAfterS: 1,
      })
    }
    const outcome = await payments.start(order, provider).catch(explain)
    if (outcome.kind === 'not_payable')
      throw new Problem('order_not_payable', `The order is ${outcome.status}.`)
    await parts.onStart(c, order)
    c.header('Cache-Control', 'no-store')
    return c.json({ provider, order_id: id, browser: outcome.browser }, 200)
  })

  app.post('/webhooks/stripe', async (c) => {
    const adapter = payments.provider('stripe')
    if (adapter === undefined) throw new Problem('not_found')
    const reading = await adapter.readWebhook(await c.req.text(), c.req.raw.headers)
    if (reading.kind === 'invalid') {
      metrics.payments.inc({ outcome: reading.reason })
      throw new Problem('webhook_invalid', reading.reason)
    }
    if (reading.kind === 'ignored') return c.json({ received: true, effect: 'ignored' })
    const effect = await payments.receive('stripe', reading.event)
    metrics.payments.inc({ outcome: effect })
    log.info(
      { event_id: reading.event.event_id, order_id: reading.event.payment.order_id, effect },
      'payment event',
    )
    // Providers send again what was not answered with success; by then the order is written.
    if (effect === 'early') throw new Problem('unavailable', 'The order is not written yet.')
    return c.json({ received: true, effect })
  })
}

function explain(error: unknown): never {
  if (error instanceof ProviderUnavailable)
    throw new Problem('unavailable', 'The payment provider does not answer; try again in a few seconds.', {
      retryAfterS: 2,
      cause: error,
    })
  if (error instanceof ProviderRefused) throw new Problem('provider_refused', error.code, { cause: error })
  throw error
}
