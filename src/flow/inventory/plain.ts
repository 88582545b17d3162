import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { OrderId, SaleId, UserId } from '../../contracts/ids.ts'
import type { GiftCard, Order } from '../../contracts/shapes.ts'
import { Email } from '../../contracts/http.ts'
import type { Key } from '../../contracts/words/say.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Doorman } from '../../platform/doorman.ts'
import { Problem } from '../../platform/errors.ts'
import { type App, type AppEnv, formFields } from '../../platform/http.ts'
import type { Identity } from '../../platform/identity.ts'
import { ownCookie } from '../../platform/cookies.ts'
import type { PlainPages } from '../../platform/plain-pages.ts'
import type { Metrics } from '../../platform/telemetry.ts'
import type { Catalogue, Sale } from '../catalogue/catalogue.ts'
import type { Notices } from '../notices/notices.ts'
import type { Visitor } from '../waiting-room/waiting-room.ts'
import type { Claiming } from './claiming.ts'
import { orderIdOf } from './order-id.ts'
import { plainCheckoutView, type Refusal } from './plain-view.ts'
import { explain, toProblem } from './routes.ts'
import type { StockBoard } from './stock-board.ts'

/** Addresses of this path on the shop's host. */
export const PLAIN_CHECKOUT_PATH = /^\/checkout\/[^/]+\/plain(?:\/|$)/

export interface PlainCheckoutParts {
  readonly claiming: Pick<Claiming, 'claim'>
  readonly board: StockBoard
  readonly catalogue: Pick<Catalogue, 'sale' | 'products'>
  readonly identity: Identity
  readonly doorman: Pick<Doorman, 'claim'>
  readonly viewOrder: (user: UserId, id: OrderId) => Promise<Order | undefined>
  /** Gives an order up; what became of it is seen by looking at it again. */
  readonly cancel: (user: UserId, id: OrderId) => Promise<unknown>
  readonly notices: Pick<Notices, 'mails' | 'contact' | 'receipt'>
  /** Keeps or forgets the address for an order; throws the problem that says why not. */
  readonly giveContact: (c: Context<AppEnv>, user: UserId, id: OrderId, email: string | null) => Promise<void>
  /** Puts gift cards towards an order, or takes them off; throws the problem that says why not. */
  readonly cardUse: {
    put(c: Context<AppEnv>, user: UserId, id: OrderId, code: string): Promise<void>
    takeOff(user: UserId, id: OrderId): Promise<void>
  }
  readonly giftCards: (user: UserId) => Promise<readonly GiftCard[]>
  readonly visitor: (c: Context<AppEnv>, device: string | undefined) => Visitor
  readonly pages: PlainPages
  readonly metrics: Metrics
  readonly clock: Clock
  readonly urls: { readonly shop: string; readonly queue: string }
  /** Whether the shop takes PayPal, which needs no scripts. */
  readonly paypal: boolean
}

const PASS_S = 24 * 3600
const ORDER_S = 30 * 24 * 3600
const passCookie = (sale: SaleId) => `__Host-pass-${sale}`
const orderCookie = (sale: SaleId) => `__Host-order-${sale}`
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const PASS_OVER = ['pass_invalid', 'pass_expired', 'pass_foreign', 'pass_used', 'ended'] as const

/**
 * The checkout for browsers without scripts: the pass leaves the address for a cookie no script reads, a form claims, a
 * page shows the order. The decision is `claiming.claim`'s.
 */
