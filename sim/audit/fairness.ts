import { type Check, type Evidence, examined, notChecked } from './evidence.ts'
import type { EnterExchange } from '../history.ts'
import { wasRebuilt } from './orders.ts'
import { isUnknown } from './unknown.ts'
import { type Inversion, inversions, largestBurst, largestRise } from './real-time.ts'

/** Fairness: invariants 11 and 12. */
export const FAIRNESS_CHECKS: readonly Check[] = [
  { invariant: 11, name: 'turns in any window <= rate * t + burst', examine: turns },
  { invariant: 11, name: 'admissions in any window <= rate * t + burst', examine: admissions },
  { invariant: 12, name: 'positions are arrival order', examine: arrivalOrder },
  { invariant: 12, name: 'admissions are position order', examine: admissionOrder },
  { invariant: 12, name: 'nobody is let in before their turn', examine: beforeTurn },
  { invariant: 12, name: 'the line never moves back, no place is given twice', examine: placesStay },
]

/** The serving number against the server's own clock, both from the public status. */
function turns(evidence: Evidence) {
  const { statuses, limits, sale } = evidence
  if (sale.items.some(({ id }) => wasRebuilt(evidence, id)))
    return notChecked('Redis was restarted: the line may have skipped places that nobody holds')
  if (statuses.length < 2) return notChecked('the public status was not read twice')
  // Of a line that stops and goes the status tells what it comes to.
  const rate = Math.max(sale.rate_per_second, ...statuses.map(({ status }) => status.rate_per_second))
  const readings = statuses.map(({ status }) => ({ at: status.server_time, value: status.now_serving }))
  const rise = largestRise(readings, rate / 1000)
  const wrong =
    rise > limits.turnBurst ? [`${rise.toFixed(1)} turns beyond ${rate}/s, ${limits.turnBurst} allowed`] : []
  return examined(readings.length, wrong)
}

function admissions({ history, statuses, sale }: Evidence) {
  const entered = admitted(history.enters)
  if (entered.length === 0) return notChecked('nobody was let in')
  if (statuses.some(({ status }) => status.phase === 'paused'))
    return notChecked('the line stood still for a while: who was due then may enter at any later time')
  const rate = Math.max(sale.rate_per_second, ...statuses.map(({ status }) => status.rate_per_second))
  // One second's worth may be saved up while nobody asks; the server reads its clock in whole milliseconds.
  const allowed = Math.max(1, rate) + rate / 1000
  const burst = largestBurst(entered, rate / 1000)
  const wrong = burst > allowed ? [`${burst.toFixed(1)} beyond ${rate}/s, ${allowed.toFixed(1)} allowed`] : []
  return examined(entered.length, wrong)
}

/**
 * When each buyer was let in: asking again only tells it again, and where an answer was lost it may have happened since
 * that was sent.
 */
export function admitted(enters: readonly EnterExchange[]): EnterExchange[] {
  const found = new Map<number, EnterExchange>()
  const open = new Map<number, EnterExchange>()
  for (const one of [...enters].sort((a, b) => a.sent - b.sent)) {
    const { buyer, outcome } = one
    if (found.has(buyer)) continue
    if (outcome === 'entered') found.set(buyer, { ...one, sent: open.get(buyer)?.sent ?? one.sent })
    else if (!isUnknown(outcome)) open.delete(buyer)
    else if (!open.has(buyer)) open.set(buyer, one)
  }
  return [...found.values()].sort((a, b) => a.sent - b.sent)
}

/** Joins answered with a higher place before the join of an honest buyer, with a lower place, was even sent. */
export function overtakenJoins({ history, bots }: Evidence) {
  const joins = history.joins.flatMap((join) =>
    join.position === undefined ? [] : [{ ...join, place: join.position }],
  )
  return inversions(
    joins,
    joins.filter(({ buyer }) => !bots.has(buyer)),
    (join) => join.place,
    (first, second) => first.place > second.place,
  )
}

function arrivalOrder(evidence: Evidence) {
  const wrong = overtakenJoins(evidence).map(
    ({ first, second }) =>
      `buyer ${first.buyer} had place ${first.place} before buyer ${second.buyer} asked and got ${second.place}`,
  )
  return examined(evidence.history.joins.length, wrong)
}

/** Whoever asks again within this time, in ms, is still there and is to be let in first. */
const ASKS_AGAIN_MS = 2500

/** Between two readings of the stock it may have been empty unseen. */
const SAMPLE_GAP_MS = 500

