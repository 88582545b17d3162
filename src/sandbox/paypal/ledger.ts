import { type LedgerEntry, sumEffects } from '../ledger.ts'
import { isoMinorUnits } from './money.ts'
import type { Store } from './work.ts'

/** One entry for each order at PayPal, oldest first. `custom_id` is the shop's: its order and its buyer. */
export function readLedger(store: Store): LedgerEntry[] {
  const effects = Map.groupBy(store.all('sandbox.effect'), (effect) => effect.payment)
  return store.all('order').map((order) => {
    const [orderId, ...user] = order.custom_id?.split(' ') ?? []
    return {
      payment: order.id,
      order_id: orderId ?? null,
      user_id: user.join(' ') || null,
      amount: isoMinorUnits(order.amount, order.currency),
      currency: order.currency,
      status: order.status,
      ...sumEffects(effects.get(order.id) ?? []),
      created: Math.floor(order.created / 1000),
    }
  })
}