export function plainCheckout(app: App, parts: PlainCheckoutParts): void {
  const { claiming, board, catalogue, identity, doorman, viewOrder, cancel, visitor, metrics } = parts
  const { pages, notices, giveContact, cardUse } = parts
  const view = (c: Context<AppEnv>) => plainCheckoutView(pages.of(c), parts)
  /** What is wrong with a form. */
  const told = (c: Context<AppEnv>, key: Key): Refusal => {
    const { say } = pages.of(c)
    return { status: 400, title: say('problems.other'), detail: say(key) }
  }

  const find = async (c: Context<AppEnv>): Promise<Sale> => {
    const sale = await catalogue.sale(c.req.param('sale') ?? '')
    if (sale === undefined) throw new Problem('unknown_sale')
    return sale
  }
  const choose = async (c: Context<AppEnv>, sale: Sale, pass: string, refusal?: Refusal) => {
    const products = await catalogue.products(sale.id)
    const stocks = await Promise.all(products.map(({ id }) => board.read(id)))
    const items = products.map((product, index) => ({ product, stock: stocks[index] }))
    const order = getCookie(c, orderCookie(sale.id))
    return view(c).items({ sale, items, nonce: nonceOf(pass), refusal, order })
  }

  app.get('/checkout/:sale/plain', async (c) => {
    const sale = await find(c)
    const given = c.req.query('pass')
    if (given !== undefined) {
      setCookie(c, passCookie(sale.id), given.slice(0, 2048), ownCookie(PASS_S))
      c.header('Cache-Control', 'no-store')
      c.header('Referrer-Policy', 'no-referrer')
      return c.redirect(c.req.path, 303)
    }
    const pass = getCookie(c, passCookie(sale.id))
    return pass === undefined ? view(c).noPass(sale.id, new Problem('pass_missing')) : choose(c, sale, pass)
  })

  app.post('/checkout/:sale/plain', async (c) => {
    const sale = await find(c)
    const pass = getCookie(c, passCookie(sale.id))
    if (pass === undefined) return view(c).noPass(sale.id, new Problem('pass_missing'))
    const { nonce, item_id = '', quantity = '1' } = await formFields(c)
    // Nobody but a page made for this pass knows it: the form is ours, and of this turn.
    if (nonce !== nonceOf(pass)) return choose(c, sale, pass, told(c, 'plain.outdated'))
    if (!/^[1-9]\d{0,3}$/.test(quantity) || Number(quantity) > 1000)
      return choose(c, sale, pass, told(c, 'plain.whole_number'))
    const user_id = await identity.user(c)
    // The same choice with the same pass is the same claim, over reloads and lost answers too.
    const shown = { pass, user_id, idempotency_key: hash(`plain claim\n${nonce}\n${item_id}\n${quantity}`) }
    const outcome = await claiming
      .claim({
        ...{ pass, idempotency_key: shown.idempotency_key, item_id, quantity: Number(quantity) },
        claimant: async () => {
          await doorman.claim(c, item_id, user_id)
          return { user_id, order_id: orderIdOf(shown) }
        },
        visitor: visitor(c, undefined),
      })
      .catch(explain)
    metrics.claims.inc({ outcome: outcome.kind })
    if (outcome.kind === 'claimed') {
      setCookie(c, orderCookie(sale.id), outcome.order_id, ownCookie(ORDER_S))
      return c.redirect(`${c.req.path}/orders/${outcome.order_id}`, 303)
    }
    const refusal = toProblem(outcome)
    if (!PASS_OVER.some((code) => code === outcome.kind)) return choose(c, sale, pass, refusal)
    deleteCookie(c, passCookie(sale.id), ownCookie(0))
    return view(c).noPass(sale.id, refusal, getCookie(c, orderCookie(sale.id)))
  })

  const showOrder = async (c: Context<AppEnv>, refusal?: Refusal, typed?: string) => {
    const sale = await find(c)
    const [user, id] = [await identity.known(c), orderId(c)]
    const order = await viewOrder(user, id)
    if (order === undefined || order.sale_id !== sale.id) throw new Problem('unknown_order')
    if (refusal instanceof Problem && refusal.retryAfterS !== undefined)
      c.header('Retry-After', String(refusal.retryAfterS))
    const receipt = order.status === 'PAID' ? await notices.receipt(user, id) : undefined
    return view(c).order({
      order,
      products: await catalogue.products(sale.id),
      receipt: typeof receipt === 'object' ? receipt : undefined,
      contact: notices.mails ? ((await notices.contact(user, id)) ?? null) : undefined,
      giftCard:
        order.failure_reason === 'oversold'
          ? (await parts.giftCards(user)).find(({ order_id }) => order_id === id)
          : undefined,
      // The field is there for who has asked for it, or typed something else than a code.
      typed: typed ?? (c.req.query('gift-card') === undefined ? undefined : ''),
      refusal,
    })
  }
  app.get('/checkout/:sale/plain/orders/:id', (c) => showOrder(c))

  app.post('/checkout/:sale/plain/orders/:id', async (c) => {
    await find(c)
    const { action, email = '', code = '' } = await formFields(c)
    const user = await identity.known(c)
    if (action === 'cancel') await cancel(user, orderId(c))
    else if (action === 'contact') {
      const given = email.trim() === '' ? { data: null } : Email.safeParse(email.trim())
      if (given.data === undefined) return showOrder(c, told(c, 'plain.no_email'))
      if ((await viewOrder(user, orderId(c))) === undefined) throw new Problem('unknown_order')
      await giveContact(c, user, orderId(c), given.data)
    } else if (action === 'gift-card') {
      const typed = code.slice(0, 64)
      if (code.trim() === '' || code !== typed) return showOrder(c, told(c, 'plain.type_code'), typed)
      try {
        await cardUse.put(c, user, orderId(c), code)
      } catch (error) {
        if (error instanceof Problem) return showOrder(c, error, typed)
        throw error
      }
    } else if (action === 'gift-card-off') {
      await cardUse.takeOff(user, orderId(c))
    } else throw new Problem('bad_request', pages.of(c).say('plain.press_again'))
    return c.redirect(c.req.path, 303)
  })
}

function orderId(c: Context<AppEnv>): OrderId {
  const id = c.req.param('id') ?? ''
  if (!UUID.test(id)) throw new Problem('unknown_order')
  return id
}

function nonceOf(pass: string): string {
  return hash(`plain form\n${pass}`)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
