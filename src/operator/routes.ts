import { createHash, timingSafeEqual } from 'node:crypto'
import { createRoute, z } from '@hono/zod-openapi'
import { createMiddleware } from 'hono/factory'
import {
  CapRequest,
  CommandRequest,
  Line,
  MessageRequest,
  NewGroup,
  NewSale,
  RateRequest,
  ReconcileRequest,
  ReconcileRun,
  Sale,
  SaleParam,
  SaleWithProducts,
} from '../contracts/http.ts'
import type { SaleId } from '../contracts/ids.ts'
import type { Catalogue } from '../flow/catalogue/catalogue.ts'
import type { EventLog } from '../flow/events/events.ts'
import type { WaitingRoom } from '../flow/waiting-room/waiting-room.ts'
import type { Reconcile } from '../flow/reconcile/reconcile.ts'
import { Problem } from '../platform/errors.ts'
import { type App, type AppEnv, json, jsonBody, problems } from '../platform/http.ts'
import type { Database } from '../platform/postgres.ts'
import type { Authority, Commands } from './commands.ts'
import { selectAudit } from './sql.ts'

const BASE = '/api/operator'
const OPERATOR = 'token'
const LATEST = 200

const Runs = z.object({ runs: z.array(ReconcileRun) })
const Audit = z.object({
  entries: z.array(
    z.object({
      at: z.int(),
      operator: z.string(),
      command: z.string(),
      target: z.string(),
      reason: z.string(),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
})
const DeadLetters = z.object({
  dead_letters: z.array(
    z.object({
      id: z.string(),
      item_id: z.string(),
      outbox_id: z.string(),
      reason: z.string(),
      fields: z.record(z.string(), z.string()),
      at: z.int(),
    }),
  ),
})
const LetterParam = z.object({
  id: z
    .string()
    .min(1)
    .max(200)
    .openapi({ param: { name: 'id', in: 'path' } }),
})

const listSales = createRoute({
  method: 'get',
  path: `${BASE}/sales`,
  responses: { 200: json(z.object({ sales: z.array(Sale) }), 'All sales'), ...problems('operator_only') },
})
const createSale = createRoute({
  method: 'post',
  path: `${BASE}/sales`,
  request: { body: jsonBody(NewSale) },
  responses: {
    201: json(SaleWithProducts, 'Created; it opens at `opens_at`'),
    ...problems('bad_request', 'operator_only', 'already_exists'),
  },
})
const getSale = createRoute({
  method: 'get',
  path: `${BASE}/sales/{sale}`,
  request: { params: SaleParam },
  responses: { 200: json(SaleWithProducts, 'One sale'), ...problems('operator_only', 'unknown_sale') },
})
const command = <Path extends string>(path: Path, description: string) =>
  createRoute({
    method: 'post',
    path: `${BASE}/sales/{sale}/${path}` as const,
    description,
    request: { params: SaleParam, body: jsonBody(CommandRequest) },
    responses: {
      200: json(SaleWithProducts, 'The sale as it is now'),
      ...problems('bad_request', 'operator_only', 'unknown_sale'),
    },
  })
const postStandby = command('standby', 'Everybody walks through until too many arrive in a second')
const setRate = createRoute({
  method: 'put',
  path: `${BASE}/sales/{sale}/rate`,
  request: { params: SaleParam, body: jsonBody(RateRequest) },
  responses: {
    200: json(SaleWithProducts, 'The sale as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_sale'),
  },
})
const setCap = createRoute({
  method: 'put',
  path: `${BASE}/sales/{sale}/cap`,
  request: { params: SaleParam, body: jsonBody(CapRequest) },
  responses: {
    200: json(SaleWithProducts, 'The sale as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_sale'),
  },
})
const setMessage = createRoute({
  method: 'put',
  path: `${BASE}/sales/{sale}/message`,
  request: { params: SaleParam, body: jsonBody(MessageRequest) },
  responses: {
    200: json(SaleWithProducts, 'The sale as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_sale'),
  },
})
const postGroup = createRoute({
  method: 'post',
  path: `${BASE}/sales/{sale}/groups`,
  request: { params: SaleParam, body: jsonBody(NewGroup) },
  responses: {
    201: json(z.object({ id: z.string() }), 'Whoever joins with the code stands in a lane of their own'),
    ...problems('bad_request', 'operator_only', 'unknown_sale', 'already_exists'),
  },
})
const getLine = createRoute({
  method: 'get',
  path: `${BASE}/sales/{sale}/line`,
  responses: { 200: json(Line, 'The main line right now'), ...problems('operator_only', 'unknown_sale') },
  request: { params: SaleParam },
})
const postReconcile = createRoute({
  method: 'post',
  path: `${BASE}/reconcile`,
  request: { body: jsonBody(ReconcileRequest) },
  responses: {
    200: json(Runs, 'One run per item'),
    ...problems('bad_request', 'operator_only', 'unknown_item'),
  },
})
const getRuns = createRoute({
  method: 'get',
  path: `${BASE}/reconcile`,
  responses: { 200: json(Runs, `The latest ${LATEST} runs`), ...problems('operator_only') },
})
const getAudit = createRoute({
  method: 'get',
  path: `${BASE}/audit`,
  responses: { 200: json(Audit, `The latest ${LATEST} commands`), ...problems('operator_only') },
})
const getDeadLetters = createRoute({
  method: 'get',
  path: `${BASE}/dead-letters`,
  responses: { 200: json(DeadLetters, 'Events that were set aside'), ...problems('operator_only') },
})
const postReplay = createRoute({
  method: 'post',
  path: `${BASE}/dead-letters/{id}/replay`,
  request: { params: LetterParam, body: jsonBody(CommandRequest) },
  responses: {
    200: json(z.object({ outcome: z.literal('replayed') }), 'Back in its outbox'),
    ...problems('bad_request', 'operator_only', 'not_found'),
  },
})

export interface OperatorRouteParts {
  readonly commands: Commands
  readonly waitingRoom: Pick<WaitingRoom, 'line'>
  readonly catalogue: Catalogue
  readonly reconcile: Reconcile
  readonly eventLog: Pick<EventLog, 'deadLetters'>
  readonly database: Database
  readonly opsToken: string
  readonly queueUrl: string
}

export function operatorRoutes(app: App, parts: OperatorRouteParts): void {
  const { commands, waitingRoom, catalogue, reconcile, eventLog, database, opsToken, queueUrl } = parts
  const by = (reason: string): Authority => ({ operator: OPERATOR, reason })
  const view = async (id: SaleId) => {
    const sale = await catalogue.sale(id)
    if (sale === undefined) throw new Problem('unknown_sale')
    return { ...sale, products: await catalogue.products(id), queue_url: `${queueUrl}/${id}` }
  }
  const changed = async (id: SaleId, outcome: 'changed' | 'unknown_sale') => {
    if (outcome === 'unknown_sale') throw new Problem('unknown_sale')
    return view(id)
  }

  app.use(`${BASE}/*`, operatorsOnly(opsToken))
  app.openapi(listSales, async (c) => c.json({ sales: await catalogue.sales() }, 200))
  app.openapi(createSale, async (c) => {
    const { reason, ...sale } = c.req.valid('json')
    const outcome = await commands.createSale(by(reason), sale)
    if (outcome.kind === 'exists')
      throw new Problem('already_exists', `There is a ${outcome.what} ${outcome.id} already.`)
    if (outcome.kind === 'contradiction') throw new Problem('bad_request', outcome.why)
    return c.json(await view(sale.id), 201)
  })
  app.openapi(getSale, async (c) => c.json(await view(c.req.valid('param').sale), 200))
  app.openapi(setCap, async (c) => {
    const { sale } = c.req.valid('param')
    const { checkout_cap, reason } = c.req.valid('json')
    return c.json(await changed(sale, await commands.setCap(by(reason), sale, checkout_cap)), 200)
  })
  app.openapi(setMessage, async (c) => {
    const { sale } = c.req.valid('param')
    const { message, reason } = c.req.valid('json')
    return c.json(await changed(sale, await commands.setMessage(by(reason), sale, message)), 200)
  })
  app.openapi(postGroup, async (c) => {
    const { sale } = c.req.valid('param')
    const { reason, ...group } = c.req.valid('json')
    const outcome = await commands.addGroup(by(reason), { ...group, sale_id: sale })
    if (outcome === 'unknown_sale') throw new Problem('unknown_sale')
    if (outcome === 'exists')
      throw new Problem('already_exists', 'There is a group of this id or code already.')
    return c.json({ id: group.id }, 201)
  })
  app.openapi(getLine, async (c) => {
    const line = await waitingRoom.line(c.req.valid('param').sale)
    if (line === undefined) throw new Problem('unknown_sale')
    return c.json(
      {
        waiting: line.tail - line.serving,
        entered: line.entered,
        in_checkout: line.in_checkout,
        rate_per_second: line.rate,
        pace_per_second: line.pace,
        no_show_ratio: 1 - line.show,
        running: line.running,
        dormant: line.dormant,
      },
      200,
    )
  })
  for (const [name, text] of [
    ['open', 'Opens the sale now'],
    ['pause', 'Nobody enters, nothing is sold; every place is kept'],
    ['resume', 'Goes on where it was paused'],
    ['end', 'Ends the sale for good'],
    ['close', 'Ends the sale, and shows the page of a sale that is over'],
  ] as const)
    app.openapi(command(name, text), async (c) => {
      const { sale } = c.req.valid('param')
      return c.json(await changed(sale, await commands[name](by(c.req.valid('json').reason), sale)), 200)
    })
  app.openapi(postStandby, async (c) => {
    const { sale } = c.req.valid('param')
    const outcome = await commands.standby(by(c.req.valid('json').reason), sale)
    if (outcome === 'no_threshold')
      throw new Problem('bad_request', 'The sale has no `standby_threshold`: it always queues.')
    return c.json(await changed(sale, outcome), 200)
  })
  app.openapi(setRate, async (c) => {
    const { sale } = c.req.valid('param')
    const { rate_per_second, reason } = c.req.valid('json')
    return c.json(await changed(sale, await commands.setRate(by(reason), sale, rate_per_second)), 200)
  })
  app.openapi(postReconcile, async (c) => {
    const { item_id, reason } = c.req.valid('json')
    if (item_id !== undefined && (await catalogue.product(item_id)) === undefined)
      throw new Problem('unknown_item')
    return c.json({ runs: await commands.reconcile(by(reason), item_id) }, 200)
  })
  app.openapi(getRuns, async (c) => c.json({ runs: await reconcile.runs(LATEST) }, 200))
  app.openapi(getAudit, async (c) => c.json({ entries: await selectAudit(database, LATEST) }, 200))
  app.openapi(getDeadLetters, async (c) => c.json({ dead_letters: await eventLog.deadLetters(LATEST) }, 200))
  app.openapi(postReplay, async (c) => {
    const outcome = await commands.replay(by(c.req.valid('json').reason), c.req.valid('param').id)
    if (outcome !== 'replayed') throw new Problem('not_found', 'There is no such dead letter.')
    return c.json({ outcome }, 200)
  })
}

function operatorsOnly(token: string) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(`Bearer ${token}`)
  return createMiddleware<AppEnv>(async (c, next) => {
    const given = digest(c.req.header('authorization') ?? '')
    if (!timingSafeEqual(given, expected))
      throw new Problem('operator_only', 'Send the operator token as Authorization: Bearer.')
    c.header('Cache-Control', 'no-store')
    await next()
  })
}
