import type { Order } from '../shapes.ts'

/** Why an order failed, and what it means for the buyer's money. */
export function failureText(reason: Order['failure_reason']): string {
  switch (reason) {
    case 'declined':
      return 'The payment was declined. You were not charged.'
    case 'payment_timeout':
    case 'hold_expired':
      return 'No payment arrived in time, so the unit went to the next person in line. You were not charged.'
    case 'cancelled_by_user':
      return 'You cancelled it. You were not charged.'
    case 'oversold':
      return 'We took more orders than there were units, and yours was among the last. We are sorry: what you paid goes back to you, and a gift card makes up for it.'
    case null:
      return 'You were not charged.'
  }
}

export const STATUS_WORDS: Readonly<Record<Order['status'], string>> = {
  PROCESSING: 'Being written',
  PENDING: 'To be paid',
  PAID: 'Paid',
  FAILED: 'Not bought',
}

/** Title and lead of one order. `inTime`: it can still be paid; `paying`: a payment is on its way. */
export function orderText(order: Order, inTime: boolean, paying: boolean): readonly [string, string] {
  switch (order.status) {
    case 'PAID':
      return ['Paid. It is yours', 'Thank you. You find it again under “My orders”.']
    case 'FAILED':
      return [
        order.failure_reason === 'oversold' ? 'We had to cancel your order' : 'Not bought',
        failureText(order.failure_reason),
      ]
    case 'PROCESSING':
    case 'PENDING':
      if (paying) return ['Your payment is on its way', 'Waiting for the word of the payment provider…']
      if (inTime) return ['You have it', 'It is held for you alone. Pay before the time is up:']
      return ['The time to pay is up', 'Finding out whether a payment arrived…']
  }
}

/** How a payment provider calls itself. */
export function providerName(provider: string): string {
  return { stripe: 'Card (Stripe)', paypal: 'PayPal' }[provider] ?? provider
}

/** What an order was paid with, as far as it is written down: a provider, gift cards, or both. */
export function paidWith(provider: string | null, giftPart: string | undefined): string {
  const parts = [
    ...(giftPart === undefined ? [] : [`Gift card (${giftPart})`]),
    ...(provider === null ? [] : [providerName(provider)]),
  ]
  return parts.join(' and ')
}
