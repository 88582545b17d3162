/** What really happened to the money, summed from the effects as they were written down. For tests and auditors. */
import type { Store } from './store.ts'
import type { Effect, IntentStatus } from './types.ts'

export interface LedgerEntry {
  payment_intent: string
  order_id: string | null
  user_id: string | null
  /** Integer minor units, as are `authorised`, `released`, `captured` and `refunded`. */
  amount: number
  /** Upper-case ISO 4217. */
  currency: string
  status: IntentStatus
  authorised: number
  released: number
  captured: number
  refunded: number
  /** How many times each happened. */
  authorisations: number
  captures: number
  refunds: number
  /** Seconds since the epoch. */
  created: number
}

/** One entry for each payment intent, oldest first. */
export function readLedger(store: Store): LedgerEntry[] {
  const effects = Map.groupBy(store.all('sandbox.effect'), (effect) => effect.payment_intent)
  return store.all('payment_intent').map((intent) => {
    const own = effects.get(intent.id) ?? []
    const count = (kind: Effect['kind']) => own.filter((effect) => effect.kind === kind).length
    const sum = (kind: Effect['kind']) =>
      own.reduce((total, effect) => total + (effect.kind === kind ? effect.amount : 0), 0)
    return {
      payment_intent: intent.id,
      order_id: intent.metadata['order_id'] ?? null,
      user_id: intent.metadata['user_id'] ?? null,
      amount: intent.amount,
      currency: intent.currency.toUpperCase(),
      status: intent.status,
      authorised: sum('authorise'),
      released: sum('release'),
      captured: sum('capture'),
      refunded: sum('refund'),
      authorisations: count('authorise'),
      captures: count('capture'),
      refunds: count('refund'),
      created: intent.created,
    }
  })
}
