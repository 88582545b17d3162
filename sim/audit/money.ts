import { type Check, type Evidence, examined, type LedgerEntry, notChecked, sum } from './evidence.ts'

/** Money: invariant 8, from the provider's own ledger. */
export const MONEY_CHECKS: readonly Check[] = [
  {
    invariant: 8,
    name: 'captured - refunded + gift part = price when PAID, else nothing is kept',
    examine: kept,
  },
  { invariant: 8, name: 'at most one capture an order', examine: oneCapture },
  { invariant: 8, name: 'nothing was captured for an order that was never PAID', examine: noneInVain },
  { invariant: 8, name: 'nothing stays reserved', examine: noneReserved },
  { invariant: 8, name: 'every webhook that was taken in is recorded', examine: webhooksRecorded },
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
  for (const { order_id, status, amount, gift_part } of orders)
    look(order_id, status, status === 'PAID' ? amount - gift_part : 0)
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

/** Giving it back later is no excuse: the compare-and-set comes before the capture. */
function noneInVain({ orders, ledger }: Evidence) {
  if (ledger === undefined) return notChecked(NO_LEDGER)
  const entries = byOrder(ledger)
  const failed = orders.filter(({ status, failure_reason: why }) => status === 'FAILED' && why !== 'oversold')
  const wrong = failed.filter(
    ({ order_id }) => sum((entries.get(order_id) ?? []).map((one) => one.captures)) > 0,
  )
  return examined(
    failed.length,
    wrong.map(({ order_id }) => `order ${order_id} was charged although it was never PAID`),
  )
}

/** Money that is neither taken nor let go of is missing on the buyer's card for a week. */
export const reserved = (entries: readonly LedgerEntry[]): number =>
  sum(entries.map(({ authorised, released, captured }) => authorised - released - captured))

function noneReserved({ ledger }: Evidence) {
  if (ledger === undefined) return notChecked(NO_LEDGER)
  const wrong = [...byOrder(ledger)].filter(([, entries]) => reserved(entries) !== 0)
  return examined(
    ledger.length,
    wrong.map(([id, entries]) => `order ${id}: ${reserved(entries)} is still reserved`),
  )
}

function webhooksRecorded({ webhooks }: Evidence) {
  if (webhooks === undefined)
    return notChecked('the payment provider does not tell which webhooks were taken in')
  const wrong = webhooks.filter(({ recorded }) => !recorded)
  return examined(
    webhooks.length,
    wrong.map(({ event_id, order_id }) => `event ${event_id} of order ${order_id} left no record in SQL`),
  )
}
