import {
  acknowledged,
  type Check,
  type Evidence,
  examined,
  last,
  notChecked,
  type OrderRow,
  sum,
} from './evidence.ts'

/** Orders: invariants 3 to 7, 9, 10 and 14. */
export const ORDER_CHECKS: readonly Check[] = [
  { invariant: 3, name: 'orders of a buyer at one time <= limit (SQL)', examine: limitInSql },
  { invariant: 3, name: 'units of a buyer <= limit (Redis)', examine: limitInRedis },
  { invariant: 4, name: 'every acknowledged claim has its order', examine: noneLost },
  { invariant: 4, name: 'what a buyer was shown last is so', examine: shownIsSo },
  { invariant: 6, name: 'one row an order, on the shard of its buyer', examine: oneRow },
  { invariant: 6, name: 'one order a claim: no claim_seq twice, none missing', examine: oneOrderAClaim },
  { invariant: 6, name: 'every failed order has its Restocked event', examine: restockEvents },
  { invariant: 7, name: 'failed orders hold nothing, paid ones keep theirs', examine: restockedOnce },
  { invariant: 9, name: 'no hold outlives its deadline', examine: holdsEnd },
  { invariant: 9, name: 'none ends early', examine: noneEarly },
  { invariant: 14, name: 'nothing is pending, held or in flight', examine: allTerminal },
]

const byId = (orders: readonly OrderRow[]) => new Map(orders.map((order) => [order.order_id, order]))

/** Acknowledged orders without a row, or failed without their unit back. */
export function lostOrders(evidence: Evidence): string[] {
  const rows = byId(evidence.orders)
  const held = new Set(evidence.active.filter((entry) => entry.quantity > 0).map((entry) => entry.order_id))
  return [...acknowledged(evidence).keys()].filter((id) => {
    const row = rows.get(id)
    if (row === undefined) return true
    return row.status === 'FAILED' && row.restocked_at === null && held.has(id)
  })
}

function noneLost(evidence: Evidence) {
  const answers = new Map(evidence.history.receipts.map(({ order_id, outcome }) => [order_id, outcome]))
  const lost = lostOrders(evidence).map((id) => {
    const answer = answers.get(id)
    const receipt = answer === undefined ? '' : `; its receipt was answered ${answer}`
    return `order ${id} was acknowledged and is gone, or its unit is${receipt}`
  })
  return examined(acknowledged(evidence).size, lost)
}

function shownIsSo({ history, orders }: Evidence) {
  const rows = byId(orders)
  const shown = history.fates.filter((fate) => fate.shown !== undefined && fate.order_id !== undefined)
  const wrong = shown.flatMap(({ order_id = '', shown: status }) => {
    const row = rows.get(order_id)
    if (row?.status === status || row?.failure_reason === 'oversold') return []
    return [`order ${order_id} was shown as ${status}, SQL has ${row?.status ?? 'none'}`]
  })
  return examined(shown.length, wrong)
}

/** Orders of one buyer for one item that are active at the same time, from the claim to the failure. */
export function beyondLimit({ orders, sale }: Evidence): string[] {
  const limits = new Map(sale.items.map((item) => [item.id, item.per_buyer_limit]))
  const groups = Map.groupBy(orders, (order) => `${order.item_id} ${order.user_id}`)
  return [...groups].flatMap(([who, group]) => {
    const limit = limits.get(group[0]?.item_id ?? '') ?? Infinity
    const most = Math.max(
      ...group.map(({ claimed_at }) =>
        sum(group.map((one) => (one.claimed_at <= claimed_at && endOf(one) > claimed_at ? one.quantity : 0))),
      ),
    )
    return most > limit ? [`${who}: ${most} at a time, limit ${limit}`] : []
  })
}
const endOf = (order: OrderRow) => (order.status === 'FAILED' ? (order.failed_at ?? Infinity) : Infinity)

function limitInSql(evidence: Evidence) {
  return examined(evidence.orders.length, beyondLimit(evidence))
}

function limitInRedis({ active, sale }: Evidence) {
  const limits = new Map(sale.items.map((item) => [item.id, item.per_buyer_limit]))
  const groups = Map.groupBy(active, (entry) => `${entry.item_id} ${entry.user_id}`)
  const wrong = [...groups].flatMap(([who, entries]) => {
    const units = sum(entries.map((entry) => entry.quantity))
    return units > (limits.get(entries[0]?.item_id ?? '') ?? Infinity) ? [`${who}: ${units} units`] : []
  })
  return examined(groups.size, wrong)
}

/** Rows too many for one order id, and rows on another shard than their buyer's. */
export function misplacedRows(orders: readonly OrderRow[]): { repeated: string[]; astray: string[] } {
  const repeated: string[] = []
  const seen = new Set<string>()
  for (const { order_id } of orders) {
    if (seen.has(order_id)) repeated.push(order_id)
    seen.add(order_id)
  }
  return { repeated, astray: orders.filter((row) => row.shard !== row.home_shard).map((row) => row.order_id) }
}

