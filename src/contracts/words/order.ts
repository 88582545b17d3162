import type { Order } from '../shapes.ts'
import type { Say } from './say.ts'

/** "2 × Lamp", or only its name. */
export function itemText(say: Say, quantity: number, item: string): string {
  return quantity === 1 ? item : say('common.times', { count: quantity, item })
}

/** What an order is to its buyer at the moment; each has a title and a text, and a look of its own. */
export type OrderScene =
  | 'held'
  | 'paying'
  | 'time_up'
  | 'paid'
  | 'pay_again'
  | 'declined'
  | 'late'
  | 'cancelled'
  | 'oversold'
  | 'failed'

/** `inTime`: an open order can still be paid; `paying`: a payment is on its way. */
export function orderScene(order: Order, inTime: boolean, paying: boolean): OrderScene {
  switch (order.status) {
    case 'PAID':
      return !order.pay_again ? 'paid' : paying ? 'paying' : 'pay_again'
    case 'FAILED':
      return failureScene(order.failure_reason)
    case 'PROCESSING':
    case 'PENDING':
      return paying ? 'paying' : inTime ? 'held' : 'time_up'
  }
}

function failureScene(reason: Order['failure_reason']) {
  switch (reason) {
    case 'payment_timeout':
    case 'hold_expired':
      return 'late'
    case 'cancelled_by_user':
      return 'cancelled'
    case 'declined':
    case 'oversold':
      return reason
    case null:
      return 'failed'
  }
}

/** How an order stands, in a word or two. */
export function statusText(say: Say, order: Order): string {
  if (order.status === 'FAILED') return say(`order.${failureScene(order.failure_reason)}`)
  if (order.status === 'PAID' && order.pay_again) return say('order.pay_again')
  return say(`order.${order.status.toLowerCase() as Lowercase<typeof order.status>}`)
}

/** Title and lead of one order: what happened, and what it means for the buyer's money. */
export function orderText(
  say: Say,
  order: Order,
  inTime: boolean,
  paying: boolean,
): readonly [string, string] {
  const scene = orderScene(order, inTime, paying)
  return [say(`order.${scene}.title`), say(`order.${scene}.text`)]
}

/** What an order was paid with, as far as it is written down: a provider, gift cards, or both. */
export function paidWith(say: Say, provider: string | null, giftPart: string | undefined): string {
  const first = giftPart === undefined ? '' : say('order.by_gift_card', { amount: giftPart })
  const second = provider === null ? '' : providerName(say, provider)
  return first === '' || second === '' ? first + second : say('common.and', { first, second })
}

/** How a payment provider calls itself. */
function providerName(say: Say, provider: string): string {
  return { stripe: say('order.by_card'), paypal: 'PayPal' }[provider] ?? provider
}
