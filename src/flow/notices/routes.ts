import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { ContactAnswer, ContactRequest, OrderParam, Receipt } from '../../contracts/http.ts'
import type { OrderId, UserId } from '../../contracts/ids.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, type AppEnv, json, jsonBody, problems } from '../../platform/http.ts'
import { languageOf } from '../../platform/pages.ts'
import type { Identity } from '../../platform/identity.ts'
import type { Notices } from './notices.ts'

const getContact = createRoute({
  method: 'get',
  path: '/api/orders/{id}/contact',
  request: { params: OrderParam },
  responses: {
    200: json(ContactAnswer, 'Where mails about one of my orders go'),
    ...problems('session_missing', 'session_invalid', 'unknown_order'),
  },
})
const putContact = createRoute({
  method: 'put',
  path: '/api/orders/{id}/contact',
  request: { params: OrderParam, body: jsonBody(ContactRequest) },
  responses: {
    200: json(ContactAnswer, 'Mails about this order go there; nothing else does'),
    ...problems(
      'bad_request',
      'session_missing',
      'session_invalid',
      'origin_refused',
      'unknown_order',
      'contact_settled',
      'no_mails',
    ),
  },
})
const getReceipt = createRoute({
  method: 'get',
  path: '/api/orders/{id}/receipt',
  request: { params: OrderParam },
  responses: {
    200: json(Receipt, 'The receipt of one of my orders'),
    ...problems('session_missing', 'session_invalid', 'unknown_order', 'order_not_paid'),
  },
})

export interface NoticeRouteParts {
  readonly notices: Notices
  /** An order of this buyer, written or on its way to SQL. */
  readonly viewOrder: (user: UserId, id: OrderId) => Promise<object | undefined>
  readonly identity: Identity
}

export function noticeRoutes(app: App, { notices, viewOrder, identity }: NoticeRouteParts): void {
  const buyerOf = async (c: Context<AppEnv>, id: OrderId): Promise<UserId> => {
    const user = await identity.known(c)
    if ((await viewOrder(user, id)) === undefined) throw new Problem('unknown_order')
    c.header('Cache-Control', 'no-store')
    return user
  }

  app.openapi(getContact, async (c) => {
    const { id } = c.req.valid('param')
    const email = await notices.contact(await buyerOf(c, id), id)
    return c.json({ email: email ?? null, mails: notices.mails }, 200)
  })
  app.openapi(putContact, async (c) => {
    const { id } = c.req.valid('param')
    const { email } = c.req.valid('json')
    await giveContact(notices, c, await buyerOf(c, id), id, email)
    return c.json({ email, mails: notices.mails }, 200)
  })
  app.openapi(getReceipt, async (c) => {
    const { id } = c.req.valid('param')
    const receipt = await notices.receipt(await identity.known(c), id)
    if (receipt === 'unknown') throw new Problem('unknown_order')
    if (receipt === 'unpaid') throw new Problem('order_not_paid', 'A receipt comes with the payment.')
    c.header('Cache-Control', 'no-store')
    return c.json(receipt, 200)
  })
}

/** Keeps the address, or throws the problem that says why not. */
export async function giveContact(
  notices: Pick<Notices, 'give' | 'mails'>,
  c: Context<AppEnv>,
  user: UserId,
  order: OrderId,
  email: string | null,
): Promise<void> {
  if (!notices.mails && email !== null)
    throw new Problem('no_mails', 'The receipt is on the page of the order.')
  if (
    (await notices.give(user, order, email === null ? null : { email, language: languageOf(c) })) ===
    'settled'
  )
    throw new Problem(
      'contact_settled',
      'It went to the address given before; the receipt is on this page too.',
    )
}
