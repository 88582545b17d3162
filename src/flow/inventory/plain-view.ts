import type { OrderId, SaleId } from '../../contracts/ids.ts'
import type { GiftCard, Order, Product, Receipt } from '../../contracts/shapes.ts'
import { giftCardText, leftToPay, priceFacts } from '../../contracts/words/gift-card.ts'
import { receiptFacts, receiptMailText, contactText } from '../../contracts/words/receipt.ts'
import { itemText, orderText } from '../../contracts/words/order.ts'
import { problemText } from '../../contracts/words/problem.ts'
import type { Say } from '../../contracts/words/say.ts'
import { stockState, stockText } from '../../contracts/words/stock.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/errors.ts'
import type { PlainWriter } from '../../platform/plain-pages.ts'
import type { Html } from '../../platform/templates.ts'
import type { Sale } from '../catalogue/catalogue.ts'
import type { Stock } from './inventory.ts'

/** A problem, or what is wrong with a form, in the reader's language. */
export type Refusal = Problem | { readonly status: number; readonly title: string; readonly detail: string }

interface Items {
  readonly sale: Sale
  readonly items: readonly { readonly product: Product; readonly stock: Stock | undefined }[]
  readonly nonce: string
  readonly refusal: Refusal | undefined
  /** Claimed in this sale by this browser before. */
  readonly order: OrderId | undefined
}

interface OrderPage {
  readonly order: Order
  readonly products: readonly Product[]
  readonly receipt: Receipt | undefined
  /** Undefined: this shop sends no mails. */
  readonly contact: string | null | undefined
  /** What makes up for it, where it was cancelled as oversold. */
  readonly giftCard: GiftCard | undefined
  /** What stands in the field for a gift card; undefined: it is not shown. */
  readonly typed: string | undefined
  readonly refusal: Refusal | undefined
}

export interface PlainCheckoutViewParts {
  readonly clock: Clock
  readonly urls: { readonly shop: string; readonly queue: string }
  readonly paypal: boolean
}

/** While the order is being written, while only a payment can change it, and while somebody may be typing. */
const [SOON_S, LATER_S, TYPING_S] = [2, 10, 60]

