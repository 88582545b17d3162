import type { Receipt } from '../shapes.ts'
import { itemText, paidWith } from './order.ts'
import type { Say } from './say.ts'

/** What a receipt says, label by label. */
export function receiptFacts(
  say: Say,
  { item_name, quantity, amount, currency, provider, gift_amount, paid_at, order_id }: Receipt,
): readonly (readonly [string, string])[] {
  const means = paidWith(say, provider, gift_amount === 0 ? undefined : say.money(gift_amount, currency))
  return [
    [say('common.item'), itemText(say, quantity, item_name)],
    [say('common.total'), say.money(amount, currency)],
    ...(means === '' ? [] : [[say('order.paid_with'), means] as const]),
    [say('order.paid_at'), say.date(paid_at)],
    [say('common.order'), order_id],
  ]
}

/** What became of the mail; nothing where there is no address. */
export function receiptMailText(say: Say, { email, mail }: Pick<Receipt, 'email' | 'mail'>): string {
  return email === null || mail === 'none' ? '' : say(`order.mail.${mail}`, { email })
}

/** Beside the field for the address. */
export function contactText(say: Say, email: string | null): string {
  return email === null ? say('order.contact.none') : say('order.contact.kept', { email })
}
