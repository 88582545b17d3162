import { createRoute, type z } from '@hono/zod-openapi'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { ClaimAnswer, ClaimRequest, IdParam, ReceiptRequest, StockAnswer } from '../../contracts/http.ts'
import type { ItemId } from '../../contracts/ids.ts'
import type { Asker } from '../../platform/asker.ts'
import { NEWS } from '../../platform/cache-control.ts'
import type { Config } from '../../platform/config.ts'
import type { Identity } from '../../platform/identity.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Doorman } from '../../platform/doorman.ts'
import { publicStock } from '../../contracts/words/stock.ts'
import { overloaded, Problem, unavailable } from '../../platform/errors.ts'
import { type App, json, jsonBody, problems } from '../../platform/http.ts'
import type { Metrics } from '../../platform/telemetry.ts'
import { hotRoute, PERSONAL, reply } from '../../platform/hot-routes.ts'
import type { Visitor } from '../waiting-room/waiting-room.ts'
import type { Claiming, ClaimingOutcome } from './claiming.ts'
import { orderIdOf } from './order-id.ts'
import { InventoryUnavailable, InventoryUnknown } from './inventory.ts'
import type { StockBoard } from './stock-board.ts'

const REFUSALS = [
  'sold_out',
  'held_out',
  'not_enough_left',
  'limit_reached',
  'not_open',
  'paused',
  'ended',
  'unknown_item',
  'fenced',
  'unavailable',
] as const

const postClaim = createRoute({
  method: 'post',
  path: '/api/claims',
  description:
    'Takes units for the holder of a pass. The same request with the same `Idempotency-Key` is answered with the same order; a refused claim frees the pass.',
  request: { body: jsonBody(ClaimRequest) },
  responses: {
    201: json(ClaimAnswer, 'The units are held'),
    ...problems(
      'bad_request',
      'idempotency_key_missing',
      'idempotency_key_reused',
      'pass_missing',
      'pass_invalid',
      'pass_expired',
      'pass_foreign',
      'pass_used',
      'rate_limited',
      'session_missing',
      'session_invalid',
      'origin_refused',
      ...REFUSALS,
    ),
  },
})
const postReceipt = createRoute({
  method: 'post',
  path: '/api/receipts',
  description: 'Presents the receipt of a claim: restores the claim if it was lost, while stock allows.',
  request: { body: jsonBody(ReceiptRequest) },
  responses: {
    201: json(ClaimAnswer, 'The claim stands'),
    ...problems(
      'bad_request',
      'receipt_invalid',
      'session_missing',
      'session_invalid',
      'origin_refused',
      ...REFUSALS,
    ),
  },
})
const getStock = createRoute({
  method: 'get',
  path: '/api/items/{id}/stock',
  request: { params: IdParam },
  responses: { 200: json(StockAnswer, 'At most a second old'), ...problems('unknown_item') },
})
const getLiveStock = createRoute({
  method: 'get',
  path: '/api/items/{id}/stock/live',
  request: { params: IdParam },
  responses: {
    200: {
      description: 'Server-sent events `stock`',
      content: { 'text/event-stream': { schema: StockAnswer } },
    },
    ...problems('unknown_item'),
  },
})

const IDEMPOTENCY_KEY = /^[\w-]{8,128}$/
const HEARTBEAT_S = 15

export interface InventoryRouteParts {
  readonly claiming: Claiming
  readonly board: StockBoard
  readonly identity: Identity
  readonly doorman: Doorman
  /** Whose browser it is; `device` as the client sends it. */
  readonly visitor: (asker: Asker, device: string | undefined) => Visitor
  readonly metrics: Metrics
  readonly clock: Clock
  readonly config: Pick<Config, 'liveStreamsMax'>
  /** Ends open event streams when the process stops. */
  readonly stopping: AbortSignal
}

