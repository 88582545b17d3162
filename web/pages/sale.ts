import { everyTick } from '../lib/time.ts'
import { say } from '../lib/words.ts'
import { drawCards, drawNews, drawOffer } from '../shop/draw.ts'
import { keepSale, type LiveSale, readScene } from '../shop/scene.ts'
import { offerOf, together } from '../../src/contracts/words/shop.ts'

/** A sale and all that is in it, before, during and after. */
const { sales, clock } = readScene()
for (const sale of sales) {
  keepSale(sale, clock, () => draw(sale))
  everyTick(() => draw(sale))
}

function draw(sale: LiveSale): void {
  const now = clock.now()
  const units = together(sale.items.map((item) => sale.units.get(item)))
  drawOffer(offerOf(say, { sale: sale.times, units, now }), sale, units)
  drawCards(sale, now)
  drawNews(sale, document)
}
