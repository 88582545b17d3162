import { type Check, type Evidence, examined, notChecked } from './evidence.ts'
import { inversions, largestBurst, largestRise } from './real-time.ts'

/** Fairness: invariants 11 and 12. */
export const FAIRNESS_CHECKS: readonly Check[] = [
  { invariant: 11, name: 'turns in any window <= rate * t + burst', examine: turns },
  { invariant: 11, name: 'admissions in any window <= rate * t + burst', examine: admissions },
  { invariant: 12, name: 'positions are arrival order', examine: arrivalOrder },
  { invariant: 12, name: 'admissions are position order', examine: admissionOrder },
  { invariant: 12, name: 'the line never moves back, no place is given twice', examine: placesStay },
]

/** The serving number against the server's own clock, both from the public status. */
function turns({ statuses, limits }: Evidence) {
  if (statuses.length < 2) return notChecked('the public status was not read twice')
  const rate = Math.max(...statuses.map(({ status }) => status.rate_per_second))
  const readings = statuses.map(({ status }) => ({ at: status.server_time, value: status.now_serving }))
  const rise = largestRise(readings, rate / 1000)
  const wrong =
    rise > limits.turnBurst ? [`${rise.toFixed(1)} turns beyond ${rate}/s, ${limits.turnBurst} allowed`] : []
  return examined(readings.length, wrong)
}

function admissions({ history, statuses, limits, sale }: Evidence) {
  const entered = history.enters.filter((one) => one.outcome === 'entered')
  if (entered.length === 0) return notChecked('nobody was let in')
  if (statuses.some(({ status }) => status.phase === 'paused'))
    return notChecked('the line stood still for a while: who was due then may enter at any later time')
  const rate = Math.max(sale.rate_per_second, ...statuses.map(({ status }) => status.rate_per_second))
  const allowed = limits.turnBurst + (rate * limits.askMs) / 1000
  const burst = largestBurst(entered, rate / 1000)
  const wrong = burst > allowed ? [`${burst.toFixed(1)} beyond ${rate}/s, ${allowed.toFixed(1)} allowed`] : []
  return examined(entered.length, wrong)
}

/** Joins that were answered with a higher place before another join, with a lower place, was even sent. */
export function overtakenJoins({ history }: Evidence) {
  const joins = history.joins.flatMap((join) =>
    join.position === undefined ? [] : [{ ...join, place: join.position }],
  )
  return inversions(
    joins,
    joins,
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

/** Positions refused as too early after a higher position had been let in. */
export function overtakenTurns({ history }: Evidence) {
  const entered = history.enters.filter((one) => one.outcome === 'entered')
  const refused = history.enters.filter((one) => one.outcome === 'too_early')
  return inversions(
    entered,
    refused,
    (one) => one.position,
    (first, second) => first.position > second.position,
  )
}

function admissionOrder(evidence: Evidence) {
  const asked = evidence.history.enters.filter((one) => one.outcome === 'too_early').length
  if (asked === 0) return notChecked('nobody asked to enter before their turn')
  const wrong = overtakenTurns(evidence).map(
    ({ first, second }) => `position ${first.position} was in when position ${second.position} was too early`,
  )
  return examined(asked, wrong)
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
