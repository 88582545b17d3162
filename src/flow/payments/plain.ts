import type { Context } from 'hono'
import type { OrderId, UserId } from '../../contracts/ids.ts'
import { declineText } from '../../contracts/words/decline.ts'
import { Problem } from '../../platform/errors.ts'
import type { App, AppEnv } from '../../platform/http.ts'
import type { Identity } from '../../platform/identity.ts'
import type { PlainPages } from '../../platform/plain-pages.ts'
import type { Order } from '../orders/orders.ts'
import type { Payments } from './payments.ts'
import { explain, rehearsalOnly } from './routes.ts'

export interface PlainPaymentParts {
  readonly payments: Pick<Payments, 'start' | 'check'>
  readonly findOrder: (user: UserId, id: OrderId) => Promise<Order | undefined>
  /** Told of each payment that is opened. Never throws. */
  readonly onStart: (c: Context<AppEnv>, order: Order) => Promise<void>
  readonly identity: Identity
  readonly pages: PlainPages
  readonly urls: { readonly shop: string }
}

const PATH = '/checkout/:sale/plain/orders/:id/paypal'
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Paying with PayPal without scripts: a form leads to PayPal's page, and that leads back here. */
export function plainPayment(app: App, parts: PlainPaymentParts): void {
  const { payments, findOrder, identity, pages, urls } = parts

  const ownOrder = async (c: Context<AppEnv>): Promise<Order> => {
    const id = c.req.param('id') ?? ''
    const order = UUID.test(id) ? await findOrder(await identity.known(c), id) : undefined
    if (order === undefined || order.sale_id !== c.req.param('sale')) throw new Problem('unknown_order')
    return order
  }
  const orderPath = ({ sale_id, order_id }: Order) => `/checkout/${sale_id}/plain/orders/${order_id}`

  app.post(PATH, async (c) => {
    const order = await ownOrder(c)
    const outcome = await payments.start(order, 'paypal', urls.shop + c.req.path).catch(explain)
    switch (outcome.kind) {
      case 'started':
        await parts.onStart(c, order)
        return c.redirect(outcome.browser['approve_url'] ?? orderPath(order), 303)
      case 'not_payable':
        return c.redirect(orderPath(order), 303)
      case 'rehearsal_only':
        throw rehearsalOnly()
      case 'not_offered':
        throw new Problem('provider_not_offered', 'Go back and pay another way.')
    }
  })

  app.get(PATH, async (c) => {
    const order = await ownOrder(c)
    const answer =
      c.req.query('paypal') === 'approved' ? await payments.check(order, 'paypal').catch(explain) : undefined
    // Whatever else became of it, the page of the order says.
    if (answer?.payment !== 'declined') return c.redirect(orderPath(order), 303)
    const { say, part, send } = pages.of(c)
    return send({
      title: say('plain.paypal_failed'),
      content: part('message', {
        title: say('plain.paypal_failed'),
        text: say('plain.paypal_failed.text', { why: declineText(say, answer.failure_code) }),
        actions: part('link', { href: orderPath(order), text: say('plain.back_to_order') }),
      }),
    })
  })
}