/** Gives back the hot one. */
export function inventoryRoutes(app: App, parts: InventoryRouteParts) {
  const { claiming, board, identity, doorman, visitor, metrics, clock, stopping } = parts

  const answer = (outcome: ClaimingOutcome): z.infer<typeof ClaimAnswer> => {
    metrics.claims.inc({ outcome: outcome.kind })
    if (outcome.kind !== 'claimed') throw toProblem(outcome)
    const { order_id, status, pay_by, hold_expires_at, receipt } = outcome
    return { order_id, status, pay_by, hold_expires_at, receipt }
  }
  const claim = async (asker: Asker, { item_id, quantity }: z.infer<typeof ClaimRequest>) => {
    const shown = { pass: bearer(asker), idempotency_key: idempotencyKey(asker) }
    const command = {
      ...shown,
      claimant: async () => {
        const user_id = await identity.user(asker)
        await doorman.claim(asker, item_id, user_id)
        return { user_id, order_id: orderIdOf({ ...shown, user_id }) }
      },
      visitor: visitor(asker, asker.req.header('x-device')),
      item_id,
      quantity,
    }
    const claimed = answer(await claiming.claim(command).catch(explain))
    return { status: 201, text: JSON.stringify(claimed), headers: PERSONAL }
  }
  app.openapi(postClaim, async (c) => reply(c, await claim(c, c.req.valid('json'))))
  app.openapi(postReceipt, async (c) => {
    const user = await identity.known(c)
    c.header('Cache-Control', 'no-store')
    return c.json(answer(await claiming.restore(user, c.req.valid('json').receipt).catch(explain)), 201)
  })

  const readStock = async (id: ItemId) => {
    const stock = await board.read(id)
    return stock && publicStock(id, stock, clock.now())
  }
  app.openapi(getStock, async (c) => {
    const stock = await readStock(c.req.valid('param').id)
    if (stock === undefined) throw new Problem('unknown_item')
    c.header('Cache-Control', NEWS)
    return c.json(stock, 200)
  })
  let open = 0
  app.openapi(getLiveStock, async (c) => {
    const { id } = c.req.valid('param')
    if ((await readStock(id)) === undefined) throw new Problem('unknown_item')
    if (open >= parts.config.liveStreamsMax) throw overloaded()
    // Nobody would read it, and so nobody would leave.
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' })
    open += 1
    return streamSSE(c, async (stream) => {
      const over = new AbortController()
      stream.onAbort(() => over.abort())
      const ending = AbortSignal.any([over.signal, stopping])
      await tell(id, stream, ending).finally(() => (open -= 1))
    })
  })
  const tell = async (id: ItemId, stream: SSEStreamingApi, ending: AbortSignal) => {
    let [sent, quietS] = ['', 0]
    while (!ending.aborted) {
      const stock = await readStock(id)
      const units = JSON.stringify({ ...stock, server_time: 0 })
      quietS += 1
      if (units !== sent || quietS >= HEARTBEAT_S) {
        await stream.writeSSE({ event: 'stock', data: JSON.stringify(stock) })
        ;[sent, quietS] = [units, 0]
      }
      await clock.sleep(1000, ending)
    }
  }
  return [hotRoute({ route: postClaim, body: ClaimRequest, answer: (asker, { body }) => claim(asker, body) })]
}

function bearer({ req }: Asker): string {
  const token = /^Bearer +(\S+)$/i.exec(req.header('authorization') ?? '')?.[1]
  if (token === undefined)
    throw new Problem('pass_missing', 'Join the waiting room; your pass goes into Authorization: Bearer.')
  return token
}

function idempotencyKey({ req }: Asker): string {
  const key = req.header('idempotency-key')
  if (key === undefined || !IDEMPOTENCY_KEY.test(key))
    throw new Problem('idempotency_key_missing', 'Send 8 to 128 letters, digits, hyphens or underscores.')
  return key
}

/** A refused claim in words. */
export function toProblem(outcome: Exclude<ClaimingOutcome, { kind: 'claimed' }>): Problem {
  switch (outcome.kind) {
    case 'not_enough_left':
      return new Problem('not_enough_left', `${outcome.available} left.`)
    case 'key_reused':
      return new Problem('idempotency_key_reused', 'Use a new key for a new request.')
    case 'held_out':
      return new Problem('held_out', 'Try again in a moment: unpaid units come back.', { retryAfterS: 1 })
    case 'fenced':
    case 'unloaded':
      return new Problem('fenced', 'Nothing is lost; try again in a few seconds.', { retryAfterS: 2 })
    case 'overloaded':
      return overloaded()
    case 'unsettled':
    case 'foreign':
      return unavailable('Ask again with the same key.')
    case 'pass_invalid':
    case 'pass_expired':
      return new Problem(outcome.kind, 'Join the waiting room again.')
    case 'unknown_item':
    case 'receipt_invalid':
    case 'pass_foreign':
    case 'pass_used':
    case 'sold_out':
    case 'limit_reached':
    case 'not_open':
    case 'paused':
    case 'ended':
      return new Problem(outcome.kind)
  }
}

/** Redis did not answer: the buyer is told what is known, and that the same key finds out. */
export function explain(error: unknown): never {
  if (error instanceof InventoryUnknown)
    throw unavailable('It is not known whether you have it: ask again with this same key.', error)
  if (error instanceof InventoryUnavailable)
    throw unavailable('Nothing was taken; try again with this same key.', error)
  throw error
}
