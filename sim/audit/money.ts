import { type Check, type Evidence, examined, type LedgerEntry, notChecked, sum } from './evidence.ts'

/** Money: invariant 8, from the provider's own ledger. */
export const MONEY_CHECKS: readonly Check[] = [
  { invariant: 8, name: 'captured - refunded = price when PAID, else 0', examine: kept },
  { invariant: 8, name: 'at most one capture an order', examine: oneCapture },
]

const NO_LEDGER = 'the payment provider is not the sandbox: it has no ledger we can read'

function byOrder(ledger: readonly LedgerEntry[]): Map<string, LedgerEntry[]> {
  return Map.groupBy(ledger, (entry) => entry.order_id ?? '')
}

function kept({ orders, ledger }: Evidence) {
  if (ledger === undefined) return notChecked(NO_LEDGER)
  const entries = byOrder(ledger)
  const wrong: string[] = []
  const look = (id: string, status: string, price: number) => {
    const has = sum((entries.get(id) ?? []).map((entry) => entry.captured - entry.refunded))
    if (has !== price) wrong.push(`order ${id} is ${status}: ${has} was kept, it should be ${price}`)
    entries.delete(id)
  }
  for (const order of orders) look(order.order_id, order.status, order.status === 'PAID' ? order.amount : 0)
  for (const id of [...entries.keys()]) look(id, 'in no database', 0)
  return examined(orders.length, wrong)
}

/** Orders captured more than once. */
export function capturedTwice(ledger: readonly LedgerEntry[]): string[] {
  const groups = [...byOrder(ledger)].filter(([, entries]) => sum(entries.map((entry) => entry.captures)) > 1)
  return groups.map(([id]) => id)
}

function oneCapture({ ledger }: Evidence) {
  if (ledger === undefined) return notChecked(NO_LEDGER)
  return examined(
    ledger.length,
    capturedTwice(ledger).map((id) => `order ${id} was captured more than once`),
  )
}
