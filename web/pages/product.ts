import { byId } from '../lib/dom.ts'
import { watchStock } from '../lib/live-stock.ts'
import { everyTick } from '../lib/time.ts'
import { wantedItem } from '../lib/wanted.ts'
import { say } from '../lib/words.ts'
import { drawCards, drawNews, drawOffer } from '../shop/draw.ts'
import { keepSale, type LiveSale, readScene } from '../shop/scene.ts'
import { offerOf } from '../../src/contracts/words/shop.ts'

/** One product: live stock, the time to the opening, and the way into the queue. */
const id = decodeURIComponent(location.pathname.split('/')[2] ?? '')
const { sales, clock } = readScene()
for (const sale of sales) {
  byId('buy').addEventListener('click', () => wantedItem(sale.id).write(id))
  watchStock(id, (latest) => {
    clock.observe(latest.server_time)
    sale.units.set(id, latest)
    draw(sale)
  })
  keepSale(sale, clock, () => draw(sale), id)
  everyTick(() => draw(sale))
}

function draw(sale: LiveSale): void {
  const [now, units] = [clock.now(), sale.units.get(id)]
  const others = sale.items.some((item) => item !== id && (sale.units.get(item)?.available ?? 0) > 0)
  drawOffer(offerOf(say, { sale: sale.times, units, now, others }), sale, units)
  drawCards(sale, now)
  drawNews(sale, document)
}
