import { createRoute, z } from '@hono/zod-openapi'
import { Challenge } from '../../contracts/guard.ts'
import {
  Device,
  EnterAnswer,
  EnterRequest,
  JoinAnswer,
  JoinRequest,
  QueueStatus,
  SaleParam,
} from '../../contracts/http.ts'
import type { Asker } from '../../platform/asker.ts'
import { NEWS } from '../../platform/cache-control.ts'
import type { Doorman } from '../../platform/doorman.ts'
import { Problem } from '../../platform/errors.ts'
import { hotRoute, PERSONAL, reply } from '../../platform/hot-routes.ts'
import { type App, json, jsonBody, problems } from '../../platform/http.ts'
import type { Metrics } from '../../platform/telemetry.ts'
import type { Visitor, WaitingRoom, QueueStatus as Status } from './waiting-room.ts'

const getStatus = createRoute({
  method: 'get',
  path: '/api/queue/{sale}',
  request: { params: SaleParam },
  responses: { 200: json(QueueStatus, 'The same for everybody'), ...problems('unknown_sale', 'unavailable') },
})
const getChallenge = createRoute({
  method: 'get',
  path: '/api/queue/{sale}/challenge',
  description: 'A proof-of-work challenge (ALTCHA, version 2) for one join from one device.',
  request: {
    params: SaleParam,
    query: z.object({ device: Device.openapi({ param: { name: 'device', in: 'query' } }) }),
  },
  responses: {
    200: json(Challenge, 'To be solved and sent with the join'),
    ...problems('bad_request', 'unknown_sale', 'rate_limited', 'unavailable'),
  },
})
const postJoin = createRoute({
  method: 'post',
  path: '/api/queue/{sale}/join',
  request: { params: SaleParam, body: jsonBody(JoinRequest) },
  responses: {
    201: json(JoinAnswer, 'A place at the end of the line'),
    200: json(JoinAnswer, 'The place that the ticket holds already'),
    ...problems(
      'bad_request',
      'idempotency_key_missing',
      'proof_missing',
      'proof_invalid',
      'proof_expired',
      'proof_too_weak',
      'proof_used',
      'captcha_required',
      'rate_limited',
      'unknown_sale',
      'unknown_code',
      'group_full',
      'too_early',
      'sold_out',
      'ended',
      'unavailable',
    ),
  },
})
const postEnter = createRoute({
  method: 'post',
  path: '/api/queue/{sale}/enter',
  request: { params: SaleParam, body: jsonBody(EnterRequest) },
  responses: {
    200: json(EnterAnswer, 'The turn has come'),
    ...problems(
      'bad_request',
      'ticket_invalid',
      'ticket_expired',
      'ticket_foreign',
      'too_early',
      'turn_lapsed',
      'sold_out',
      'paused',
      'ended',
      'rate_limited',
      'unknown_sale',
      'unavailable',
    ),
  },
})

export interface WaitingRoomRouteParts {
  readonly waitingRoom: WaitingRoom
  readonly metrics: Metrics
  readonly shopUrl: string
  readonly doorman: Doorman
  /** Whose browser it is; `device` as the client sends it. */
  readonly visitor: (asker: Asker, device: string | undefined) => Visitor
}

/** How long a client that knows nothing better should wait before it tries to enter again. */
const RETRY_S = 1
const IDEMPOTENCY_KEY = /^[\w-]{8,128}$/

/** Nothing personal: the shop's pages read it as well. */
const PUBLIC = {
  'Content-Type': 'application/json',
  'Cache-Control': NEWS,
  'Access-Control-Allow-Origin': '*',
} as const

