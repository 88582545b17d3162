import { ask, explain } from '../lib/api.ts'
import { config } from '../lib/config.ts'
import { byId, element, notice, setText } from '../lib/dom.ts'
import { type SaleMoment, saleMoment } from '../lib/sale-moment.ts'
import { createServerClock } from '../lib/server-clock.ts'
import { stockText } from '../../src/contracts/words/stock.ts'
import { backoffMs, everyTick, pause, whenVisible } from '../lib/time.ts'
import type { Product, Sale, Stock } from '../../src/contracts/shapes.ts'
import { say } from '../lib/words.ts'

/** The list of sales and what is in them. */
const STOCK_EVERY_MS = 5000
const clock = createServerClock()
const sales = await load()
const list = byId('sales')
list.removeAttribute('aria-busy')
if (sales.length === 0) list.replaceChildren(element('p', { class: 'lead' }, 'There is no sale right now.'))
else list.replaceChildren(...sales.map(showSale))
for (const { products } of sales) for (const product of products) void keepStock(product)

async function load(): Promise<Sale[]> {
  for (let failures = 0; ; failures++) {
    const answer = await ask<{ products: Product[] }>('/api/products')
    if (answer.kind === 'ok') {
      const ids = [...new Set(answer.body.products.map((product) => product.sale_id))]
      const found = await Promise.all(ids.map((id) => ask<Sale>(`/api/sales/${id}`)))
      notice(byId('trouble'), undefined)
      return found
        .flatMap((sale) => (sale.kind === 'ok' ? [sale.body] : []))
        .sort((a, b) => rank(a) - rank(b) || b.opens_at - a.opens_at)
    }
    notice(byId('trouble'), explain(answer))
    await pause(backoffMs(failures))
  }
}

/** What can still be bought comes first. */
function rank(sale: Sale): number {
  return saleMoment(sale, clock.now()) === 'ended' ? 1 : 0
}

function showSale(sale: Sale): HTMLElement {
  const when = element('p', { class: 'quiet' })
  const badge = element('span', { class: 'badge' })
  everyTick(() => {
    const moment = saleMoment(sale, clock.now())
    setText(badge, badgeText(moment, sale.opens_at - clock.now()))
    badge.dataset['moment'] = moment
    setText(when, `${moment === 'before' ? 'Opens' : 'Opened'} ${say.moment(sale.opens_at)}`)
  })
  const heading = element('h2', { id: `sale-${sale.id}` }, sale.name)
  return element(
    'section',
    { class: 'sale', 'aria-labelledby': `sale-${sale.id}` },
    element('div', { class: 'sale-head' }, heading, badge),
    when,
    element('ul', { class: 'cards' }, ...sale.products.map((product) => showProduct(product))),
    element(
      'p',
      {},
      element('a', { class: 'button', href: `${config.queue_url}/${sale.id}` }, 'Join the queue'),
    ),
  )
}

function badgeText(moment: SaleMoment, untilOpening: number): string {
  switch (moment) {
    case 'before':
      return `Opens in ${say.countdown(untilOpening)}`
    case 'open':
      return 'Open now'
    case 'paused':
      return 'Paused'
    case 'ended':
      return 'Ended'
  }
}

function showProduct(product: Product): HTMLElement {
  return element(
    'li',
    {},
    element(
      'a',
      { class: 'card product-card', href: `/products/${product.id}` },
      element('span', { class: 'picture', 'aria-hidden': 'true' }, product.name.slice(0, 1)),
      element('strong', {}, product.name),
      element('span', { class: 'price' }, say.money(product.amount, product.currency)),
      element('span', { class: 'quiet', id: `stock-${product.id}` }, '\u00a0'),
    ),
  )
}

async function keepStock(product: Product): Promise<never> {
  for (;;) {
    await whenVisible()
    const answer = await ask<Stock>(`/api/items/${product.id}/stock`)
    if (answer.kind === 'ok') {
      clock.observe(answer.body.server_time)
      setText(byId(`stock-${product.id}`), stockText(say, answer.body))
    }
    await pause(STOCK_EVERY_MS * (0.8 + Math.random() * 0.4))
  }
}
