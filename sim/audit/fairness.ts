import { CLOCKS_MS } from './empty.ts'
import { type Check, type Evidence, examined, notChecked } from './evidence.ts'
import { wasRebuilt } from './orders.ts'
import { admitted, firstPast, overtakenTurns } from './overtaking.ts'
import { inversions, largestBurst, largestRise } from './real-time.ts'

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
  const { statuses, limits, sale, peak } = evidence
  if (sale.items.some(({ id }) => wasRebuilt(evidence, id)))
    return notChecked('Redis was restarted: the line may have skipped places that nobody holds')
  if (statuses.length < 2) return notChecked('the public status was not read twice')
  if (statuses.some(onStandby)) return notChecked('it was on standby, where everybody walks through')
  const rate = Math.max(sale.rate_per_second, peak)
  const readings = statuses.map(({ status }) => ({ at: status.server_time, value: status.now_serving }))
  const rise = largestRise(readings, rate / 1000)
  const wrong =
    rise > limits.turnBurst ? [`${rise.toFixed(1)} turns beyond ${rate}/s, ${limits.turnBurst} allowed`] : []
  return examined(readings.length, wrong)
}

const onStandby = ({ status }: Evidence['statuses'][number]) => status.phase === 'standby'

function admissions({ history, statuses, sale }: Evidence) {
  const entered = admitted(history.enters)
  if (entered.length === 0) return notChecked('nobody was let in')
  if (statuses.some(({ status }) => status.phase === 'paused'))
    return notChecked('the line stood still for a while: who was due then may enter at any later time')
  if (statuses.some(onStandby)) return notChecked('it was on standby, where everybody walks through')
  const rate = sale.rate_per_second
  // One second's worth may be saved up while nobody asks; the server reads its clock in whole milliseconds.
  const allowed = Math.max(1, rate) + rate / 1000
  const burst = largestBurst(entered, rate / 1000)
  const wrong = burst > allowed ? [`${burst.toFixed(1)} beyond ${rate}/s, ${allowed.toFixed(1)} allowed`] : []
  return examined(entered.length, wrong)
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

function admissionOrder(evidence: Evidence) {
  const asked = evidence.history.enters.filter((one) => one.outcome === 'too_early').length
  if (asked === 0) return notChecked('nobody asked to enter before their turn')
  const wrong = overtakenTurns(evidence).map(
    ({ first, second }) => `position ${first.position} was let in past ${second.position}, which kept asking`,
  )
  return examined(asked, wrong)
}

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
