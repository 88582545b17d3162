import type { GiftCard, Order } from '../shapes.ts'
import { formatDate } from './durations.ts'
import { formatMoney } from './money.ts'

/** What is left to pay of an order, in minor units. */
export const leftToPay = ({ amount, gift_part }: Pick<Order, 'amount' | 'gift_part'>): number =>
  amount - gift_part

/** What an order costs, and who pays what of it. A failed order has given the card's part back. */
export function priceFacts(order: Order, locale?: string): readonly (readonly [string, string])[] {
  const money = (amount: number) => formatMoney(amount, order.currency, locale)
  const total = ['Total', money(order.amount)] as const
  if (order.gift_part === 0 || order.status === 'FAILED') return [total]
  return [total, ['Gift card', money(-order.gift_part)], ['Left to pay', money(leftToPay(order))]]
}

/** What is left of a card and until when, or why nothing can be had for it. */
export function giftCardText(
  { amount, balance, currency, expired, expires_at }: GiftCard,
  locale?: string,
  timeZone?: string,
): readonly [left: string, until: string] {
  const day = formatDate(expires_at, locale, timeZone)
  const of = balance === amount ? '' : ` of ${formatMoney(amount, currency, locale)}`
  const left = balance === 0 ? 'Used up' : `${formatMoney(balance, currency, locale)}${of} left`
  return [left, expired ? `Expired on ${day}` : `Good until ${day}`]
}
