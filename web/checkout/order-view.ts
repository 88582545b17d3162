import { config } from '../lib/config.ts'
import { byId, drawFacts, setText } from '../lib/dom.ts'
import { formatCountdown } from '../../src/contracts/words/durations.ts'
import { formatMoney } from '../../src/contracts/words/money.ts'
import { orderText } from '../../src/contracts/words/order.ts'
import type { ServerClock } from '../lib/server-clock.ts'
import type { Order } from '../../src/contracts/shapes.ts'

const TAKES_PAYPAL = config.payment_providers?.split(' ').includes('paypal') ?? false

/** Draws one order in whatever state it is. `paying`: a payment is on its way, so nothing may be changed. */
export function drawOrder(order: Order, itemName: string, clock: ServerClock, paying: boolean): void {
  const left = order.pay_by - clock.now()
  const open = order.status === 'PROCESSING' || order.status === 'PENDING'
  const inTime = open && left > 0
  const [title, lead] = orderText(order, inTime, paying)
  setText(byId('order-title'), title)
  setText(byId('order-lead'), lead)
  setText(byId('answer'), `${title}. ${lead}`)
  document.title = title
  byId('pay-countdown').hidden = !inTime || paying
  setText(byId('pay-countdown'), formatCountdown(left))
  byId('card').hidden = !inTime
  byId('paypal').hidden = !inTime || paying || order.status !== 'PENDING' || !TAKES_PAYPAL
  byId('order-actions').hidden = open
  byId('again').hidden = order.status !== 'FAILED'
  if (order.status === 'FAILED') byId('contact').hidden = true
  drawFacts(byId('summary'), [
    ['Item', order.quantity === 1 ? itemName : `${order.quantity} × ${itemName}`],
    ['Total', formatMoney(order.amount, order.currency)],
    ['Order', order.order_id],
  ])
  setText(byId('pay'), `Pay ${formatMoney(order.amount, order.currency)}`)
}
