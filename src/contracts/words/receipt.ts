import type { Receipt } from '../shapes.ts'
import { formatDate } from './durations.ts'
import { formatMoney } from './money.ts'
import { providerName } from './order.ts'

/** What a receipt says, label by label. Without a locale and a time zone: those of the reader. */
export function receiptFacts(
  { item_name, quantity, amount, currency, provider, paid_at, order_id }: Receipt,
  locale?: string,
  timeZone?: string,
): readonly (readonly [string, string])[] {
  return [
    ['Item', quantity === 1 ? item_name : `${quantity} × ${item_name}`],
    ['Total', formatMoney(amount, currency, locale)],
    ...(provider === null ? [] : [['Paid with', providerName(provider)] as const]),
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
