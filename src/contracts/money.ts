/** An amount in the currency's minor unit (cents, yen): always a safe, non-negative integer. */
export interface Money {
  readonly amount: number
  /** ISO 4217, upper case. */
  readonly currency: string
}

/** Price of `quantity` units. Throws RangeError where the product is no safe integer. */
export function times(unit: Money, quantity: number): Money {
  const amount = unit.amount * quantity
  if (!Number.isSafeInteger(amount) || amount < 0)
    throw new RangeError(`not an amount: ${unit.amount} x ${quantity}`)
  return { amount, currency: unit.currency }
}
