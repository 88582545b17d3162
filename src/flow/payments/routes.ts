import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { OrderParam, PaymentAnswer, PaymentCheck, PaymentRequest } from '../../contracts/http.ts'
import type { OrderId, UserId } from '../../contracts/ids.ts'
import { declineText } from '../../contracts/words/decline.ts'
import type { Identity } from '../../platform/identity.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, type AppEnv, json, jsonBody, problems } from '../../platform/http.ts'
import { languageOf } from '../../platform/pages.ts'
import type { Log, Metrics } from '../../platform/telemetry.ts'
import type { Theme } from '../../platform/theme/theme.ts'
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
      'rehearsal_only',
      'provider_not_offered',
      'provider_refused',
      'unavailable',
    ),
  },
})
const checkPayment = createRoute({
  method: 'post',
  path: '/api/orders/{id}/payment/check',
  request: { params: OrderParam, body: jsonBody(PaymentRequest) },
  responses: {
    200: json(
      PaymentCheck,
      'How the payment stands at the provider now: for buyers who come back from its page',
    ),
    ...problems(
      'bad_request',
      'session_missing',
      'session_invalid',
      'origin_refused',
      'unknown_order',
      'order_not_payable',
      'provider_not_offered',
      'provider_refused',
      'unavailable',
    ),
  },
})
const WEBHOOKS = ['stripe', 'paypal'] as const

export interface PaymentRouteParts {
  readonly payments: Payments
  readonly findOrder: (user: UserId, id: OrderId) => Promise<Order | undefined>
  /** Whether a claim of this buyer is on its way to SQL. */
  readonly isProcessing: (user: UserId, id: OrderId) => Promise<boolean>
  /** Told of each payment that is opened. Never throws. */
  readonly onStart: (c: Context<AppEnv>, order: Order) => Promise<void>
  /** The page where the buyer pays for it, and comes back to from a provider's page. */
  readonly pageOf: (order: Order) => string
  readonly identity: Identity
  readonly theme: Pick<Theme, 'speakers'>
  readonly metrics: Metrics
  readonly log: Log
}

export function paymentRoutes(app: App, parts: PaymentRouteParts): void {
  const { payments, findOrder, isProcessing, pageOf, identity, theme, metrics, log } = parts

  const ownOrder = async (user: UserId, id: OrderId): Promise<Order> => {
    const order = await findOrder(user, id)
    if (order !== undefined) return order
    if (!(await isProcessing(user, id))) throw new Problem('unknown_order')
    throw new Problem('order_not_payable', 'The order is being written; try again in a second.', {
      retryAfterS: 1,
    })
  }
  const notOffered = () => new Problem('provider_not_offered', `It takes: ${payments.names.join(', ')}.`)

  app.openapi(postPayment, async (c) => {
    const order = await ownOrder(await identity.known(c), c.req.valid('param').id)
    const { provider } = c.req.valid('json')
    const outcome = await payments.start(order, provider, pageOf(order)).catch(explain)
    if (outcome.kind === 'not_offered') throw notOffered()
    if (outcome.kind === 'rehearsal_only') throw rehearsalOnly()
    if (outcome.kind === 'not_payable')
      throw new Problem('order_not_payable', `The order is ${outcome.status}.`)
    await parts.onStart(c, order)
    c.header('Cache-Control', 'no-store')
    return c.json({ provider, order_id: order.order_id, browser: outcome.browser }, 200)
  })

  app.openapi(checkPayment, async (c) => {
    const order = await ownOrder(await identity.known(c), c.req.valid('param').id)
    const { provider } = c.req.valid('json')
    if (payments.provider(provider) === undefined) throw notOffered()
    const { status, payment, failure_code } = await payments.check(order, provider).catch(explain)
    c.header('Cache-Control', 'no-store')
    const reason =
      payment === 'declined' ? { reason: declineText(theme.speakers[languageOf(c)], failure_code) } : {}
    return c.json({ provider, order_id: order.order_id, status, payment, ...reason }, 200)
  })

  for (const name of WEBHOOKS)
    app.post(`/webhooks/${name}`, async (c) => {
      const adapter = payments.provider(name)
      if (adapter === undefined) throw new Problem('not_found')
      const reading = await Promise.resolve(adapter.readWebhook(await c.req.text(), c.req.raw.headers)).catch(
        explain,
      )
      if (reading.kind === 'invalid') {
        metrics.payments.inc({ outcome: reading.reason })
        throw new Problem('webhook_invalid', reading.reason)
      }
      if (reading.kind === 'ignored') return c.json({ received: true, effect: 'ignored' })
      const effect = await payments.receive(name, reading.event).catch(explain)
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

export const rehearsalOnly = () =>
  new Problem(
    'rehearsal_only',
    'The shop is set up to take real money; rehearse paying where it has test keys.',
  )

export function explain(error: unknown): never {
  if (error instanceof ProviderUnavailable)
    throw new Problem('unavailable', 'The payment provider does not answer; try again in a few seconds.', {
      retryAfterS: 2,
      cause: error,
    })
  if (error instanceof ProviderRefused) throw new Problem('provider_refused', error.code, { cause: error })
  throw error
}
