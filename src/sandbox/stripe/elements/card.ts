/** A card as the buyer typed it, ready for the provider. It goes nowhere else and is kept nowhere. */
export interface Card {
  readonly number: string
  readonly exp_month: string
  readonly exp_year: string
  readonly cvc: string
}

export type CardField = 'number' | 'expiry' | 'cvc'
export type CardReading =
  | { readonly kind: 'card'; readonly card: Card }
  /** `what` is wrong with a field, as words/ has it under `card.wrong`. */
  | { readonly kind: 'wrong'; readonly field: CardField; readonly what: CardField | 'expired' }

/** Reads what was typed, forgiving about spaces; `now` decides whether the card has expired. */
export function readCard(typed: Readonly<Record<CardField, string>>, now: Date): CardReading {
  const number = typed.number.replace(/[\s-]/g, '')
  if (!/^\d{12,19}$/.test(number) || !passesLuhn(number))
    return { kind: 'wrong', field: 'number', what: 'number' }
  const expiry = /^\s*(\d{1,2})\s*[/ -]?\s*(\d{2}|\d{4})\s*$/.exec(typed.expiry)
  const month = Number(expiry?.[1])
  const year = Number(expiry?.[2]) + ((expiry?.[2]?.length ?? 0) === 2 ? 2000 : 0)
  if (!(month >= 1 && month <= 12)) return { kind: 'wrong', field: 'expiry', what: 'expiry' }
  // A card is good until its month is over.
  if (new Date(year, month, 1) <= now) return { kind: 'wrong', field: 'expiry', what: 'expired' }
  const cvc = typed.cvc.trim()
  if (!/^\d{3,4}$/.test(cvc)) return { kind: 'wrong', field: 'cvc', what: 'cvc' }
  return { kind: 'card', card: { number, exp_month: String(month), exp_year: String(year), cvc } }
}

function passesLuhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}

/** "4242 4242 4242 4242" while typing; "3782 822463 10005" for cards that start with 34 or 37. */
export function groupDigits(typed: string): string {
  const digits = typed.replace(/\D/g, '').slice(0, 19)
  const groups = /^3[47]/.test(digits)
    ? /^(\d{1,4})(\d{1,6})?(\d{1,9})?/
    : /(\d{1,4})(\d{1,4})?(\d{1,4})?(\d{1,4})?(\d{1,3})?/
  return (groups.exec(digits) ?? []).slice(1).filter(Boolean).join(' ')
}
