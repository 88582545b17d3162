import { type Answer, ask, explain } from '../lib/api.ts'
import { config } from '../lib/config.ts'
import { byId, notice, setText } from '../lib/dom.ts'
import { watchStock } from '../lib/live-stock.ts'
import { saleMoment } from '../lib/sale-moment.ts'
import { createServerClock } from '../lib/server-clock.ts'
import { stockText } from '../../src/contracts/words/stock.ts'
import { backoffMs, everyTick, pause, whenVisible } from '../lib/time.ts'
import type { Product, Sale, Stock } from '../../src/contracts/shapes.ts'
import { wantedItem } from '../lib/wanted.ts'
import { say } from '../lib/words.ts'

/** One product: price, live stock, the time to the opening, and the way into the queue. */
const SALE_EVERY_MS = 10_000
const clock = createServerClock()
const id = decodeURIComponent(location.pathname.split('/')[2] ?? '')
let stock: Stock | undefined

const product = await insist<Product>(`/api/products/${id}`)
let sale = await insist<Sale>(`/api/sales/${product.sale_id}`)
describe(product)
byId('buy').addEventListener('click', () => wantedItem(sale.id).write(id))
watchStock(id, (latest) => {
  clock.observe(latest.server_time)
  stock = latest
  draw()
})
everyTick(draw)
void keepSale()

/** Asks until there is an answer; a 404 is shown and never becomes one. */
async function insist<Body>(path: string): Promise<Body> {
  for (let failures = 0; ; failures++) {
    const answer: Answer<Body> = await ask(path)
    if (answer.kind === 'ok') {
      notice(byId('trouble'), undefined)
      return answer.body
    }
    notice(byId('trouble'), explain(answer))
    const final = answer.kind === 'problem' && answer.problem.status === 404
    await pause(final ? 60_000 : backoffMs(failures))
  }
}

async function keepSale(): Promise<never> {
  for (;;) {
    await pause(SALE_EVERY_MS * (0.8 + Math.random() * 0.4))
    await whenVisible()
    const answer = await ask<Sale>(`/api/sales/${product.sale_id}`)
    if (answer.kind === 'ok') sale = answer.body
  }
}

function describe({ name, description, amount, currency, per_buyer_limit: limit }: Product): void {
  document.title = `${name} · Doorbuster`
  setText(byId('name'), name)
  setText(byId('picture'), name.slice(0, 1))
  setText(byId('description'), description)
  setText(byId('price'), say.money(amount, currency))
  setText(byId('limit'), limit === 1 ? 'One for each buyer.' : `At most ${limit} for each buyer.`)
  byId('product').hidden = false
}

function draw(): void {
  const now = clock.now()
  const moment = saleMoment(sale, now)
  const soldOut = stock?.state === 'sold_out'
  const over = moment === 'ended' || soldOut
  setText(byId('sale'), sale.name)
  notice(byId('message'), sale.message === '' ? undefined : { title: '', detail: sale.message })
  setText(
    byId('when-label'),
    {
      before: `Opens ${say.moment(sale.opens_at)}, in`,
      open: soldOut ? 'This one is gone' : 'Open now',
      paused: 'The sale is paused, the queue keeps every place',
      ended: 'The sale has ended',
    }[moment],
  )
  byId('countdown').hidden = moment !== 'before'
  setText(byId('countdown'), say.countdown(sale.opens_at - now))
  if (stock !== undefined) {
    setText(byId('stock'), stockText(say, stock))
    byId('stock').dataset['state'] = stock.state
    byId('left', HTMLProgressElement).value = stock.available / Math.max(1, stock.total)
  }
  const buy = byId('buy')
  // A link without an address can be neither followed nor focused.
  if (over) buy.removeAttribute('href')
  else buy.setAttribute('href', `${config.queue_url}/${sale.id}`)
  buy.toggleAttribute('aria-disabled', over)
  const buyNow = moment === 'open' && stock?.state === 'available'
  setText(buy, over ? (soldOut ? 'Sold out' : 'The sale has ended') : buyNow ? 'Buy' : 'Join the queue')
}
