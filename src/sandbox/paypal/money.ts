/** Decimal strings as PayPal takes and gives them. */
import { malformed, refused } from './errors.ts'

/** Currencies PayPal takes. */
const CURRENCIES = new Set(
  'AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD'.split(
    ' ',
  ),
)
/** In these it takes whole amounts only, whatever ISO 4217 says. */
const WHOLE = new Set(['HUF', 'JPY', 'TWD'])

const digitsOf = (currency: string) => (WHOLE.has(currency) ? 0 : 2)

/** @throws PaypalFailure for what PayPal would not take. */
export function readAmount(value: unknown, currency: unknown, field: string): number {
  if (typeof currency !== 'string' || !CURRENCIES.has(currency))
    throw refused('CURRENCY_NOT_SUPPORTED', 'Currency code is not currently supported.')
  if (typeof value !== 'string' || !/^\d{1,29}(\.\d+)?$/.test(value) || value.length > 32)
    throw malformed(
      field,
      'INVALID_PARAMETER_SYNTAX',
      'The value of a field does not conform to the expected format.',
    )
  const [whole = '', fraction = ''] = value.split('.')
  if (fraction.length > digitsOf(currency))
    throw refused(
      'DECIMAL_PRECISION',
      'If the currency supports decimals, only two decimal place precision is supported.',
    )
  const amount = Number(whole + fraction.padEnd(digitsOf(currency), '0'))
  if (amount <= 0) throw refused('CANNOT_BE_ZERO_OR_NEGATIVE', 'Must be greater than zero.')
  return amount
}

export function showAmount(amount: number, currency: string) {
  const digits = digitsOf(currency)
  const text = String(amount).padStart(digits + 1, '0')
  const value = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
  return { currency_code: currency, value }
}

const isoDigits = new Map(
  [...CURRENCIES].map((currency) => {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency })
    return [currency, format.resolvedOptions().maximumFractionDigits ?? 2] as const
  }),
)

/** In the minor units of ISO 4217, which the ledger counts in. */
export function isoMinorUnits(amount: number, currency: string): number {
  return amount * 10 ** ((isoDigits.get(currency) ?? 2) - digitsOf(currency))
}
