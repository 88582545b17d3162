import { config } from '../lib/config.ts'
import { byId, drawFacts, element, setText } from '../lib/dom.ts'
import { leftToPay, priceFacts } from '../../src/contracts/words/gift-card.ts'
import { itemText, orderScene, type OrderScene, orderText } from '../../src/contracts/words/order.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import type { Order, Product } from '../../src/contracts/shapes.ts'
import { thumb } from '../lib/thumb.ts'
import { drawGiftCard } from './gift-card.ts'
import { drawPayTime } from './pay-time.ts'
import { arrive, drawMark, type Mark, type Tone } from './scenes.ts'
import { say } from '../lib/words.ts'

const TAKES_PAYPAL = config.payment_providers?.split(' ').includes('paypal') ?? false

/** How far a payment of this page is: none on its way, sent, sent without an answer, or at the bank's own page. */
export type Progress = 'none' | 'sent' | 'unanswered' | 'bank'

const LOOKS: Readonly<Record<OrderScene, readonly [Mark, Tone]>> = {
  held: ['check', 'accent'],
  paying: ['busy', 'calm'],
  time_up: ['clock', 'note'],
  paid: ['check', 'good'],
  pay_again: ['alert', 'note'],
  declined: ['alert', 'bad'],
  late: ['clock', 'bad'],
  cancelled: ['cross', 'calm'],
  oversold: ['gift', 'note'],
  failed: ['cross', 'calm'],
}

/** What is shown now: a change of it is a change of page to the buyer. */
let shown: string | undefined

/** Draws one order in whatever state it is. `progress`: while a payment is on its way nothing may be changed. */
export function drawOrder(
  order: Order,
  product: Product | undefined,
  clock: ServerClock,
  progress: Progress,
): void {
  const paying = progress !== 'none'
  const inTime = order.pay_by > clock.now()
  const scene = orderScene(order, inTime, paying)
  const mayPay = scene === 'held' || scene === 'pay_again'
  const written = order.status !== 'PROCESSING'
  const over = order.status === 'FAILED'

  drawPayTime(order, clock, scene === 'held')
  byId('card').hidden = !mayPay
  byId('paypal').hidden = !mayPay || !written || !TAKES_PAYPAL
  byId('give-up').hidden = scene !== 'held'
  drawGiftCard(order, scene === 'held')
  byId('order-actions').hidden = !over && scene !== 'paid'
  byId('again').hidden = !over
  if (over) byId('contact').hidden = true
  if (scene !== 'paid') {
    byId('receipt').hidden = true
    byId('bill').hidden = false
  }
  drawItem(order, product)
  drawFacts(byId('summary'), [...priceFacts(say, order), [say('common.order'), order.order_id]])
  const amount = say.money(leftToPay(order), order.currency)
  setText(byId('pay'), say('checkout.pay', { amount }))
  byId('pay-paypal').setAttribute('aria-label', say('checkout.pay_paypal', { amount }))
  enter(scene, scene === 'paying' ? payingText(progress) : orderText(say, order, inTime, paying))
}

function drawItem({ item_id, quantity }: Order, product: Product | undefined): void {
  const name = product?.name ?? item_id
  const text = itemText(say, quantity, name)
  if (byId('bill-item').lastChild?.textContent !== text)
    byId('bill-item').replaceChildren(thumb(product, name), element('strong', {}, text))
}

function payingText(progress: Progress): readonly [string, string] {
  switch (progress) {
    case 'unanswered':
      return [say('checkout.unanswered.title'), say('checkout.unanswered.text')]
    case 'bank':
      return [say('checkout.bank.title'), say('checkout.bank.text')]
    case 'sent':
    case 'none':
      return [say('order.paying.title'), say('order.paying.text')]
  }
}

function enter(scene: OrderScene, [title, lead]: readonly [string, string]): void {
  if (shown === title) return
  shown = title
  const [mark, tone] = LOOKS[scene]
  drawMark('order', mark, tone)
  byId('scene-order').dataset['scene'] = scene
  setText(byId('order-title'), title)
  setText(byId('order-lead'), lead)
  arrive(byId('order-title'), title, lead)
}
