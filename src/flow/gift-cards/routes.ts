import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { GiftCard as GiftCardView, GiftCardAnswer, GiftCardRequest } from '../../contracts/gift-card-http.ts'
import { OrderParam } from '../../contracts/http.ts'
import { showGiftCode } from '../../contracts/gift-cards.ts'
import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Doorman } from '../../platform/doorman.ts'
import type { Identity } from '../../platform/identity.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, type AppEnv, json, jsonBody, problems } from '../../platform/http.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Order } from '../orders/orders.ts'
import type { GiftCard, GiftCards, PutOutcome } from './gift-cards.ts'

const REFUSALS = [
  ...(['bad_request', 'session_missing', 'session_invalid', 'origin_refused'] as const),
  ...(['unknown_order', 'order_not_payable', 'unavailable'] as const),
] as const

const getCards = createRoute({
  method: 'get',
  path: '/api/gift-cards',
  responses: {
    200: json(z.object({ gift_cards: z.array(GiftCardView) }), 'My gift cards, newest first'),
    ...problems('session_missing', 'session_invalid'),
  },
})
const postCard = createRoute({
  method: 'post',
  path: '/api/orders/{id}/gift-card',
  description: 'One that covers all that is left to pay pays the order at once',
  request: { params: OrderParam, body: jsonBody(GiftCardRequest) },
  responses: {
    200: json(GiftCardAnswer, 'As much of the card as the order needs is put towards it'),
    ...problems(...REFUSALS, 'unknown_gift_card', 'gift_card_unusable', 'rate_limited'),
  },
})
const deleteCard = createRoute({
  method: 'delete',
  path: '/api/orders/{id}/gift-card',
  responses: { 200: json(GiftCardAnswer, 'The order is paid without gift cards'), ...problems(...REFUSALS) },
  request: { params: OrderParam },
})

export interface CardUseParts {
  readonly giftCards: GiftCards
  readonly findOrder: (user: UserId, id: OrderId) => Promise<Order | undefined>
  /** Settles the hold of an order that is paid now, and closes payments that were begun. */
  readonly finish: (user: UserId, id: OrderId) => Promise<void>
  readonly doorman: Pick<Doorman, 'giftCard'>
  readonly log: Log
}

/** What a buyer does with gift cards and an order, for any page; throws the problem that says why not. */
export interface CardUse {
  put(c: Context<AppEnv>, user: UserId, order: OrderId, code: string): Promise<void>
  takeOff(user: UserId, order: OrderId): Promise<void>
}

export function createCardUse({ giftCards, findOrder, finish, doorman, log }: CardUseParts): CardUse {
  return {
    put: async (c, user, id, code) => {
      const order = await findOrder(user, id)
      if (order === undefined) throw new Problem('unknown_order')
      await doorman.giftCard(c, order.sale_id, user)
      const outcome = await giftCards.put(user, id, code)
      refuse(outcome)
      if (outcome.kind === 'paid')
        await finish(user, id).catch((error: unknown) =>
          log.warn(
            { err: error, order_id: id },
            'closing a paid order failed; the cleanup worker will do it',
          ),
        )
    },
    takeOff: async (user, id) => refuse(await giftCards.takeOff(user, id)),
  }
}

export interface GiftCardRouteParts extends Pick<CardUseParts, 'giftCards' | 'findOrder'> {
  readonly cardUse: CardUse
  readonly identity: Identity
}

export function giftCardRoutes(app: App, parts: GiftCardRouteParts): void {
  const { giftCards, findOrder, cardUse, identity } = parts

  const answer = async (user: UserId, id: OrderId): Promise<z.infer<typeof GiftCardAnswer>> => {
    const [order, part] = await Promise.all([findOrder(user, id), giftCards.part(user, id)])
    if (order === undefined) throw new Problem('unknown_order')
    const { amount, currency, status } = order
    return { order_id: id, amount, currency, gift_part: part, left_to_pay: amount - part, status }
  }

  app.openapi(getCards, async (c) => {
    c.header('Cache-Control', 'no-store')
    return c.json({ gift_cards: (await giftCards.of(await identity.known(c))).map(toView) }, 200)
  })
  app.openapi(postCard, async (c) => {
    const user = await identity.known(c)
    const { id } = c.req.valid('param')
    await cardUse.put(c, user, id, c.req.valid('json').code)
    c.header('Cache-Control', 'no-store')
    return c.json(await answer(user, id), 200)
  })
  app.openapi(deleteCard, async (c) => {
    const user = await identity.known(c)
    const { id } = c.req.valid('param')
    await cardUse.takeOff(user, id)
    c.header('Cache-Control', 'no-store')
    return c.json(await answer(user, id), 200)
  })
}

function refuse(outcome: PutOutcome | { readonly kind: 'taken_off' }): void {
  switch (outcome.kind) {
    case 'put':
    case 'paid':
    case 'taken_off':
      return
    case 'unknown_order':
      throw new Problem('unknown_order')
    case 'not_payable':
      throw new Problem('order_not_payable', `The order is ${outcome.status}.`)
    case 'rehearsal_only':
      throw new Problem('rehearsal_only', 'Gift cards are kept for what is really sold.')
    case 'unknown_card':
      throw new Problem(
        'unknown_gift_card',
        'Look at your gift cards for the code; it works for its owner only.',
      )
    case 'expired':
      throw new Problem('gift_card_unusable', 'It has expired.')
    case 'other_currency':
      throw new Problem('gift_card_unusable', 'It is in another currency than the order.')
    case 'nothing_to_put':
      throw new Problem(
        'gift_card_unusable',
        'It is used up, or too little is left to pay to take any of it off.',
      )
  }
}

/** A card as its owner sees it. */
export function toView({ user_id: _user, code, ...card }: GiftCard): z.infer<typeof GiftCardView> {
  return { ...card, code: showGiftCode(code) }
}
