import { createRoute, z } from '@hono/zod-openapi'
import { SaleParam } from '../contracts/http.ts'
import {
  CapRequest,
  CommandRequest,
  Line,
  ListedSale,
  MessageRequest,
  NewGroup,
  NewSale,
  RateRequest,
} from '../contracts/operator-http.ts'
import type { SaleId } from '../contracts/ids.ts'
import { OperatorSale, SaleEditRequest } from '../contracts/sale-editing-http.ts'
import type { WaitingRoom } from '../flow/waiting-room/waiting-room.ts'
import { Problem } from '../platform/errors.ts'
import { type App, json, jsonBody, problems } from '../platform/http.ts'
import type { Changed, Commands } from './commands.ts'
import type { EditSale } from './edit-sale.ts'
import { createSaleView, type SaleViewParts } from './sale-view.ts'
import type { By } from './accounts/sign-in.ts'

const BASE = '/api/operator'

const listSales = createRoute({
  method: 'get',
  path: `${BASE}/sales`,
  responses: {
    200: json(z.object({ sales: z.array(ListedSale) }), 'All sales, but for rehearsals that were put away'),
    ...problems('operator_only'),
  },
})
const createSale = createRoute({
  method: 'post',
  path: `${BASE}/sales`,
  request: { body: jsonBody(NewSale) },
  responses: {
    201: json(OperatorSale, 'Created; it opens at `opens_at`'),
    ...problems('bad_request', 'operator_only', 'already_exists'),
  },
})
const getSale = createRoute({
  method: 'get',
  path: `${BASE}/sales/{sale}`,
  request: { params: SaleParam },
  responses: { 200: json(OperatorSale, 'One sale'), ...problems('operator_only', 'unknown_sale') },
})
const putSale = createRoute({
  method: 'put',
  path: `${BASE}/sales/{sale}`,
  description:
    'Changes what is named and leaves the rest; all of it or nothing. `GET` tells in `editable` what may still be changed: nothing that buyers have been promised is.',
  request: { params: SaleParam, body: jsonBody(SaleEditRequest) },
  responses: {
    200: json(OperatorSale, 'The sale as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_sale', 'not_editable', 'already_exists'),
  },
})
const command = <Path extends string>(path: Path, description: string) =>
  createRoute({
    method: 'post',
    path: `${BASE}/sales/{sale}/${path}` as const,
    description,
    request: { params: SaleParam, body: jsonBody(CommandRequest) },
    responses: {
      200: json(OperatorSale, 'The sale as it is now'),
      ...problems('bad_request', 'operator_only', 'unknown_sale', 'ended'),
    },
  })
const postStandby = command('standby', 'Everybody walks through until too many arrive in a second')
const setRate = createRoute({
  method: 'put',
  path: `${BASE}/sales/{sale}/rate`,
  request: { params: SaleParam, body: jsonBody(RateRequest) },
  responses: {
    200: json(OperatorSale, 'The sale as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_sale'),
  },
})
const setCap = createRoute({
  method: 'put',
  path: `${BASE}/sales/{sale}/cap`,
  request: { params: SaleParam, body: jsonBody(CapRequest) },
  responses: {
    200: json(OperatorSale, 'The sale as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_sale'),
  },
})
const setMessage = createRoute({
  method: 'put',
  path: `${BASE}/sales/{sale}/message`,
  request: { params: SaleParam, body: jsonBody(MessageRequest) },
  responses: {
    200: json(OperatorSale, 'The sale as it is now'),
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
export interface SaleRouteParts extends SaleViewParts {
  readonly commands: Commands
  readonly editSale: EditSale
  readonly waitingRoom: Pick<WaitingRoom, 'line' | 'status'>
}

/** Sales, their waiting rooms and groups. `by` says who gives the command. */
export function saleRoutes(app: App, parts: SaleRouteParts, by: By): void {
  const { commands, editSale, waitingRoom, catalogue } = parts
  const view = createSaleView(parts)
  const changed = async (id: SaleId, outcome: Changed) => {
    if (outcome === 'unknown_sale') throw new Problem('unknown_sale')
    if (outcome === 'ended')
      throw new Problem('ended', 'An ended sale can not be opened again; create a new one.')
    return view(id)
  }

  app.openapi(listSales, async (c) => {
    const [sales, archived] = await Promise.all([catalogue.sales(), catalogue.archived()])
    const phaseOf = async (sale: SaleId) =>
      (await waitingRoom.status(sale).catch(() => undefined))?.phase ?? null
    const listed = sales
      .filter(({ id }) => !archived.has(id))
      .map(async (sale) => ({ ...sale, phase: await phaseOf(sale.id) }))
    return c.json({ sales: await Promise.all(listed) }, 200)
  })
  app.openapi(createSale, async (c) => {
    const { reason, ...sale } = c.req.valid('json')
    const outcome = await commands.createSale(by(c, reason), sale)
    if (outcome.kind === 'exists')
      throw new Problem('already_exists', `There is a ${outcome.what} ${outcome.id} already.`)
    if (outcome.kind === 'contradiction') throw new Problem('bad_request', outcome.why)
    return c.json(await view(sale.id), 201)
  })
  app.openapi(getSale, async (c) => c.json(await view(c.req.valid('param').sale), 200))
  app.openapi(putSale, async (c) => {
    const { reason, ...edit } = c.req.valid('json')
    const { sale } = c.req.valid('param')
    const outcome = await editSale(by(c, reason), sale, edit)
    if (outcome.kind === 'unknown_sale') throw new Problem('unknown_sale')
    if (outcome.kind === 'exists')
      throw new Problem('already_exists', `There is a product ${outcome.id} already.`)
    if (outcome.kind === 'refused') throw new Problem(outcome.problem, outcome.why)
    return c.json(await view(sale), 200)
  })
  app.openapi(setCap, async (c) => {
    const { sale } = c.req.valid('param')
    const { checkout_cap, reason } = c.req.valid('json')
    return c.json(await changed(sale, await commands.setCap(by(c, reason), sale, checkout_cap)), 200)
  })
  app.openapi(setMessage, async (c) => {
    const { sale } = c.req.valid('param')
    const { message, reason } = c.req.valid('json')
    return c.json(await changed(sale, await commands.setMessage(by(c, reason), sale, message)), 200)
  })
  app.openapi(postGroup, async (c) => {
    const { sale } = c.req.valid('param')
    const { reason, ...group } = c.req.valid('json')
    const outcome = await commands.addGroup(by(c, reason), { ...group, sale_id: sale })
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
      return c.json(await changed(sale, await commands[name](by(c, c.req.valid('json').reason), sale)), 200)
    })
  app.openapi(postStandby, async (c) => {
    const { sale } = c.req.valid('param')
    const outcome = await commands.standby(by(c, c.req.valid('json').reason), sale)
    if (outcome === 'no_threshold')
      throw new Problem('bad_request', 'The sale has no `standby_threshold`: it always queues.')
    return c.json(await changed(sale, outcome), 200)
  })
  app.openapi(setRate, async (c) => {
    const { sale } = c.req.valid('param')
    const { rate_per_second, reason } = c.req.valid('json')
    return c.json(await changed(sale, await commands.setRate(by(c, reason), sale, rate_per_second)), 200)
  })
}
