import { type Check, type Evidence, examined, last, notChecked, sum } from './evidence.ts'

/** Units: invariants 1, 2 and 13, and the part of 4 and 7 that counts them at the end. */
export const STOCK_CHECKS: readonly Check[] = [
  { invariant: 1, name: 'available + held + sold = total, none below 0', examine: balances },
  { invariant: 2, name: 'paid units in SQL <= units', examine: neverOversold },
  { invariant: 2, name: 'an item that nobody has checked on this Redis sells nothing', examine: fenceHolds },
  { invariant: 4, name: 'units not sold are available again', examine: (evidence) => settled(evidence, -1) },
  { invariant: 7, name: 'no unit came back twice', examine: (evidence) => settled(evidence, 1) },
  { invariant: 13, name: '"sold out" is shown only when it is true', examine: honest },
  { invariant: 13, name: '"sold out" is final', examine: final },
]

/** Paid units beyond an item's stock, in SQL alone. */
export function oversoldUnits({ orders, sale }: Pick<Evidence, 'orders' | 'sale'>, item_id: string): number {
  const units = sale.items.find((item) => item.id === item_id)?.units ?? 0
  const paid = orders.filter((order) => order.item_id === item_id && order.status === 'PAID')
  return Math.max(0, sum(paid.map((order) => order.quantity)) - units)
}

function balances({ stock, statuses, sale }: Evidence) {
  const units = new Map(sale.items.map((item) => [item.id, item.units]))
  const all = sum(units.values())
  const wrong: string[] = []
  const look = (where: string, total: number, one: Counts) => {
    const { available, held, sold } = one
    const fits = available + held + sold === one.total && one.total === total
    if (!fits || available < 0 || held < 0 || sold < 0)
      wrong.push(
        `${where}: ${available} available + ${held} held + ${sold} sold, total ${one.total} of ${total}`,
      )
  }
  for (const [index, { items }] of stock.entries())
    for (const item of items) {
      // An item that is not there sells nothing; at the end it must be.
      if (Number.isNaN(item.total) && index < stock.length - 1) continue
      look(item.id, units.get(item.id) ?? NaN, item)
    }
  for (const { status } of statuses) look('public status', all, status)
  return examined(stock.length + statuses.length, wrong)
}
interface Counts {
  readonly total: number
  readonly available: number
  readonly held: number
  readonly sold: number
}

function neverOversold(evidence: Evidence) {
  const wrong = evidence.sale.items.flatMap(({ id, units }) => {
    const beyond = oversoldUnits(evidence, id)
    return beyond > 0 ? [`${id}: ${units + beyond} paid of ${units}`] : []
  })
  return examined(evidence.sale.items.length, wrong)
}

/** Where the units are when everything is over: more available than unsold (1), or fewer (-1). */
function settled({ sale, orders, stock }: Evidence, direction: 1 | -1) {
  const end = last({ stock })
  if (end === undefined) return notChecked('Redis could not be read at the end')
  if (orders.some((order) => order.status === 'PENDING')) return notChecked('orders are still pending')
  const wrong = sale.items.flatMap(({ id, units }) => {
    const paid = sum(
      orders.map((order) => (order.item_id === id && order.status === 'PAID' ? order.quantity : 0)),
    )
    const available = end.items.find((item) => item.id === id)?.available ?? NaN
    const fine = direction === 1 ? available <= units - paid : available >= units - paid
    return fine ? [] : [`${id}: ${available} available, but ${units} - ${paid} paid = ${units - paid}`]
  })
  return examined(sale.items.length, wrong)
}

/** Between two readings of one state, both fenced, no claim may have been numbered. Each part has a fence of its own. */
function fenceHolds({ stock }: Evidence) {
  const states = stock.map(({ items }) =>
    items.flatMap(({ id, epoch, seq, fenced, parts }) =>
      (parts ?? [{ epoch, seq, fenced }]).map((one, index) => ({
        ...{ id: parts === undefined ? id : `part ${index} of ${id}` },
        ...{ epoch: one.epoch, seq: one.seq, fenced: one.fenced },
      })),
    ),
  )
  const pairs = states
    .slice(1)
    .flatMap((items, at) =>
      items.map((item) => ({ item, before: states[at]?.find(({ id }) => id === item.id) })),
    )
  const wrong = pairs.flatMap(({ item, before }) =>
    item.fenced && before?.fenced === true && before.epoch === item.epoch && item.seq > before.seq
      ? [`${item.id}: claims ${before.seq + 1} to ${item.seq} were granted behind the fence`]
      : [],
  )
  return examined(pairs.length, wrong)
}

/** A status or an answer said `sold_out` although all that time, and a second before, units were available. */
function honest({ stock, statuses, history, limits, sale }: Evidence) {
  const claims = history.claims.filter((claim) => claim.outcome === 'sold_out')
  const doors = [...history.joins, ...history.enters].filter((one) => one.outcome === 'sold_out')
  const shown = statuses.filter(({ status }) => status.phase === 'sold_out')
  const seen = [
    ...claims.map((one) => ({ ...one, items: [one.item_id], where: `claim of buyer ${one.buyer}` })),
    ...doors.map((one) => ({ ...one, items: ids(sale), where: `waiting room, buyer ${one.buyer}` })),
    ...shown.map((one) => ({ ...one, items: ids(sale), where: 'public status' })),
  ]
  if (seen.length === 0) return notChecked('"sold out" was never shown')
  const readings = stock.map((sample) => ({
    ...sample,
    available: new Map(sample.items.map((item) => [item.id, item.available])),
  }))
  const wrong = seen.flatMap(({ sent, answered, items, where }) => {
    const from = firstAfter(readings, sent - limits.staleMs)
    const around: typeof readings = []
    for (let at = from; at < readings.length; at++) {
      const reading = readings[at]
      if (reading === undefined || reading.asked > answered) break
      around.push(reading)
    }
    // Two readings at least: one alone does not span the second in which it may have become true.
    if (around.length < 2) return []
    const always = around.every((one) => items.some((item) => (one.available.get(item) ?? 0) > 0))
    return always ? [`${where} at ${new Date(answered).toISOString()}`] : []
  })
  return examined(seen.length, wrong)
}

const ids = (sale: Evidence['sale']) => sale.items.map((item) => item.id)

/** Index of the first reading asked for at `time` or later. */
function firstAfter(readings: readonly { readonly asked: number }[], time: number): number {
  let [low, high] = [0, readings.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((readings[middle]?.asked ?? Infinity) < time) low = middle + 1
    else high = middle
  }
  return low
}

/** After a claim was told `sold_out` nothing of the item may ever be available or held again. */
function final({ stock, history }: Evidence) {
  const first = new Map<string, number>()
  for (const claim of history.claims)
    if (claim.outcome === 'sold_out')
      first.set(claim.item_id, Math.min(first.get(claim.item_id) ?? Infinity, claim.answered))
  if (first.size === 0) return notChecked('no claim was told "sold_out"')
  const wrong = stock.flatMap((sample) =>
    sample.items.flatMap((item) =>
      sample.asked > (first.get(item.id) ?? Infinity) && item.available + item.held > 0
        ? [`${item.id}: ${item.available} available and ${item.held} held after "sold_out"`]
        : [],
    ),
  )
  return examined(stock.length, wrong)
}
