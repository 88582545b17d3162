/** Our integer minor units (ISO 4217) and PayPal's decimal strings: exactly, or not at all. */
import { ProviderRefused } from './provider.ts'

/** Digits after the point: ours, and those PayPal takes. The currencies PayPal settles in, and no others. */
const DIGITS: Readonly<Record<string, readonly [ours: number, paypal: number]>> = {
  ...Object.fromEntries(
    'AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD'
      .split(' ')
      .map((currency) => [currency, [2, 2]] as const),
  ),
  JPY: [0, 0],
  // Two digits in ISO 4217, whole amounts at PayPal.
  HUF: [2, 0],
  TWD: [2, 0],
}

export interface PaypalAmount {
  currency_code: string
  value: string
}

/** @throws ProviderRefused `invalid_currency` or `invalid_amount` for what PayPal can not take. */
export function toPaypalAmount(amount: number, currency: string): PaypalAmount {
  const currency_code = currency.toUpperCase()
  const [ours, paypal] = digitsOf(currency_code)
  const text = String(amount).padStart(ours + 1, '0')
  const [whole, fraction] = [text.slice(0, text.length - ours), text.slice(text.length - ours)]
  if (!Number.isSafeInteger(amount) || amount < 0 || /[1-9]/.test(fraction.slice(paypal)))
    throw new ProviderRefused('paypal', 'invalid_amount', `PayPal can not take ${amount} ${currency_code}`)
  return { currency_code, value: paypal === 0 ? whole : `${whole}.${fraction}` }
}

/** @throws ProviderRefused where it is no amount in these units. */
export function fromPaypalAmount({ currency_code, value }: PaypalAmount): number {
  const [ours] = digitsOf(currency_code)
  const [, whole = '', fraction = ''] = /^(\d+)(?:\.(\d+))?$/.exec(value) ?? []
  const amount = Number(whole + fraction.slice(0, ours).padEnd(ours, '0'))
  if (whole === '' || /[1-9]/.test(fraction.slice(ours)) || !Number.isSafeInteger(amount))
    throw new ProviderRefused('paypal', 'invalid_amount', `Not an amount: ${value} ${currency_code}`)
  return amount
}

function digitsOf(currency: string): readonly [number, number] {
  const digits = Object.hasOwn(DIGITS, currency) ? DIGITS[currency] : undefined
  if (digits !== undefined) return digits
  throw new ProviderRefused('paypal', 'invalid_currency', `PayPal does not take ${currency}`)
}
