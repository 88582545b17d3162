import { sleep } from '../clock.ts'
import { reserved } from './money.ts'
import { type Evidence, last, sum } from './evidence.ts'

/** Whether nothing is left to happen: no order pending, no unit held, no event in flight, all money moved. */
export function isSettled(
  evidence: Pick<Evidence, 'orders' | 'stock' | 'ledger'>,
  told: Iterable<string>,
): boolean {
  const { orders, ledger } = evidence
  const rows = new Map(orders.map((order) => [order.order_id, order]))
  for (const id of told) if (!rows.has(id)) return false
  const undone = orders.some(
    ({ status, restocked_at, failure_reason }) =>
      status === 'PENDING' || (status === 'FAILED' && restocked_at === null && failure_reason !== 'oversold'),
  )
  const busy = last(evidence)?.items.some((item) => item.held + item.holds + item.outbox > 0)
  if (undone || (busy ?? true)) return false
  if (ledger === undefined) return true
  const kept = Map.groupBy(ledger, (entry) => entry.order_id ?? '')
  return orders.every(({ order_id, status, amount }) => {
    const entries = kept.get(order_id) ?? []
    const has = sum(entries.map((entry) => entry.captured - entry.refunded))
    return has === (status === 'PAID' ? amount : 0) && reserved(entries) === 0
  })
}

/** Asks again and again until `read` says it is settled, at most for `forMs`. Answers what was read last. */
export async function untilSettled<T>(
  read: () => Promise<{ settled: boolean; value: T }>,
  forMs: number,
): Promise<T> {
  const deadline = performance.now() + forMs
  for (;;) {
    // A server that is being restarted is part of what is waited for.
    const now = await read().catch((error: unknown) => {
      if (performance.now() > deadline) throw error
      return undefined
    })
    if (now !== undefined && (now.settled || performance.now() > deadline)) return now.value
    await sleep(500)
  }
}
