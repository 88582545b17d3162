/** Stripe's endpoints, as many of them as Doorbuster and its buyers' browsers use. */
import { Hono } from 'hono'
import { corsHeaders, serve } from './endpoint.ts'
import type { Endpoint, EndpointContext } from './endpoint.ts'
import { cancel, capture, confirm, createIntent, findIntent } from './intents.ts'
import { getEvent, listEvents, listIntents } from './queries.ts'
import { createRefund } from './refunds.ts'
import { viewIntent } from './render.ts'

export function stripeRoutes(context: EndpointContext): Hono {
  const { store } = context.around
  const app = new Hono()
  const at = (request: Request, endpoint: Endpoint) => serve(context, endpoint, request)

  app.options('/v1/*', () => new Response(null, { status: 200, headers: corsHeaders }))

  app.post('/v1/payment_intents', (c) => at(c.req.raw, { operation: 'create', run: createIntent }))
  app.get('/v1/payment_intents', (c) =>
    at(c.req.raw, { operation: 'list', run: (work, params) => listIntents(store, work, params) }),
  )
  app.get('/v1/payment_intents/:id', (c) =>
    at(c.req.raw, {
      operation: 'retrieve',
      open: true,
      run: (work, params, caller) => {
        const intent = findIntent(work, c.req.param('id'), params, caller)
        const expand = params.list('expand')
        params.refuseOthers()
        return { body: viewIntent(work, intent, caller, expand) }
      },
    }),
  )
  app.post('/v1/payment_intents/:id/confirm', (c) =>
    at(c.req.raw, {
      operation: 'confirm',
      open: true,
      run: (work, params, caller) =>
        confirm(work, findIntent(work, c.req.param('id'), params, caller), params, caller),
    }),
  )
  app.post('/v1/payment_intents/:id/capture', (c) =>
    at(c.req.raw, {
      operation: 'capture',
      run: (work, params, caller) =>
        capture(work, findIntent(work, c.req.param('id'), params, caller), params),
    }),
  )
  app.post('/v1/payment_intents/:id/cancel', (c) =>
    at(c.req.raw, {
      operation: 'cancel',
      run: (work, params, caller) =>
        cancel(work, findIntent(work, c.req.param('id'), params, caller), params),
    }),
  )
  app.post('/v1/refunds', (c) => at(c.req.raw, { operation: 'refund', run: createRefund }))
  app.get('/v1/events', (c) =>
    at(c.req.raw, { operation: 'events', run: (_work, params) => listEvents(store, params) }),
  )
  app.get('/v1/events/:id', (c) =>
    at(c.req.raw, {
      operation: 'events',
      run: (_work, params) => getEvent(store, c.req.param('id'), params),
    }),
  )
  return app
}

export function unknownRoute(method: string, path: string): Response {
  const message = `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`
  return Response.json(
    { error: { type: 'invalid_request_error', message } },
    { status: 404, headers: corsHeaders },
  )
}
