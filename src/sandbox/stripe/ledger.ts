import { type LedgerEntry, sumEffects } from '../ledger.ts'
import type { Store } from './store.ts'

/** One entry for each payment intent, oldest first. */
export function readLedger(store: Store): LedgerEntry[] {
  const effects = Map.groupBy(store.all('sandbox.effect'), (effect) => effect.payment)
  return store.all('payment_intent').map((intent) => ({
    payment: intent.id,
    order_id: intent.metadata['order_id'] ?? null,
    user_id: intent.metadata['user_id'] ?? null,
    amount: intent.amount,
    currency: intent.currency.toUpperCase(),
    status: intent.status,
    ...sumEffects(effects.get(intent.id) ?? []),
    created: intent.created,
  }))
}
