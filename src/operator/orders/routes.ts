import { createRoute, z } from '@hono/zod-openapi'
import { OrderParam } from '../../contracts/http.ts'
import { FoundOrders, OrderDetails, OrderFilters, OrderQuery } from '../../contracts/order-search-http.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem, unavailable } from '../../platform/errors.ts'
import { type App, json, problems } from '../../platform/http.ts'
import type { Shards } from '../../platform/postgres.ts'
import { maySeeAddresses, operatorOf } from '../accounts/sign-in.ts'
import { insertAudit } from '../sql.ts'
import { findDetails } from './details.ts'
import { exportOrders } from './export.ts'
import { cursorOf, readCursor, searchPage } from './search.ts'

const BASE = '/api/operator/orders'
const PAGE = 50

const getOrders = createRoute({
  method: 'get',
  path: BASE,
  request: { query: OrderQuery },
  responses: {
    200: json(FoundOrders, 'One page over all databases, the newest first'),
    ...problems('bad_request', 'operator_only', 'unavailable'),
  },
})
const getCsv = createRoute({
  method: 'get',
  path: `${BASE}.csv`,
  description: 'All orders that pass the filters. Who exports what is kept in the audit log.',
  request: { query: OrderFilters },
  responses: {
    200: {
      description:
        'RFC 4180 with a header; texts that a spreadsheet would take for a formula begin with an apostrophe',
      content: { 'text/csv': { schema: z.string() } },
    },
    ...problems('bad_request', 'operator_only', 'unavailable'),
  },
})
const getOrder = createRoute({
  method: 'get',
  path: `${BASE}/{id}`,
  request: { params: OrderParam },
  responses: {
    200: json(OrderDetails, 'One order with its payments, gift cards, mails and commands'),
    ...problems('bad_request', 'operator_only', 'unknown_order', 'unavailable'),
  },
})

export interface OrderSearchRouteParts {
  readonly shards: Shards
  readonly clock: Clock
}

/** Orders of buyers, as operators look for them. */
export function orderSearchRoutes(app: App, { shards, clock }: OrderSearchRouteParts): void {
  app.openapi(getOrders, async (c) => {
    const { cursor, limit = PAGE, ...filter } = c.req.valid('query')
    const after = cursor === undefined ? undefined : readCursor(cursor)
    if (cursor !== undefined && after === undefined)
      throw new Problem('bad_request', '`cursor`: take it from `next` of the page before')
    const page = await searchPage(shards, filter, { after, limit, addresses: maySeeAddresses(c) })
    if (page.away.length === shards.all.length)
      throw unavailable('No database answers; try again in a few seconds.', page.away[0])
    const next = page.next === undefined ? null : cursorOf(page.next)
    return c.json({ orders: [...page.orders], next, incomplete: page.away.length > 0 }, 200)
  })
  app.openapi(getCsv, async (c) => {
    const filter = c.req.valid('query')
    const { q, ...detail } = filter
    await insertAudit(shards.catalogue, {
      ...{ operator: operatorOf(c), command: 'orders.export', target: filter.sale ?? 'all sales' },
      reason: 'export',
      // What was looked for may be somebody's address.
      detail: { ...detail, searched: q !== undefined },
    })
    const day = new Date(clock.now()).toISOString().slice(0, 10)
    return c.body(await exportOrders(shards, filter, maySeeAddresses(c)), 200, {
      'Content-Type': 'text/csv; charset=utf-8; header=present',
      'Content-Disposition': `attachment; filename="orders-${filter.sale ?? 'all'}-${day}.csv"`,
      'X-Content-Type-Options': 'nosniff',
    })
  })
  app.openapi(getOrder, async (c) => {
    const found = await findDetails(shards, c.req.valid('param').id, maySeeAddresses(c))
    if (found === undefined) throw new Problem('unknown_order')
    return c.json(found, 200)
  })
}
