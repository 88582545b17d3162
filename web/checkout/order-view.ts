import { config } from '../lib/config.ts'
import { byId, drawFacts, setText } from '../lib/dom.ts'
import { leftToPay, priceFacts } from '../../src/contracts/words/gift-card.ts'
import { itemText, orderText } from '../../src/contracts/words/order.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import type { Order } from '../../src/contracts/shapes.ts'
import { drawGiftCard } from './gift-card.ts'
import { say } from '../lib/words.ts'

const TAKES_PAYPAL = config.payment_providers?.split(' ').includes('paypal') ?? false

/** Draws one order in whatever state it is. `paying`: a payment is on its way, so nothing may be changed. */
export function drawOrder(order: Order, itemName: string, clock: ServerClock, paying: boolean): void {
  const time = order.pay_by - clock.now()
  const open = order.status === 'PROCESSING' || order.status === 'PENDING'
  const inTime = open && time > 0
  const [title, lead] = orderText(say, order, inTime, paying)
  setText(byId('order-title'), title)
  setText(byId('order-lead'), lead)
  setText(byId('answer'), `${title}. ${lead}`)
  document.title = title
  byId('pay-countdown').hidden = !inTime || paying
  setText(byId('pay-countdown'), say.countdown(time))
  byId('card').hidden = !inTime
  byId('paypal').hidden = !inTime || paying || order.status !== 'PENDING' || !TAKES_PAYPAL
  drawGiftCard(order, inTime && !paying)
  byId('order-actions').hidden = open
  byId('again').hidden = order.status !== 'FAILED'
  if (order.status === 'FAILED') byId('contact').hidden = true
  drawFacts(byId('summary'), [
    ['Item', itemText(say, order.quantity, itemName)],
    ...priceFacts(say, order),
    ['Order', order.order_id],
  ])
  const left = say.money(leftToPay(order), order.currency)
  setText(byId('pay'), `Pay ${left}`)
  setText(byId('pay-paypal'), `Pay ${left} with PayPal`)
}
