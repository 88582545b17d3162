import type { Receipt } from '../shapes.ts'
import { formatDate } from './durations.ts'
import { formatMoney } from './money.ts'
import { paidWith } from './order.ts'

/** What a receipt says, label by label. Without a locale and a time zone: those of the reader. */
export function receiptFacts(
  { item_name, quantity, amount, currency, provider, gift_amount, paid_at, order_id }: Receipt,
  locale?: string,
  timeZone?: string,
): readonly (readonly [string, string])[] {
  const gift = gift_amount === 0 ? undefined : formatMoney(gift_amount, currency, locale)
  const means = paidWith(provider, gift)
  return [
    ['Item', quantity === 1 ? item_name : `${quantity} × ${item_name}`],
    ['Total', formatMoney(amount, currency, locale)],
    ...(means === '' ? [] : [['Paid with', means] as const]),
    ['Paid at', formatDate(paid_at, locale, timeZone)],
    ['Order', order_id],
  ]
}

/** What became of the mail; nothing where there is no address. */
export function receiptMailText({ email, mail }: Pick<Receipt, 'email' | 'mail'>): string {
  if (email === null || mail === 'none') return ''
  switch (mail) {
    case 'on_its_way':
      return `It goes to ${email} by mail.`
    case 'sent':
      return `It went to ${email} by mail.`
    case 'undeliverable':
      return `It could not be delivered to ${email}. Give another address, or keep this page.`
  }
}

/** Beside the field for the address. */
export function contactText(email: string | null): string {
  return email === null
    ? 'For mails about this order and nothing else; deleted after a while.'
    : `What becomes of this order is told to ${email}.`
}
