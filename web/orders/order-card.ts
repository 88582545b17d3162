import type { GiftCard, Order, Sale } from '../../src/contracts/shapes.ts'
import { itemText, orderText, statusText } from '../../src/contracts/words/order.ts'
import { element, setText } from '../lib/dom.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import { thumb } from '../lib/thumb.ts'
import { say } from '../lib/words.ts'

/** An order as a card of the list; `card`: the gift card that makes up for it. */
export function orderCard(order: Order, sale: Sale | undefined, card: GiftCard | undefined): HTMLElement {
  const product = sale?.products.find(({ id }) => id === order.item_id)
  const name = product?.name ?? order.item_id
  const [, text] = orderText(say, order, true, false)
  const tellsWhy = order.status === 'FAILED' || order.pay_again
  return element(
    'li',
    { class: 'card order' },
    thumb(product, name),
    element(
      'div',
      { class: 'order-head' },
      element('h2', {}, itemText(say, order.quantity, name)),
      element('p', { class: 'price' }, say.money(order.amount, order.currency)),
      element('span', { class: 'badge', 'data-status': badgeOf(order) }, statusText(say, order)),
    ),
    element(
      'div',
      { class: 'order-rest' },
      ...(sale?.rehearsal === true ? [element('p', { class: 'notice' }, say('orders.rehearsal'))] : []),
      ...(isOpen(order) ? [element('p', { class: 'time-left', 'data-pay-by': String(order.pay_by) })] : []),
      ...(tellsWhy ? [element('p', {}, text)] : []),
      ...(card === undefined ? [] : [giftLine(card)]),
      element('p', { class: 'quiet small' }, say.date(order.claimed_at)),
      element('p', { class: 'quiet small' }, `${say('common.order')} `, orderNumber(order)),
      element('p', { class: 'actions' }, wayOn(order)),
    ),
  )
}

export function isOpen({ status }: Order): boolean {
  return status === 'PROCESSING' || status === 'PENDING'
}

/** Keeps what is left to pay each open order true. */
export function drawTimes(list: HTMLElement, clock: ServerClock): void {
  for (const line of list.querySelectorAll<HTMLElement>('[data-pay-by]')) {
    const left = Number(line.dataset['payBy']) - clock.now()
    line.dataset['hurry'] = String(left < 60_000)
    setText(line, left > 0 ? say('orders.left', { time: say.countdown(left) }) : say('order.time_up.title'))
  }
}

function badgeOf({ status, pay_again }: Order): string {
  return pay_again ? 'PENDING' : status
}

function orderNumber({ order_id }: Order): HTMLElement {
  return element('bdi', { class: 'order-number', dir: 'ltr' }, order_id)
}

function wayOn(order: Order): HTMLElement {
  const href = `/checkout/${order.sale_id}?order=${order.order_id}`
  if (isOpen(order) || order.pay_again) return element('a', { class: 'button', href }, say('orders.pay'))
  const label = say(order.status === 'PAID' ? 'orders.receipt' : 'orders.details')
  return element('a', { class: 'button quiet', href }, label)
}

function giftLine({ code, amount, currency }: GiftCard): HTMLElement {
  const worth = say('orders.gift', { amount: say.money(amount, currency) })
  return element('p', {}, worth, ' ', element('code', {}, code))
}
