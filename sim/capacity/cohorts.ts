import type { Scenario } from './crowd.ts'

/** Of the policy that `flow/waiting-room/status.ts` publishes. */
const POLL = { min_s: 1, max_s: 30, per_wait_s: 0.1 }

/** Those who came in one second and have not been served: places from `first`, people by kind. */
interface Cohort {
  first: number
  places: number
  humans: number
  bots: number
}

/** The line: everybody from the arrival to the turn, a cohort a second. */
export function createCohorts({ bots, patience, noShows }: Pick<Scenario, 'bots' | 'patience' | 'noShows'>) {
  let cohorts: Cohort[] = []
  let [tail, gaveUp, learning, learners] = [0, 0, 0, 0]
  const goes = 1 - Math.exp(-1 / patience)
  const people = () => cohorts.reduce((sum, one) => sum + one.humans + one.bots, 0)
  return {
    get tail() {
      return tail
    },
    people,
    gaveUp: () => gaveUp,
    /** `at`: share of the crowd that has come. */
    join: (came: number, at: number) => {
      if (came <= 0) return
      const botShare = botsAt(bots, at)
      cohorts.push({ first: tail, places: came, humans: came * (1 - botShare), bots: came * botShare })
      tail += came
    },
    /** Everybody looks as often as the policy says; humans lose patience. Answers the looks of a second. */
    look: (serving: number, speed: number, untilOpening: number): number => {
      let looks = 0
      for (const one of cohorts) {
        looks +=
          (one.humans + one.bots) / pollEvery(one.first + one.places / 2 - serving, speed, untilOpening)
        gaveUp += one.humans * goes
        one.humans -= one.humans * goes
      }
      return looks
    },
    /** Takes those out whose place is served; answers how many of them take their turn. */
    serve: (serving: number) => {
      let [humans, others] = [0, 0]
      for (const one of cohorts) {
        const served = Math.min(one.places, serving - one.first)
        if (served <= 0) break
        const share = served / one.places
        humans += one.humans * share
        others += one.bots * share
        one.first += served
        one.places -= served
        one.humans *= 1 - share
        one.bots *= 1 - share
      }
      cohorts = cohorts.filter(({ places }) => places > 1e-9)
      const takers = humans * (1 - noShows) + others
      return { takers, botShare: takers === 0 ? 0 : others / takers }
    },
    /** It is sold out: each hears of it with the next look. */
    end: () => {
      ;[learning, learners] = [POLL.max_s, people()]
    },
    learn: (): number => {
      const looks = Math.min(people(), learners / learning)
      const left = 1 - looks / Math.max(1e-9, people())
      for (const one of cohorts) {
        one.humans *= left
        one.bots *= left
      }
      return looks
    },
  }
}

/** Bots are early: twice the usual share of the first, none of the last. */
const botsAt = (bots: number, at: number) =>
  bots <= 0.5 ? 2 * bots * (1 - at) : Math.max(0, 1 - 2 * (1 - bots) * at)

/** Seconds between two looks. */
function pollEvery(distance: number, speed: number, untilOpening: number): number {
  const waitS = untilOpening + (distance <= 0 ? 0 : speed > 0 ? distance / speed : Infinity)
  return Math.min(POLL.max_s, Math.max(POLL.min_s, waitS * POLL.per_wait_s))
}
