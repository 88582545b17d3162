import { ask, explain } from '../lib/api.ts'
import { byId, element, notice } from '../lib/dom.ts'
import { giftCardText } from '../../src/contracts/words/gift-card.ts'
import { failureText, itemText, statusText } from '../../src/contracts/words/order.ts'
import { backoffMs, pause, whenVisible } from '../lib/time.ts'
import type { GiftCard, Order, Product } from '../../src/contracts/shapes.ts'
import { say } from '../lib/words.ts'

/** The buyer's orders, newest first; looked at again while one of them is still open. */
const AGAIN_MS = 3000
const names = await productNames()
for (let failures = 0; ;) {
  await whenVisible()
  const [answer, cards] = await Promise.all([
    ask<{ orders: Order[] }>('/api/orders'),
    ask<{ gift_cards: GiftCard[] }>('/api/gift-cards'),
  ])
  // A browser that never claimed anything is nobody yet, and has no orders.
  if (answer.kind === 'problem' && answer.problem.code === 'session_missing') {
    draw([], [])
    break
  }
  if (answer.kind !== 'ok' || cards.kind !== 'ok') {
    for (const one of [cards, answer]) if (one.kind !== 'ok') notice(byId('trouble'), explain(one))
    await pause(backoffMs(failures++))
    continue
  }
  failures = 0
  notice(byId('trouble'), undefined)
  draw(answer.body.orders, cards.body.gift_cards)
  if (!answer.body.orders.some(isOpen)) break
  await pause(AGAIN_MS)
}

async function productNames(): Promise<ReadonlyMap<string, string>> {
  const answer = await ask<{ products: Product[] }>('/api/products')
  return new Map(answer.kind === 'ok' ? answer.body.products.map(({ id, name }) => [id, name]) : [])
}

function isOpen({ status }: Order): boolean {
  return status === 'PROCESSING' || status === 'PENDING'
}

function draw(orders: readonly Order[], cards: readonly GiftCard[]): void {
  const list = byId('orders')
  list.removeAttribute('aria-busy')
  const text = JSON.stringify([orders, cards])
  if (list.dataset['text'] === text) return
  list.dataset['text'] = text
  byId('gift-cards').hidden = cards.length === 0
  byId('gift-card-list').replaceChildren(...cards.map(showCard))
  if (orders.length === 0) {
    const toSales = element('a', { class: 'button', href: '/' }, 'To the sales')
    return list.replaceChildren(
      element('p', { class: 'lead' }, 'You have no orders in this browser yet.'),
      element('p', {}, toSales),
    )
  }
  const sorted = orders.toSorted((a, b) => b.claimed_at - a.claimed_at)
  list.replaceChildren(
    element(
      'ul',
      { class: 'orders' },
      ...sorted.map((order) =>
        showOrder(
          order,
          cards.find(({ order_id }) => order_id === order.order_id),
        ),
      ),
    ),
  )
}

function showOrder(order: Order, card: GiftCard | undefined): HTMLElement {
  const name = names.get(order.item_id) ?? order.item_id
  const open = isOpen(order)
  return element(
    'li',
    { class: 'card' },
    element(
      'div',
      { class: 'sale-head' },
      element('h2', {}, itemText(say, order.quantity, name)),
      element('span', { class: 'badge', 'data-status': order.status }, statusText(say, order.status)),
    ),
    element(
      'p',
      { class: 'quiet' },
      `${say.money(order.amount, order.currency)} · ${say.moment(order.claimed_at)}`,
    ),
    element('p', { class: 'quiet small' }, `Order ${order.order_id}`),
    ...(order.status === 'FAILED' ? [element('p', {}, failureText(say, order.failure_reason))] : []),
    ...(card === undefined ? [] : [giftLine(card)]),
    element(
      'p',
      {},
      element(
        'a',
        { class: open ? 'button' : 'link', href: `/checkout/${order.sale_id}?order=${order.order_id}` },
        open ? `Pay by ${say.moment(order.pay_by)}` : 'Show',
      ),
    ),
  )
}

function giftLine({ code, amount, currency }: GiftCard): HTMLElement {
  const worth = `Your gift card of ${say.money(amount, currency)}: `
  return element('p', {}, worth, element('code', {}, code))
}

function showCard(card: GiftCard): HTMLElement {
  const [left, until] = giftCardText(say, card)
  return element(
    'li',
    { class: 'card' },
    element(
      'div',
      { class: 'sale-head' },
      element('h3', {}, element('code', {}, card.code)),
      element('span', { class: 'badge', ...(isGood(card) ? { 'data-status': 'PAID' } : {}) }, left),
    ),
    element('p', { class: 'quiet' }, until),
  )
}

function isGood({ balance, expired }: GiftCard): boolean {
  return balance > 0 && !expired
}
