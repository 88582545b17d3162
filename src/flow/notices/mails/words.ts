import type { Told, NoticeKind } from '../sql.ts'

/**
 * Every word of our mails that is not a name, a number or a date, in one place: another language is another object of
 * this shape. Sentences are plain text; `{item}`, `{amount}`, `{charged}` (by the
 * provider) and `{until}` are filled in.
 */
export interface MailWords {
  readonly subject: Readonly<Record<NoticeKind, string>>
  readonly title: Readonly<Record<NoticeKind, string>>
  /** What happened, and what became of the money; a paragraph each. */
  readonly story: (kind: NoticeKind, told: Pick<Told, 'failure_reason' | 'returned' | 'paid_at'>) => string[]
  readonly giftCard: { readonly title: string; readonly text: string; readonly until: string }
  readonly facts: Readonly<Record<'item' | 'total' | 'paid_with' | 'paid_at' | 'order', string>>
  readonly button: string
  readonly footer: string
}

const NO_MONEY =
  'No money was kept. If your bank shows a reservation for it, it goes away by itself within a few days.'
const MONEY_BACK = 'A payment of {charged} had reached us all the same. It goes back to you in full.'
const REFUND =
  'The {amount} you paid go back to you in full, the way they came. That may take your bank a few days.'

export const ENGLISH: MailWords = {
  subject: {
    paid: 'Your receipt: {item}',
    failed: 'Not bought: {item}',
    cancelled: 'Cancelled: {item}',
    oversold: 'We are sorry: your order of {item} is cancelled',
  },
  title: {
    paid: 'Paid. It is yours',
    failed: 'Not bought',
    cancelled: 'You cancelled your order',
    oversold: 'We are sorry',
  },
  story: (kind, { failure_reason, returned, paid_at }) => {
    const money = returned ? MONEY_BACK : NO_MONEY
    switch (kind) {
      case 'paid':
        return ['Thank you. This is your receipt.']
      case 'cancelled':
        return ['As you asked, the unit goes to the next person in line.', money]
      case 'oversold':
        return [
          'We took more orders than there were units, and yours was among the last. We had to cancel it; that is our fault, not yours.',
          paid_at === null ? money : REFUND,
        ]
      case 'failed':
        return [
          failure_reason === 'declined'
            ? 'The payment was declined, so the unit went to the next person in line.'
            : 'No payment arrived in time, so the unit went to the next person in line.',
          money,
        ]
    }
  },
  giftCard: {
    title: 'A gift card for you',
    text: 'To make up for it: {amount} for your next order. Its code works for you alone.',
    until: 'Good until {until}.',
  },
  facts: { item: 'Item', total: 'Total', paid_with: 'Paid with', paid_at: 'Paid at', order: 'Order' },
  button: 'Look at the order',
  footer:
    'You get this mail because this address was given for this order; nothing else is sent to it. The order opens in the browser it was made with.',
}