function oneRow({ orders }: Evidence) {
  const { repeated, astray } = misplacedRows(orders)
  return examined(orders.length, [
    ...repeated.map((id) => `order ${id} has more than one row`),
    ...astray.map((id) => `order ${id} is on a shard that is not its buyer's`),
  ])
}

function oneOrderAClaim(evidence: Evidence) {
  const end = last(evidence)
  if (end === undefined) return notChecked('Redis could not be read at the end')
  const wrong = end.items.flatMap(({ id, seq, parts = [{ first: 1, seq }] }) => {
    // Number 0: a claim that was lost with everything and whose receipt came too late.
    const rows = evidence.orders.filter((order) => order.item_id === id && order.claim_seq > 0)
    const seqs = new Set(rows.map((order) => order.claim_seq))
    const twice = new Set(rows.map((order) => order.order_id)).size - seqs.size
    const found = twice > 0 ? [`${id}: ${twice} claims have two orders`] : []
    if (wasRebuilt(evidence, id)) return found
    for (const { first, seq: latest } of parts)
      for (let claim = first; claim <= latest; claim++)
        if (!seqs.has(claim)) found.push(`${id}: claim ${claim} has no order`)
    return found
  })
  return examined(sum(end.items.map((item) => item.seq)), wrong)
}

/** Reconciliation gives a rebuilt item a new epoch: it may skip numbers, and puts units back without an event. */
export function wasRebuilt({ stock }: Evidence, item: string): boolean {
  const epochs = stock.flatMap((sample) =>
    sample.items.filter((one) => one.id === item).map((one) => one.epoch),
  )
  return new Set(epochs).size > 1
}

function restockEvents(evidence: Evidence) {
  const failed = evidence.orders.filter(
    (order) => order.status === 'FAILED' && !wasRebuilt(evidence, order.item_id),
  )
  // A sold unit that is cancelled as oversold comes back with the counters that reconciliation writes, not by an event.
  const wrong = failed.filter((order) => order.restocked_at === null && order.failure_reason !== 'oversold')
  return examined(
    failed.length,
    wrong.map((order) => `order ${order.order_id} FAILED, its Restocked event is missing`),
  )
}

function restockedOnce({ orders, active }: Evidence) {
  const units = new Map(active.map((entry) => [entry.order_id, entry.quantity]))
  const wrong = orders.flatMap(({ order_id, status, quantity, restocked_at }) => {
    const counts = units.get(order_id)
    if (status === 'PAID' && (restocked_at !== null || counts !== quantity))
      return [`order ${order_id} is PAID, but its unit was given back`]
    if (status === 'FAILED' && (counts ?? 0) > 0)
      return [`order ${order_id} FAILED, but still takes ${counts}`]
    return []
  })
  return examined(orders.length, wrong)
}

function holdsEnd({ stock, limits, orders }: Evidence) {
  const overdue = stock.flatMap(({ at, items }) =>
    items.flatMap(({ id, oldest_deadline: deadline }) =>
      deadline !== undefined && at - deadline > limits.lateMs
        ? [`${id}: a hold was ${Math.round(at - deadline)} ms over its deadline`]
        : [],
    ),
  )
  return examined(stock.length * Math.min(1, orders.length), overdue)
}

/** Millisecond clocks of Redis and PostgreSQL on one machine, rounded each in its own way. */
const ROUNDING_MS = 5

function noneEarly({ orders }: Evidence) {
  const timed = orders.filter((order) => order.failed_at !== null)
  const wrong = timed.flatMap(({ order_id, failure_reason, failed_at, pay_by, hold_expires_at }) => {
    const due =
      failure_reason === 'hold_expired' ? hold_expires_at : failure_reason === 'payment_timeout' ? pay_by : 0
    const early = due - (failed_at ?? 0)
    return early > ROUNDING_MS
      ? [`order ${order_id} ended ${Math.round(early)} ms early (${failure_reason})`]
      : []
  })
  return examined(timed.length, wrong)
}

function allTerminal(evidence: Evidence) {
  const rows = byId(evidence.orders)
  const wrong = evidence.orders
    .filter((order) => order.status === 'PENDING')
    .map((order) => `order ${order.order_id} is PENDING`)
  for (const id of acknowledged(evidence).keys()) if (!rows.has(id)) wrong.push(`order ${id} has no row`)
  const end = last(evidence)
  if (end === undefined) wrong.push('Redis could not be read at the end')
  for (const { id, held, holds, outbox } of end?.items ?? [])
    if (held > 0 || holds > 0 || outbox > 0)
      wrong.push(`${id}: ${held} units held, ${holds} holds, ${outbox} events in flight`)
  return examined(1 + evidence.orders.length, wrong)
}
