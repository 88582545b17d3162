import { arrivedShare, type Shape } from '../stampede/behaviour.ts'
import { createCheckoutFlow } from './checkout-flow.ts'
import { createCohorts } from './cohorts.ts'
import { createTurns } from './turns.ts'

/** A crowd and its sale, as `rush --simulate` takes them. Shares 0..1, times in seconds, rates a second. */
export interface Scenario extends Omit<Shape, 'seed'> {
  readonly units: number
  /** Admissions a second. */
  readonly rate: number
  readonly hold: number
  /** Nodes of the edge, each of which asks the origin for the status once a second. */
  readonly edges: number
}

/** What comes in one second, or in all of them together; `waiting` is how many wait at its end. */
export interface Flow {
  arrivals: number
  joins: number
  /** Places told once more: after a reload, or where the answer was lost. */
  repeats: number
  /** Tries to enter, and those let in. */
  enters: number
  admissions: number
  /** Claims, and those of them that become an order. */
  claims: number
  orders: number
  /** Orders that end: paid, and those whose unit comes back (cancelled or lapsed). */
  paid: number
  returned: number
  /** Looks at the public status, answered by the edge; what the edge asks the origin for them. */
  polls: number
  statuses: number
  waiting: number
}

export interface CrowdFlow {
  readonly seconds: readonly Flow[]
  readonly total: Flow
  /** Of each by itself its busiest second. */
  readonly peak: Flow
  /** After the opening; null: never. */
  readonly soldOutS: number | null
  readonly gaveUp: number
}

/** Habits of the crowd, as `sim/stampede/` has them. */
const LOSES_ANSWER = 0.01
const REFRESHES = 0.005
const IMPATIENT = 0.001
/** Seconds between two tries of somebody whose turn has come: one, and up to half of one more. */
const ASKS_AGAIN_S = 1.25
/** So long after the last arrival it is over, whatever is left. */
const LONGEST_S = 86_400

const noFlow = (): Flow => ({
  ...{ arrivals: 0, joins: 0, repeats: 0, enters: 0, admissions: 0, claims: 0, orders: 0 },
  ...{ paid: 0, returned: 0, polls: 0, statuses: 0, waiting: 0 },
})

/**
 * The crowd of `rush --simulate` as a fluid: expected numbers a second in the place of people, milliseconds in the place of
 * minutes. Nothing is drawn by lot and no Redis runs.
 */
export function flowOf(scenario: Scenario): CrowdFlow {
  const { buyers, spread, edges } = scenario
  const line = createCohorts(scenario)
  const turns = createTurns(scenario)
  const checkout = createCheckoutFlow(scenario)
  const seconds: Flow[] = []
  let [before, soldOutS] = [0, null as number | null]

  for (let at = scenario.arrival === 'lobby' ? -Math.ceil(spread) : 0; at < spread + LONGEST_S; at += 1) {
    const flow = noFlow()
    seconds.push(flow)
    const share = arrivedShare(scenario, at + 1)
    flow.arrivals = (share - before) * buyers
    flow.statuses = edges
    if (soldOutS === null) {
      flow.joins = flow.arrivals
      line.join(flow.arrivals, (share + before) / 2)
      flow.polls = line.look(turns.serving, turns.speed(), Math.max(0, -at))
      flow.repeats = flow.joins * LOSES_ANSWER + flow.polls * REFRESHES
    } else flow.polls = line.learn()
    before = share

    let called = { takers: 0, botShare: 0 }
    if (at >= 0 && soldOutS === null) {
      const { running, room } = checkout.open()
      called = line.serve(turns.advance(line.tail, running))
      turns.called(called.takers)
      flow.admissions = turns.admit(room)
      const asks = flow.admissions + turns.asking / ASKS_AGAIN_S
      flow.enters = asks + flow.polls * IMPATIENT
      flow.polls += asks
    }
    if (at >= 0) Object.assign(flow, checkout.step(flow.admissions, called.botShare))
    flow.waiting = line.people() + turns.asking
    if (soldOutS === null && checkout.soldOut()) {
      soldOutS = at + 1
      line.end()
      turns.end()
      checkout.end()
    }
    if (at >= spread && flow.waiting < 0.5 && checkout.idle()) break
  }
  return { seconds, soldOutS, gaveUp: line.gaveUp(), ...summed(seconds) }
}

function summed(seconds: readonly Flow[]): Pick<CrowdFlow, 'total' | 'peak'> {
  const [total, peak] = [noFlow(), noFlow()]
  for (const flow of seconds)
    for (const name of Object.keys(flow) as (keyof Flow)[]) {
      total[name] += flow[name]
      peak[name] = Math.max(peak[name], flow[name])
    }
  return { total, peak }
}