/** Gives back the hot ones. */
export function waitingRoomRoutes(
  app: App,
  { waitingRoom, metrics, shopUrl, visitor, doorman }: WaitingRoomRouteParts,
) {
  /** A status is told to thousands before there is another. */
  const texts = new WeakMap<Status, string>()
  const toldOf = (status: Status) => {
    const text = texts.get(status) ?? JSON.stringify(status)
    texts.set(status, text)
    return { status: 200, text, headers: PUBLIC }
  }
  const status = async (sale: string) => {
    const seen = await waitingRoom.status(sale)
    if (seen === undefined) throw new Problem('unknown_sale')
    return toldOf(seen)
  }

  const join = async (
    asker: Asker,
    sale: string,
    { ticket, code, ...shown }: z.infer<typeof JoinRequest>,
  ) => {
    const { device } = shown
    const client_key = asker.req.header('idempotency-key')
    if (client_key !== undefined && !IDEMPOTENCY_KEY.test(client_key))
      throw new Problem(
        'idempotency_key_missing',
        'Send 8 to 128 letters, digits, hyphens or underscores, or none.',
      )
    const knock = { ...shown, sale }
    const request = { sale, visitor: visitor(asker, device), ticket, code, client_key }
    // Whoever has a place already keeps it, whatever the guard thinks.
    const decoy = !waitingRoom.hasPlace(request) && (await doorman.join(asker, knock)) === 'decoy'
    const outcome = await waitingRoom.join({ ...request, decoy })
    metrics.joins.inc({ outcome: outcome.kind })
    if (outcome.kind === 'not_yet')
      throw new Problem('too_early', 'The waiting room has not opened.', { retryAfterS: outcome.wait_s })
    if (outcome.kind !== 'joined' && outcome.kind !== 'kept') throw new Problem(outcome.kind)
    const { kind, ...place } = outcome
    const told: z.infer<typeof JoinAnswer> = place
    return { status: kind === 'joined' ? 201 : 200, text: JSON.stringify(told), headers: PERSONAL }
  }

  const enter = async (asker: Asker, sale: string, { ticket, device }: z.infer<typeof EnterRequest>) => {
    await doorman.enter(asker, sale, ticket)
    const outcome = await waitingRoom.enter({ sale, ticket, visitor: visitor(asker, device) })
    metrics.enters.inc({ outcome: outcome.kind })
    if (outcome.kind === 'too_early')
      throw new Problem(
        'too_early',
        outcome.position === undefined ? 'The sale has not opened.' : `Your place is ${outcome.position}.`,
        { retryAfterS: outcome.wait_s ?? RETRY_S },
      )
    if (outcome.kind !== 'entered') throw new Problem(outcome.kind)
    await doorman.entered(asker, sale)
    const { pass, expires_at } = outcome
    // In the fragment: it never reaches a server's log on the way.
    const shop_url = `${shopUrl}/checkout/${sale}#pass=${pass}`
    const told: z.infer<typeof EnterAnswer> = { pass, expires_at, shop_url }
    return { status: 200, text: JSON.stringify(told), headers: PERSONAL }
  }

  app.openapi(getStatus, async (c) => reply(c, await status(c.req.valid('param').sale)))
  app.openapi(getChallenge, async (c) => {
    const challenge = await doorman.challenge(c, c.req.valid('param').sale, c.req.valid('query').device)
    c.header('Cache-Control', 'no-store')
    return c.json(challenge, 200)
  })
  app.openapi(postJoin, async (c) => reply(c, await join(c, c.req.valid('param').sale, c.req.valid('json'))))
  app.openapi(postEnter, async (c) =>
    reply(c, await enter(c, c.req.valid('param').sale, c.req.valid('json'))),
  )
  return [
    hotRoute({
      route: getStatus,
      answer: (_asker, { id }) => status(id),
      atHand: (id) => {
        const seen = waitingRoom.statusAtHand(id)
        return seen && toldOf(seen)
      },
    }),
    hotRoute({ route: postJoin, body: JoinRequest, answer: (asker, { id, body }) => join(asker, id, body) }),
    hotRoute({
      route: postEnter,
      body: EnterRequest,
      answer: (asker, { id, body }) => enter(asker, id, body),
    }),
  ]
}
