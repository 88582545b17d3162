import type { GiftCard, Order } from '../shapes.ts'
import type { Say } from './say.ts'

/** What is left to pay of an order, in minor units. */
export const leftToPay = ({ amount, gift_part }: Pick<Order, 'amount' | 'gift_part'>): number =>
  amount - gift_part

/** What an order costs, and who pays what of it. A failed order has given the card's part back. */
export function priceFacts(say: Say, order: Order): readonly (readonly [string, string])[] {
  const money = (amount: number) => say.money(amount, order.currency)
  const total = [say('common.total'), money(order.amount)] as const
  if (order.gift_part === 0 || order.status === 'FAILED') return [total]
  return [
    total,
    [say('order.gift_card'), money(-order.gift_part)],
    [say('order.left_to_pay'), money(leftToPay(order))],
  ]
}

/** What is left of a card and until when, or why nothing can be had for it. */
export function giftCardText(
  say: Say,
  { amount, balance, currency, expired, expires_at }: GiftCard,
): readonly [left: string, until: string] {
  const money = { balance: say.money(balance, currency), amount: say.money(amount, currency) }
  const left =
    balance === 0
      ? say('order.card.used_up')
      : say(balance === amount ? 'order.card.left' : 'order.card.left_of', money)
  return [left, say(expired ? 'order.card.expired' : 'order.card.until', { day: say.date(expires_at) })]
}
