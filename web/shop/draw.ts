import { config } from '../lib/config.ts'
import { byId, setText } from '../lib/dom.ts'
import { say } from '../lib/words.ts'
import { type Offer, offerOf, type Units, wayTo } from '../../src/contracts/words/shop.ts'
import { stockState } from '../../src/contracts/words/stock.ts'
import type { LiveSale } from './scene.ts'

/** Says of an element what it shows, where that changed. */
function show(target: HTMLElement, text: string, state: string): void {
  setText(target, text)
  if (target.dataset['state'] !== state) target.dataset['state'] = state
}

const stateOf = (units: Units | undefined) => (units === undefined ? 'unknown' : stockState(units))

/** The stock of one item, on its card or on its own page. */
export function drawStock(
  target: HTMLElement,
  { times }: LiveSale,
  units: Units | undefined,
  now: number,
): void {
  show(target, offerOf(say, { sale: times, units, now }).stock, stateOf(units))
}

/** What its operator may change at any time: the message, and when it opens and ends. */
export function drawNews({ times, message }: LiveSale, scope: ParentNode): void {
  const text = scope.querySelector<HTMLElement>('[data-live="message"]')
  if (message !== undefined && text?.parentElement) {
    setText(text, message)
    text.parentElement.hidden = message === ''
  }
  for (const time of scope.querySelectorAll('time')) {
    const moment = times[time.dataset['when'] as 'opens_at']
    // One that was not there when the page was rendered has no place on it.
    if (typeof moment !== 'number') continue
    if (Date.parse(time.dateTime) !== moment) time.dateTime = new Date(moment).toISOString()
    setText(time, say.moment(moment))
  }
}

/** The cards of a sale that are on the page. */
export function drawCards(sale: LiveSale, now: number): void {
  for (const item of sale.items) {
    const target = document.getElementById(`stock-${item}`)
    if (target !== null) drawStock(target, sale, sale.units.get(item), now)
  }
}

export function drawButton(button: HTMLElement, offer: Offer, { id }: LiveSale): void {
  setText(button, offer.button)
  const way = wayTo(offer.way, { queue: `${config.queue_url}/${id}`, sale: id })
  if (button.getAttribute('href') !== way) button.setAttribute('href', way)
}

/** The offer of a product's or a sale's page. */
export function drawOffer(offer: Offer, sale: LiveSale, units: Units | undefined): void {
  const box = byId('offer')
  if (box.dataset['state'] !== offer.state) box.dataset['state'] = offer.state
  setText(byId('title'), offer.title)
  setText(byId('offer-text'), offer.text)
  setText(byId('countdown'), offer.countdown)
  byId('countdown').hidden = offer.countdown === ''
  show(byId('stock'), offer.stock, stateOf(units))
  byId('left', HTMLProgressElement).value = offer.left
  drawButton(byId('buy'), offer, sale)
}
