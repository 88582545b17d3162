import { createRoute, z } from '@hono/zod-openapi'
import { Order as OrderView, OrderParam } from '../../contracts/http.ts'
import type { ItemId, OrderId, UserId } from '../../contracts/ids.ts'
import { times } from '../../contracts/money.ts'
import type { Identity } from '../../platform/identity.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, json, problems } from '../../platform/http.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { GiftCards } from '../gift-cards/gift-cards.ts'
import type { DueHold } from '../inventory/inventory.ts'
import type { CancelOutcome } from '../restock/restock.ts'
import type { Order, Orders } from './orders.ts'

const listOrders = createRoute({
  method: 'get',
  path: '/api/orders',
  responses: {
    200: json(z.object({ orders: z.array(OrderView) }), 'My orders, newest first'),
    ...problems('session_missing', 'session_invalid'),
  },
})
const getOrder = createRoute({
  method: 'get',
  path: '/api/orders/{id}',
  request: { params: OrderParam },
  responses: {
    200: json(OrderView, 'One of my orders'),
    ...problems('session_missing', 'session_invalid', 'unknown_order'),
  },
})
const deleteOrder = createRoute({
  method: 'delete',
  path: '/api/orders/{id}',
  request: { params: OrderParam },
  responses: {
    200: json(OrderView, 'Cancelled; the units are available again'),
    ...problems(
      'session_missing',
      'session_invalid',
      'origin_refused',
      'unknown_order',
      'order_not_cancellable',
    ),
  },
})
const getSession = createRoute({
  method: 'get',
  path: '/api/session',
  responses: { 200: json(z.object({ user_id: z.string() }), 'Who I am; a guest becomes somebody here') },
})

export interface OrderViewParts {
  readonly orders: Orders
  readonly catalogue: Pick<Catalogue, 'product'>
  /** What gift cards pay of an order. */
  readonly giftCards: Pick<GiftCards, 'part' | 'parts'>
  /** The buyer's PAID orders whose money was lost. */
  readonly owing: (user: UserId) => Promise<ReadonlySet<OrderId>>
  readonly findHold: (user: UserId, id: OrderId) => Promise<{ item_id: ItemId; hold: DueHold } | undefined>
}

const NONE: ReadonlySet<OrderId> = new Set()

/** An order as its buyer sees it; undefined where they have none of this id. */
export type ViewOrder = (user: UserId, id: OrderId) => Promise<z.infer<typeof OrderView> | undefined>

export function createOrderView(parts: OrderViewParts): ViewOrder {
  const { orders, catalogue, giftCards, owing, findHold } = parts
  const view = async (order: Order) => {
    const { user_id, order_id, status } = order
    const [gift_part, lost] = await Promise.all([
      giftCards.part(user_id, order_id),
      status === 'PAID' ? owing(user_id) : NONE,
    ])
    return toView(order, gift_part, lost.has(order_id))
  }
  return async (user, id) => {
    const order = await orders.find(user, id)
    if (order !== undefined) return view(order)
    // Not written yet: the hold in Redis knows. A row that came in between is found by looking again.
    const found = await findHold(user, id)
    const product = found && (await catalogue.product(found.item_id))
    if (found !== undefined && product !== undefined)
      return processing(id, found.hold, { ...product, item_id: found.item_id })
    const written = await orders.find(user, id)
    return written && view(written)
  }
}

export interface OrderRouteParts {
  readonly orders: Orders
  readonly giftCards: Pick<GiftCards, 'parts' | 'part'>
  readonly owing: OrderViewParts['owing']
  readonly viewOrder: ViewOrder
  readonly cancel: (user: UserId, id: OrderId) => Promise<CancelOutcome>
  readonly identity: Identity
}

export function orderRoutes(
  app: App,
  { orders, giftCards, owing, viewOrder, cancel, identity }: OrderRouteParts,
): void {
  app.openapi(getSession, async (c) => {
    c.header('Cache-Control', 'no-store')
    return c.json({ user_id: await identity.user(c) }, 200)
  })
  app.openapi(listOrders, async (c) => {
    c.header('Cache-Control', 'no-store')
    const user = await identity.known(c)
    const [found, parts, lost] = await Promise.all([orders.of(user), giftCards.parts(user), owing(user)])
    const view = (order: Order) => toView(order, parts.get(order.order_id), lost.has(order.order_id))
    return c.json({ orders: found.map(view) }, 200)
  })
  app.openapi(getOrder, async (c) => {
    const view = await viewOrder(await identity.known(c), c.req.valid('param').id)
    if (view === undefined) throw new Problem('unknown_order')
    c.header('Cache-Control', 'no-store')
    return c.json(view, 200)
  })
  app.openapi(deleteOrder, async (c) => {
    const user = await identity.known(c)
    const outcome = await cancel(user, c.req.valid('param').id)
    if (outcome.kind === 'unknown_order') throw new Problem('unknown_order')
    if (outcome.kind === 'not_cancellable')
      throw new Problem('order_not_cancellable', `The order is ${outcome.order.status}.`)
    c.header('Cache-Control', 'no-store')
    const gift_part = await giftCards.part(user, outcome.order.order_id)
    return c.json(toView(outcome.order, gift_part), 200)
  })
}

function toView(
  { user_id: _user, claim_seq: _seq, ...order }: Order,
  gift_part = 0,
  pay_again = false,
): z.infer<typeof OrderView> {
  return { ...order, gift_part, pay_again }
}

function processing(
  order_id: OrderId,
  hold: DueHold,
  product: { item_id: ItemId; sale_id: string; amount: number; currency: string },
): z.infer<typeof OrderView> {
  return {
    order_id,
    item_id: product.item_id,
    sale_id: product.sale_id,
    quantity: hold.quantity,
    ...times(product, hold.quantity),
    gift_part: 0,
    pay_again: false,
    status: 'PROCESSING',
    failure_reason: null,
    claimed_at: hold.created_at,
    pay_by: hold.pay_by,
    hold_expires_at: hold.deadline,
  }
}
