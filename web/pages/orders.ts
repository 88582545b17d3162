import { ask, explain } from '../lib/api.ts'
import { byId, element, notice } from '../lib/dom.ts'
import { createServerClock } from '../lib/server-clock.ts'
import { backoffMs, everyTick, pause, whenVisible } from '../lib/time.ts'
import { say } from '../lib/words.ts'
import { drawTimes, isOpen, orderCard } from '../orders/order-card.ts'
import { giftCardText } from '../../src/contracts/words/gift-card.ts'
import type { GiftCard, Order, Sale, Stock } from '../../src/contracts/shapes.ts'

/** The buyer's orders, newest first; looked at again while one of them is still open. */
const AGAIN_MS = 3000
const clock = createServerClock()
const list = byId('orders')
/** By id; one that is no more is not asked for again. */
const sales = new Map<string, Sale | undefined>()
everyTick(() => drawTimes(list, clock))
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
  const { orders } = answer.body
  await readSales(orders)
  const open = orders.find(isOpen)
  if (open !== undefined) await observe(open)
  draw(orders, cards.body.gift_cards)
  if (open === undefined) break
  await pause(AGAIN_MS)
}

async function readSales(orders: readonly Order[]): Promise<void> {
  const unknown = new Set(orders.map(({ sale_id }) => sale_id).filter((id) => !sales.has(id)))
  const read = async (id: string) => {
    const answer = await ask<Sale>(`/api/sales/${id}`)
    if (answer.kind !== 'unreachable') sales.set(id, answer.kind === 'ok' ? answer.body : undefined)
  }
  await Promise.all([...unknown].map(read))
}

/** What is left to pay is counted on the server's time. */
async function observe({ item_id }: Order): Promise<void> {
  const stock = await ask<Stock>(`/api/items/${item_id}/stock`)
  if (stock.kind === 'ok') clock.observe(stock.body.server_time)
}

function draw(orders: readonly Order[], cards: readonly GiftCard[]): void {
  list.removeAttribute('aria-busy')
  const text = JSON.stringify([orders, cards])
  if (list.dataset['text'] === text) return
  list.dataset['text'] = text
  byId('gift-cards').hidden = cards.length === 0
  byId('gift-card-list').replaceChildren(...cards.map(showCard))
  if (orders.length === 0) return list.replaceChildren(nothingYet())
  const shown = orders
    .toSorted((a, b) => b.claimed_at - a.claimed_at)
    .map((order) => {
      const card = cards.find(({ order_id }) => order_id === order.order_id)
      return orderCard(order, sales.get(order.sale_id), card)
    })
  list.replaceChildren(element('ul', { class: 'orders' }, ...shown))
  drawTimes(list, clock)
}

function nothingYet(): HTMLElement {
  return element(
    'section',
    { class: 'card wait' },
    element('h2', {}, say('orders.none')),
    element('p', { class: 'quiet' }, say('orders.none.text')),
    element('p', {}, element('a', { class: 'button', href: '/' }, say('orders.to_sales'))),
  )
}

function showCard(card: GiftCard): HTMLElement {
  const [left, until] = giftCardText(say, card)
  const good = card.balance > 0 && !card.expired
  return element(
    'li',
    { class: 'card' },
    element(
      'div',
      { class: 'sale-head' },
      element('h3', {}, element('code', {}, card.code)),
      element('span', { class: 'badge', ...(good ? { 'data-status': 'PAID' } : {}) }, left),
    ),
    element('p', { class: 'quiet' }, until),
  )
}
