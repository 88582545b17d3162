/** What really happened to the money, summed from the effects as they were written down. For tests and auditors. */

/** Money that moved, written down where it moved: the ledger is summed from these, not from the provider's objects. */
export interface Effect {
  object: 'sandbox.effect'
  id: string
  kind: 'authorise' | 'release' | 'capture' | 'refund'
  /** The payment it belongs to: a PaymentIntent of Stripe, an order of PayPal. */
  payment: string
  /** Integer minor units. */
  amount: number
  /** Seconds since the epoch. */
  created: number
}

export interface Movements {
  /** Integer minor units, as are `released`, `captured` and `refunded`. */
  authorised: number
  released: number
  captured: number
  refunded: number
  /** How many times each happened. */
  authorisations: number
  captures: number
  refunds: number
}

export interface LedgerEntry extends Movements {
  payment: string
  order_id: string | null
  user_id: string | null
  /** Integer minor units. */
  amount: number
  /** Upper-case ISO 4217. */
  currency: string
  /** The provider's own word for the state. */
  status: string
  /** Seconds since the epoch. */
  created: number
}

export function sumEffects(effects: readonly Effect[]): Movements {
  const count = (kind: Effect['kind']) => effects.filter((effect) => effect.kind === kind).length
  const sum = (kind: Effect['kind']) =>
    effects.reduce((total, effect) => total + (effect.kind === kind ? effect.amount : 0), 0)
  return {
    authorised: sum('authorise'),
    released: sum('release'),
    captured: sum('capture'),
    refunded: sum('refund'),
    authorisations: count('authorise'),
    captures: count('capture'),
    refunds: count('refund'),
  }
}
