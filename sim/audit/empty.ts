import { type Evidence, sum } from './evidence.ts'
import { wasRebuilt } from './orders.ts'

/** A time in which a buyer may have been told that nothing is available, and rightly so; ms on our clock. */
export interface Empty {
  readonly from: number
  readonly to: number
}

/** The clock of Redis and ours, on one machine, and the way of an answer. */
export const CLOCKS_MS = 50
/** Between two readings of the stock it may have been empty unseen. */
const SAMPLE_GAP_MS = 500

/**
 * When nothing of the sale was available, in order. Orders know to the millisecond when Redis took their units and had them back, so
 * a moment that no reading of the stock fell into is found as well. (The outboxes say the same, but whoever reads along
 * there may miss an entry.) Counters that were rebuilt say nothing to the orders: then only the readings are left.
 */
export function whenEmpty(evidence: Evidence): Empty[] {
  const rebuilt = evidence.sale.items.some(({ id }) => wasRebuilt(evidence, id))
  return rebuilt ? asSampled(evidence) : asOrdered(evidence)
}

function asSampled({ stock }: Evidence): Empty[] {
  return stock.flatMap(({ asked, answered, items }) =>
    items.every(({ available }) => available === 0)
      ? [{ from: asked - SAMPLE_GAP_MS, to: answered + SAMPLE_GAP_MS }]
      : [],
  )
}

function asOrdered({ orders, sale }: Evidence): Empty[] {
  const changes = orders.flatMap(({ claimed_at, restocked_at, quantity }) => [
    { at: claimed_at, units: -quantity },
    ...(restocked_at === null ? [] : [{ at: restocked_at, units: quantity }]),
  ])
  // What came first within a millisecond nobody knows: what leaves least.
  changes.sort((a, b) => a.at - b.at || a.units - b.units)
  const found: Empty[] = []
  let left = sum(sale.items.map(({ units }) => units))
  let since: number | undefined
  for (const { at, units } of changes) {
    left += units
    if (left <= 0) since ??= at
    else if (since !== undefined) {
      found.push({ from: since - CLOCKS_MS, to: at + CLOCKS_MS })
      since = undefined
    }
  }
  if (since !== undefined) found.push({ from: since - CLOCKS_MS, to: Infinity })
  return found
}
