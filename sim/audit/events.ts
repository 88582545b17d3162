import { type Check, type Evidence, examined, notChecked, type OrderRow, type SeenEvent } from './evidence.ts'
import { wasRebuilt } from './orders.ts'

/** Events: the part of invariant 6 that can not be seen in the orders alone. */
export const EVENT_CHECKS: readonly Check[] = [
  { invariant: 6, name: 'one event of a kind an order', examine: oneOfAKind },
  { invariant: 6, name: 'every event has its order', examine: eventsHaveOrders },
  { invariant: 6, name: 'what was in an outbox is in the event log', examine: allInTheLog },
  { invariant: 6, name: 'an event reaches SQL before its hold ends', examine: writtenInTime },
]

const nameOf = ({ order_id, type }: SeenEvent) => `${type} of order ${order_id}`

function oneOfAKind(evidence: Evidence) {
  const { events, log = [] } = evidence
  if (events.length === 0) return notChecked('no event was seen')
  // In Kafka the same entry may stand twice: it was sent again. A claim that was restored has a second one.
  const groups = Map.groupBy([...events, ...log], nameOf)
  const wrong = [...groups].flatMap(([name, same]) => {
    const entries = new Set(same.map((event) => event.outbox_id))
    return entries.size > 1 && !wasRebuilt(evidence, same[0]?.item_id ?? '')
      ? [`${name}: ${entries.size} events`]
      : []
  })
  return examined(groups.size, wrong)
}

function eventsHaveOrders(evidence: Evidence) {
  const { events, orders } = evidence
  if (events.length === 0) return notChecked('no event was seen')
  const rows = new Set(orders.map((order) => order.order_id))
  // A claim nobody was told of may be lost with its Redis; one that was acknowledged may not, and is looked at elsewhere.
  const wrong = events.filter((event) => !rows.has(event.order_id) && !wasRebuilt(evidence, event.item_id))
  return examined(
    events.length,
    wrong.map((event) => `${nameOf(event)}: there is no such order`),
  )
}

function allInTheLog({ events, log }: Evidence) {
  if (log === undefined) return notChecked('the embedded profile has no other event log than the outboxes')
  if (events.length === 0) return notChecked('no event was seen')
  const logged = new Set(log.map(nameOf))
  const wrong = events.filter((event) => !logged.has(nameOf(event)))
  return examined(
    events.length,
    wrong.map((event) => `${nameOf(event)} is not in the log`),
  )
}

/** Within this time, in ms, an event has become a row where nothing stands in its way. */
const WRITTEN_MS = 2000
/** With Kafka a worker finds its place in the group again first. */
const REJOINED_MS = 8000
/** Within this time, in ms, a worker that lives has taken over what a dead one was given. */
const TAKEN_OVER_MS = 6000

/**
 * A tombstone is written when a hold ends and its event has not arrived. That is right after an outage. While the system
 * was whole, or when a younger event of the same shard has long arrived, it means that the event was lost.
 */
function writtenInTime({ orders, outage, log }: Evidence) {
  const allowed = log === undefined ? WRITTEN_MS : WRITTEN_MS + REJOINED_MS
  const isBuried = ({ failure_reason, created_at, failed_at }: OrderRow) =>
    failure_reason === 'hold_expired' && failed_at !== null && Math.abs(created_at - failed_at) < 1
  const written = orders.filter((order) => !isBuried(order))
  const whole = ({ claimed_at, hold_expires_at }: OrderRow) => {
    const away = outage ? Math.min(hold_expires_at, outage.to) - Math.max(claimed_at, outage.from) : 0
    return hold_expires_at - claimed_at - Math.max(0, away)
  }
  const overtaken = ({ item_id, shard, claim_seq, hold_expires_at }: OrderRow) =>
    written.some(
      (other) =>
        other.item_id === item_id &&
        other.shard === shard &&
        other.claim_seq > claim_seq &&
        other.created_at < hold_expires_at - TAKEN_OVER_MS,
    )
  const wrong = orders.filter((order) => isBuried(order) && (whole(order) > allowed || overtaken(order)))
  return examined(
    orders.length,
    wrong.map((order) => `order ${order.order_id} was never written: its event is lost`),
  )
}
