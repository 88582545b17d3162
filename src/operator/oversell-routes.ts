import { createRoute, z } from '@hono/zod-openapi'
import { IdParam } from '../contracts/http.ts'
import type { ItemId } from '../contracts/ids.ts'
import {
  ApproveRequest,
  IssuedGiftCard,
  OversellAnswer,
  OversellPlan,
  OversoldItem,
} from '../contracts/oversell-http.ts'
import type { Catalogue } from '../flow/catalogue/catalogue.ts'
import type { GiftCards } from '../flow/gift-cards/gift-cards.ts'
import type { Oversell, Plan } from '../flow/oversell/oversell.ts'
import { Problem } from '../platform/errors.ts'
import { type App, json, jsonBody, problems } from '../platform/http.ts'
import type { By } from './accounts/sign-in.ts'

const BASE = '/api/operator'
const LATEST = 200

const listOversold = createRoute({
  method: 'get',
  path: `${BASE}/oversold`,
  responses: {
    200: json(
      z.object({ items: z.array(OversoldItem) }),
      'Items with more units sold and promised than there are',
    ),
    ...problems('operator_only'),
  },
})
const getOversell = createRoute({
  method: 'get',
  path: `${BASE}/items/{id}/oversell`,
  request: { params: IdParam },
  responses: {
    200: json(OversellAnswer, 'Which orders would be cancelled, and how far that has got'),
    ...problems('operator_only', 'unknown_item'),
  },
})
const postApprove = createRoute({
  method: 'post',
  path: `${BASE}/items/{id}/oversell/approve`,
  description:
    'What was previewed, and nothing else; each person once. The cleanup worker then carries it out.',
  request: { params: IdParam, body: jsonBody(ApproveRequest) },
  responses: {
    200: json(OversellPlan, 'Approved, or waiting for another person'),
    ...problems('bad_request', 'operator_only', 'unknown_item', 'not_oversold', 'preview_outdated'),
  },
})
const listGiftCards = createRoute({
  method: 'get',
  path: `${BASE}/gift-cards`,
  responses: {
    200: json(z.object({ gift_cards: z.array(IssuedGiftCard) }), `The latest ${LATEST} that were issued`),
    ...problems('operator_only'),
  },
})

export interface OversellRouteParts {
  readonly oversell: Oversell
  readonly giftCards: Pick<GiftCards, 'issued'>
  readonly catalogue: Catalogue
}

/** Oversold items and the gift cards that make up for it. `by` says who gives the command. */
export function oversellRoutes(
  app: App,
  { oversell, giftCards, catalogue }: OversellRouteParts,
  by: By,
): void {
  const latestPlan = async (item: ItemId) => {
    const found = await oversell.progress(item)
    return found && planView(found.plan, found.cancelled)
  }

  app.openapi(listOversold, async (c) => c.json({ items: await oversell.list() }, 200))
  app.openapi(getOversell, async (c) => {
    const { id } = c.req.valid('param')
    if ((await catalogue.product(id)) === undefined) throw new Problem('unknown_item')
    const [preview, plan] = await Promise.all([oversell.preview(id), latestPlan(id)])
    return c.json({ preview: preview === undefined ? null : listed(preview), plan: plan ?? null }, 200)
  })
  app.openapi(postApprove, async (c) => {
    const { id } = c.req.valid('param')
    const { hash, reason } = c.req.valid('json')
    const outcome = await oversell.approve(by(c, reason), id, hash)
    switch (outcome.kind) {
      case 'unknown_item':
      case 'not_oversold':
        throw new Problem(outcome.kind)
      case 'outdated':
        throw new Problem('preview_outdated', 'Other orders would be cancelled by now: preview it again.')
      case 'approved':
      case 'waiting': {
        const view = await latestPlan(id)
        return c.json(view?.hash === hash ? view : planView(outcome.plan, 0), 200)
      }
    }
  })
  app.openapi(listGiftCards, async (c) => {
    const cards = await giftCards.issued(LATEST)
    return c.json(
      { gift_cards: cards.map(({ code, ...card }) => ({ ...card, code_ends_in: code.slice(-4) })) },
      200,
    )
  })
}

const listed = <Preview extends { readonly orders: readonly unknown[] }>(preview: Preview) => ({
  ...preview,
  orders: [...preview.orders] as Preview['orders'][number][],
})

function planView(plan: Plan, cancelled: number): z.infer<typeof OversellPlan> {
  const { item_id, hash, units, persons, approvals, outcome, orders } = plan
  const state = outcome ?? (approvals.length >= persons ? 'approved' : 'waiting')
  return { item_id, hash, units, persons, approvals: [...approvals], state, orders: orders.length, cancelled }
}
