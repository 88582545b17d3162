import { setText } from '../lib/dom.ts'
import { everyTick } from '../lib/time.ts'
import { say } from '../lib/words.ts'
import { drawButton, drawCards, drawNews } from '../shop/draw.ts'
import { keepSale, type LiveSale, readScene } from '../shop/scene.ts'
import { offerOf, together } from '../../src/contracts/words/shop.ts'

/** The list of sales: rendered whole, and kept alive from here. */
const { sales, clock } = readScene()
for (const sale of sales) keepSale(sale, clock, () => draw(sale))
everyTick(() => sales.forEach(draw))

function draw(sale: LiveSale): void {
  const now = clock.now()
  const units = together(sale.items.map((item) => sale.units.get(item)))
  const offer = offerOf(say, { sale: sale.times, units, now })
  const section = document.querySelector(`[data-sale="${sale.id}"]`)
  const part = (name: string) => section?.querySelector<HTMLElement>(`[data-live="${name}"]`)
  const [badge, text, button] = [part('badge'), part('badge-text'), part('button')]
  if (!section || !badge || !text || !button) return
  badge.dataset['state'] = offer.state
  setText(text, offer.live_badge)
  drawButton(button, offer, sale)
  drawCards(sale, now)
  drawNews(sale, section)
}
