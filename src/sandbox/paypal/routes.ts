/** PayPal's endpoints, as many of them as Doorbuster uses. */
import { Hono } from 'hono'
import type { Endpoint, EndpointContext } from './endpoint.ts'
import { serve } from './endpoint.ts'
import { authorize, createOrder, findOrder, reverseApproval } from './orders.ts'
import { capture, findAuthorization, findCapture, refund, voidAuthorization } from './payments.ts'
import { showAuthorization, showCapture, showOrder } from './render.ts'
import { baseOf } from './endpoint.ts'
import { Work } from './work.ts'

export function paypalRoutes(context: EndpointContext): Hono {
  const { around, clock, closing, faults, tokens } = context
  const { store } = around
  const app = new Hono()
  const at = (request: Request, operation: Endpoint['operation'], run: Endpoint['run']) =>
    serve(context, { operation, run }, request)

  app.post('/v1/oauth2/token', async (c) => {
    if (faults.take('fail_next', 'token')) return c.json({ error: 'internal_error' }, 500)
    const latency = faults.latency('token')
    if (latency > 0) await clock.sleep(latency, closing)
    if ((await c.req.parseBody())['grant_type'] !== 'client_credentials')
      return c.json({ error: 'unsupported_grant_type', error_description: 'Grant Type is NULL' }, 400)
    const token = tokens.issue(c.req.header('authorization') ?? null, around.now())
    return token === undefined
      ? c.json({ error: 'invalid_client', error_description: 'Client Authentication failed' }, 401)
      : c.json(token)
  })

  app.post('/v2/checkout/orders', (c) =>
    at(c.req.raw, 'create', (work, body) => createOrder(work, store, body)),
  )
  app.get('/v2/checkout/orders/:id', (c) =>
    at(c.req.raw, 'retrieve', (work) => ({
      status: 200,
      body: showOrder(work, store, findOrder(work, store, c.req.param('id'))),
    })),
  )
  app.post('/v2/checkout/orders/:id/authorize', (c) =>
    at(c.req.raw, 'authorize', (work) => authorize(work, store, findOrder(work, store, c.req.param('id')))),
  )
  app.get('/v2/payments/authorizations/:id', (c) =>
    at(c.req.raw, 'retrieve', (work) => {
      const [authorization, order] = findAuthorization(work, c.req.param('id'))
      return { status: 200, body: showAuthorization(work, order, authorization) }
    }),
  )
  app.post('/v2/payments/authorizations/:id/capture', (c) =>
    at(c.req.raw, 'capture', (work, body) => capture(work, findAuthorization(work, c.req.param('id')), body)),
  )
  app.post('/v2/payments/authorizations/:id/void', (c) =>
    at(c.req.raw, 'void', (work) => voidAuthorization(work, findAuthorization(work, c.req.param('id')))),
  )
  app.get('/v2/payments/captures/:id', (c) =>
    at(c.req.raw, 'retrieve', (work) => {
      const [taken, order] = findCapture(work, c.req.param('id'))
      return { status: 200, body: showCapture(work, order, taken) }
    }),
  )
  app.post('/v2/payments/captures/:id/refund', (c) =>
    at(c.req.raw, 'refund', (work, body) => refund(work, findCapture(work, c.req.param('id')), body)),
  )

  // Controls: what PayPal does by itself after hours, now.
  app.post('/_sandbox/orders/:id/reverse-approval', (c) => {
    const work = new Work(around, baseOf(context, c.req.raw))
    const order = work.get('order', c.req.param('id'))
    if (order?.status !== 'APPROVED') return c.json({ error: 'no approved order' }, 409)
    reverseApproval(work, store, order)
    context.commit(work.rows())
    return c.json({ status: 'VOIDED' })
  })
  app.post('/_sandbox/revoke-tokens', (c) => {
    tokens.revoke()
    return c.json({})
  })
  return app
}
