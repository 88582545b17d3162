import { createRoute, z } from '@hono/zod-openapi'
import { SaleParam } from '../contracts/http.ts'
import { CommandRequest, RehearseRequest } from '../contracts/operator-http.ts'
import { OperatorSale } from '../contracts/sale-editing-http.ts'
import { Problem } from '../platform/errors.ts'
import { type App, json, jsonBody, problems } from '../platform/http.ts'
import type { Rehearsals } from './rehearsals.ts'
import { createSaleView, type SaleViewParts } from './sale-view.ts'
import type { By } from './accounts/sign-in.ts'

const postRehearse = createRoute({
  method: 'post',
  path: '/api/operator/sales/{sale}/rehearse',
  description:
    'Copies the sale and its products under ids of their own. The shop does not list the copy, it opens by its address alone, and no real money moves for it: with live keys of a payment provider paying is refused.',
  request: { params: SaleParam, body: jsonBody(RehearseRequest) },
  responses: {
    201: json(OperatorSale, 'The copy'),
    ...problems('bad_request', 'operator_only', 'unknown_sale'),
  },
})
const deleteSale = createRoute({
  method: 'delete',
  path: '/api/operator/sales/{sale}',
  description:
    'Puts a rehearsal that has ended away. Its orders and records stay; a real sale stays in any case.',
  request: { params: SaleParam, body: jsonBody(CommandRequest) },
  responses: {
    200: json(z.object({ outcome: z.literal('archived') }), 'It is in no list any more'),
    ...problems('bad_request', 'operator_only', 'unknown_sale', 'not_removable'),
  },
})

export interface RehearsalRouteParts extends SaleViewParts {
  readonly rehearsals: Rehearsals
}

export function rehearsalRoutes(app: App, parts: RehearsalRouteParts, by: By): void {
  const { rehearsals } = parts
  const view = createSaleView(parts)
  app.openapi(postRehearse, async (c) => {
    const { opens_in_s, reason } = c.req.valid('json')
    const outcome = await rehearsals.rehearse(by(c, reason), c.req.valid('param').sale, opens_in_s)
    if (outcome.kind === 'unknown_sale') throw new Problem('unknown_sale')
    return c.json(await view(outcome.id), 201)
  })
  app.openapi(deleteSale, async (c) => {
    const { reason } = c.req.valid('json')
    const outcome = await rehearsals.archive(by(c, reason), c.req.valid('param').sale)
    if (outcome === 'unknown_sale') throw new Problem('unknown_sale')
    if (outcome === 'not_rehearsal')
      throw new Problem('not_removable', 'It is a real sale: what was sold in it is kept.')
    if (outcome === 'not_ended') throw new Problem('not_removable', 'End it first.')
    return c.json({ outcome }, 200)
  })
}