/** The pages of the checkout for browsers without scripts; `page` answers one request. */
export function plainCheckoutView(
  { say, part, nothing, path, send }: PlainWriter,
  { clock, urls, paypal }: PlainCheckoutViewParts,
) {
  const orderPath = (sale: SaleId, id: OrderId) => `/checkout/${sale}/plain/orders/${id}`
  const orderLink = (sale: SaleId, id: OrderId | undefined): Html =>
    id === undefined ? nothing : part('link', { href: orderPath(sale, id), text: say('plain.your_order') })

  /** `again`: the place that is kept has been used up. */
  const joinLink = (sale: SaleId, again: boolean): Html =>
    part('link', {
      href: `${urls.queue}/${sale}/plain${again ? '?again=1' : ''}`,
      text: say(again ? 'plain.join_again' : 'plain.to_waiting_room'),
    })

  /** Nothing where no mail could go out, or where one has gone. */
  const contactForm = (
    { status }: Order,
    contact: string | null | undefined,
    receipt: Receipt | undefined,
  ): Html => {
    if (receipt?.mail === 'sent') return part('notice', { text: receiptMailText(say, receipt) })
    // While it is being written the page asks again at once, and would take away what is being typed.
    if (contact === undefined || status === 'FAILED' || status === 'PROCESSING') return nothing
    const text = (receipt && receiptMailText(say, receipt)) || contactText(say, contact)
    return part('contact', { path, email: contact ?? '', text })
  }

  const refused = (refusal: Refusal | undefined): Html => {
    if (refusal === undefined) return nothing
    const { title, detail } = refusal instanceof Problem ? problemText(say, refusal.body()) : refusal
    return part('refusal', { title, text: detail })
  }

  const giftForm = ({ order: { gift_part }, typed, refusal }: OrderPage): Html[] => {
    const text = say(gift_part > 0 ? 'plain.gift_another' : 'plain.gift_have')
    return [
      ...(gift_part > 0 ? [part('gift-card-off', { path })] : []),
      typed !== undefined
        ? part('gift-card', { path, typed, refusal: refused(refusal) })
        : part('gift-card-link', { path, text }),
    ]
  }

  const paypalForm = (order: Order): Html =>
    paypal
      ? part('paypal', {
          path,
          pay: say('plain.pay_paypal', { amount: say.money(leftToPay(order), order.currency) }),
        })
      : nothing

  const item = (product: Product, stock: Stock | undefined, nonce: string): Html => {
    const state = stock === undefined ? undefined : stockState(stock)
    const { id, name, description, per_buyer_limit } = product
    return part('item', {
      name,
      description,
      price: say.money(product.amount, product.currency),
      state: state ?? '',
      stock: stock === undefined || state === undefined ? '' : stockText(say, { ...stock, state }),
      form:
        state === 'sold_out'
          ? nothing
          : part('claim', {
              ...{ path, nonce, item_id: id },
              quantity:
                per_buyer_limit === 1
                  ? part('one')
                  : part('quantity', {
                      item_id: id,
                      limit: per_buyer_limit,
                      label: say('plain.how_many', { limit: per_buyer_limit }),
                    }),
            }),
    })
  }

  return {
    items: ({ sale, items, nonce, refusal, order }: Items): Response =>
      send({
        title: say('plain.your_turn'),
        status: refusal?.status ?? 200,
        content: part('items', {
          sale: sale.name,
          path,
          refusal: refused(refusal),
          order: orderLink(sale.id, order),
          items: items.map(({ product, stock }) => item(product, stock, nonce)),
        }),
      }),

    noPass: (sale: SaleId, refusal: Problem, order?: OrderId): Response => {
      const { title } = problemText(say, refusal.body())
      const { status } = refusal
      return send({
        title,
        status,
        content: part('message', {
          title,
          text: refusal.code === 'ended' ? say('plain.ended') : say('plain.opens_later'),
          actions: [joinLink(sale, refusal.code !== 'pass_missing'), orderLink(sale, order)],
        }),
      })
    },

    order: (page: OrderPage): Response => {
      const { order, products, receipt, contact, giftCard, typed, refusal } = page
      const left = order.pay_by - clock.now()
      const open = order.status === 'PROCESSING' || order.status === 'PENDING'
      // What is wrong with the code is said beside its field.
      const typesCode = typed !== undefined && order.status === 'PENDING' && left > 0
      const [title, text] = orderText(say, order, open && left > 0, false)
      const name = products.find(({ id }) => id === order.item_id)?.name ?? order.item_id
      const payBy = say('plain.in_time', { moment: say.moment(order.pay_by), wait: say.wait(left / 1000) })
      const afterS = order.status === 'PROCESSING' ? SOON_S : contact === null ? TYPING_S : LATER_S
      const facts: readonly (readonly [string, string])[] =
        receipt === undefined
          ? [
              [say('common.item'), itemText(say, order.quantity, name)],
              ...priceFacts(say, order),
              ...(open && left > 0 ? [[say('plain.pay_by'), payBy] as const] : []),
              [say('common.order'), order.order_id],
              ...(giftCard === undefined ? [] : giftFacts(say, giftCard)),
            ]
          : receiptFacts(say, receipt)
      return send({
        title,
        status: refusal?.status ?? 200,
        content: part('order', {
          title,
          text,
          refusal: typesCode ? nothing : refused(refusal),
          facts: part('facts', {
            facts: facts.map(([label, value]) => part('fact', { name: label, value })),
          }),
          contact: contactForm(order, contact, receipt),
          actions:
            open && left > 0
              ? part('pay', {
                  href: `${urls.shop}/checkout/${order.sale_id}?order=${order.order_id}`,
                  path,
                  gift: order.status === 'PENDING' ? giftForm(page) : nothing,
                  paypal: order.status === 'PENDING' ? paypalForm(order) : nothing,
                })
              : order.status === 'FAILED'
                ? joinLink(order.sale_id, true)
                : order.pay_again
                  ? paypalForm(order)
                  : nothing,
        }),
        // A page that asked again would take away what is being typed.
        ...(open && !typesCode ? { refresh: { afterS } } : {}),
      })
    },
  }
}

function giftFacts(say: Say, card: GiftCard): readonly (readonly [string, string])[] {
  const [left, until] = giftCardText(say, card)
  return [
    [say('plain.gift_card'), card.code],
    [say('plain.gift_worth'), `${left}. ${until}`],
  ]
}
