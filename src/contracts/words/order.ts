import type { Order } from '../shapes.ts'
import type { Say } from './say.ts'

/** "2 × Lamp", or only its name. */
export function itemText(say: Say, quantity: number, item: string): string {
  return quantity === 1 ? item : say('common.times', { count: quantity, item })
}

/** Why an order failed, and what it means for the buyer's money. */
export function failureText(say: Say, reason: Order['failure_reason']): string {
  switch (reason) {
    case 'declined':
      return say('order.declined.text')
    case 'payment_timeout':
    case 'hold_expired':
      return say('order.late.text')
    case 'cancelled_by_user':
      return say('order.cancelled.text')
    case 'oversold':
      return say('order.oversold.text')
    case null:
      return say('order.failed.text')
  }
}

export function statusText(say: Say, status: Order['status']): string {
  return say(`order.${status.toLowerCase() as Lowercase<Order['status']>}`)
}

/** Title and lead of one order. `inTime`: it can still be paid; `paying`: a payment is on its way. */
export function orderText(
  say: Say,
  order: Order,
  inTime: boolean,
  paying: boolean,
): readonly [string, string] {
  switch (order.status) {
    case 'PAID': {
      const state = !order.pay_again ? 'paid' : paying ? 'paying' : 'pay_again'
      return [say(`order.${state}.title`), say(`order.${state}.text`)]
    }
    case 'FAILED':
      return [
        say(order.failure_reason === 'oversold' ? 'order.oversold.title' : 'order.failed'),
        failureText(say, order.failure_reason),
      ]
    case 'PROCESSING':
    case 'PENDING': {
      const state = paying ? 'paying' : inTime ? 'held' : 'time_up'
      return [say(`order.${state}.title`), say(`order.${state}.text`)]
    }
  }
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
