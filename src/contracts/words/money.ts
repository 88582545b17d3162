/**
 * "€19.99" from 1999 EUR. Amounts come in minor units; how many of them make one is up to the currency (yen have
 * none, dinars a thousand), and Intl knows.
 */
export function formatMoney(amount: number, currency: string, locale: string): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return format.format(amount / 10 ** digits)
}

/** "19.99" from 1999 EUR: for machines, which want a point and no sign. */
export function decimalAmount(amount: number, currency: string): string {
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  return (amount / 10 ** digits).toFixed(digits)
}

/** Whole numbers with the reader's separators: 12,345. */
export function formatCount(count: number, locale: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(count)
}
