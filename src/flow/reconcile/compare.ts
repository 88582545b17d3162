import type { OrderId } from '../../contracts/ids.ts'
import type { DueHold, Stock } from '../inventory/inventory.ts'
import type { Order } from '../orders/orders.ts'

export interface Observed {
  readonly units: number
  readonly stock: Stock | undefined
  readonly holds: readonly DueHold[]
  /** Every order of the item in SQL. */
  readonly orders: readonly Order[]
}

/** What the item should look like, and whether it does. */
export interface Comparison {
  readonly matches: boolean
  /** Redis `available` minus what there should be; never less than nothing should be. */
  readonly drift: number
  /** Units sold and promised beyond those there are: the item must not sell. */
  readonly excess: number
  /** Of those, what SQL knows as PAID and PENDING: orders that can not all be kept. */
  readonly oversold: number
  readonly sold: number
  readonly seq: number
  /** PENDING orders: they must be held. */
  readonly pending: readonly Order[]
  /**
   * Holds to keep besides: without a row yet (their event is under way, or the cleanup worker will bury them), or FAILED
   * and about to be released. Releasing them stays the cleanup worker's business.
   */
  readonly keep: ReadonlySet<OrderId>
  readonly counts: { readonly unsettled: number; readonly rowless: number; readonly missing: number }
}

export const unitsOf = (parts: readonly { readonly quantity: number }[]) =>
  parts.reduce((sum, { quantity }) => sum + quantity, 0)

/** Units that buyers have or may have. */
export const takenIn = (rows: readonly Order[], holds: readonly DueHold[]): number => {
  const known = new Map(holds.map(({ order_id, quantity }) => [order_id, quantity]))
  for (const { order_id, status, quantity } of rows) if (status !== 'FAILED') known.set(order_id, quantity)
  return [...known.values()].reduce((sum, quantity) => sum + quantity, 0)
}

/** Pure: units of SQL and of Redis side by side. A paid order still held is a sale that waits to be settled. */
export function compare({ units, stock, holds, orders }: Observed): Comparison {
  const statusOf = new Map(orders.map(({ order_id, status }) => [order_id, status]))
  const held = new Set(holds.map(({ order_id }) => order_id))
  const pending = orders.filter(({ status }) => status === 'PENDING')
  const paid = orders.filter(({ status }) => status === 'PAID')
  const keep = holds.filter(({ order_id }) => (statusOf.get(order_id) ?? 'FAILED') === 'FAILED')
  const unsettled = paid.filter(({ order_id }) => held.has(order_id))
  const missing = pending.filter(({ order_id }) => !held.has(order_id))

  const sold = unitsOf(paid)
  const left = units - sold - unitsOf(pending) - unitsOf(keep)
  const excess = Math.max(0, -left)
  const drift = stock === undefined ? 0 : stock.available - Math.max(0, left)
  const matches =
    stock !== undefined &&
    stock.total === units + excess &&
    drift === 0 &&
    missing.length === 0 &&
    stock.held === unitsOf(holds) &&
    stock.sold === sold - unitsOf(unsettled)
  return {
    matches,
    drift,
    excess,
    oversold: Math.max(0, sold + unitsOf(pending) - units),
    sold,
    seq: Math.max(0, ...orders.map(({ claim_seq }) => claim_seq), ...holds.map(({ claim_seq }) => claim_seq)),
    pending,
    keep: new Set(keep.map(({ order_id }) => order_id)),
    counts: { unsettled: unsettled.length, rowless: keep.length, missing: missing.length },
  }
}

/**
 * Pure: units that Redis certainly shows too many, however much moves while one looks. What SQL has as PENDING or PAID
 * after the look at Redis, and was claimed before it, was held or sold at that look: SQL decides first, Redis follows.
 */
export function surplus(units: number, before: Stock, orders: readonly Order[]): number {
  const taken = orders.filter(({ status, claim_seq }) => status !== 'FAILED' && claim_seq <= before.seq)
  return Math.max(0, before.available - Math.max(0, units - unitsOf(taken)))
}
