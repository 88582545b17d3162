/**
 * Numbers as people type them. Undefined where nothing is typed, which a schema calls missing; NaN where it is no number, or one
 * that not everybody reads alike: "1,000" is a thousand to some and one to others, and so is "1.000" where only whole numbers make sense.
 */
export function wholeNumber(text: string): number | undefined {
  const typed = text.trim()
  if (typed === '') return undefined
  return /^\d+$/.test(typed) ? Number(typed) : NaN
}

export function decimal(text: string): number | undefined {
  const typed = text.trim()
  if (typed === '') return undefined
  if (!/^\d+([.,]\d+)?$/.test(typed) || /^\d{1,3},\d{3}$/.test(typed)) return NaN
  return Number(typed.replace(',', '.'))
}