/**
 * Positions let in past a lower one whose turn had come: it was refused before the higher one asked and, still asking,
 * refused again after the higher one was in, although there was something to be had all the time. (Those in checkout
 * may take the last unit at any moment, and then nobody is let in.)
 */
export function overtakenTurns({ history, statuses, stock, bots }: Evidence) {
  const empty = stock.filter(({ items }) => items.every(({ available }) => available === 0))
  const ranOut = (from: number, to: number) =>
    empty.some((sample) => sample.answered > from - SAMPLE_GAP_MS && sample.asked < to + SAMPLE_GAP_MS)
  const entered = admitted(history.enters)
  const honest = history.enters.filter(({ buyer }) => !bots.has(buyer))
  const pairs = refusedTwice(honest, servingKnown(statuses)).filter(
    ({ before, after }) => !ranOut(before.answered, after.answered),
  )
  const found: Inversion<EnterExchange>[] = []
  for (const { before, after } of pairs)
    for (let at = firstPast(entered, (one) => one.sent, before.answered); at < entered.length; at++) {
      const first = entered[at]
      if (first === undefined || first.sent >= after.sent) break
      if (first.answered < after.sent && first.position > before.position)
        found.push({ first, second: after })
    }
  return found
}

/** Index of the first of `sorted` whose time is past `time`. */
function firstPast<One>(sorted: readonly One[], timeOf: (one: One) => number, time: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const one = sorted[middle]
    if (one !== undefined && timeOf(one) <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** Two refusals of one buyer in a row, close enough that the buyer was there all the time, both after the turn came. */
function refusedTwice(enters: readonly EnterExchange[], serving: (at: number) => number) {
  const pairs: { before: EnterExchange; after: EnterExchange }[] = []
  const last = new Map<number, EnterExchange>()
  for (const one of [...enters].sort((a, b) => a.sent - b.sent)) {
    const before = last.get(one.buyer)
    const near = before !== undefined && one.sent - before.answered < ASKS_AGAIN_MS
    if (one.outcome === 'too_early' && near && serving(before.sent) >= before.position)
      pairs.push({ before, after: one })
    if (one.outcome === 'too_early') last.set(one.buyer, one)
    else last.delete(one.buyer)
  }
  return pairs
}

/** The highest serving number that somebody had been shown by then. */
function servingKnown(statuses: Evidence['statuses']): (at: number) => number {
  const shown = [...statuses].sort((a, b) => a.answered - b.answered)
  return (at) => shown[firstPast(shown, (one) => one.answered, at) - 1]?.status.now_serving ?? 0
}

function admissionOrder(evidence: Evidence) {
  const asked = evidence.history.enters.filter((one) => one.outcome === 'too_early').length
  if (asked === 0) return notChecked('nobody asked to enter before their turn')
  const wrong = overtakenTurns(evidence).map(
    ({ first, second }) => `position ${first.position} was let in past ${second.position}, which kept asking`,
  )
  return examined(asked, wrong)
}

/** The clock of Redis and ours, on one machine, and the way of an answer. */
const CLOCKS_MS = 50

/** Let in although the serving number was still lower afterwards, by the clock of Redis; it never falls. */
function beforeTurn({ history, statuses }: Evidence) {
  const shown = statuses.map(({ status }) => status).sort((a, b) => a.server_time - b.server_time)
  const entered = history.enters.filter(({ outcome }) => outcome === 'entered')
  const wrong = entered.flatMap(({ position, answered }) => {
    const serving = shown[firstPast(shown, (one) => one.server_time, answered + CLOCKS_MS)]?.now_serving
    return serving !== undefined && serving < position
      ? [`position ${position} was let in, ${serving} was served afterwards`]
      : []
  })
  return examined(entered.length, wrong)
}

function placesStay({ statuses, history }: Evidence) {
  const wrong: string[] = []
  const ordered = [...statuses].sort((a, b) => a.status.server_time - b.status.server_time)
  for (const [index, { status }] of ordered.entries()) {
    const before = ordered[index - 1]?.status
    if (before !== undefined && status.now_serving < before.now_serving)
      wrong.push(`now serving ${status.now_serving} after ${before.now_serving}`)
  }
  const places = history.joins.flatMap((join) => join.position ?? [])
  const twice = places.length - new Set(places).size
  if (twice > 0) wrong.push(`${twice} places were given twice`)
  return examined(statuses.length + places.length, wrong)
}
