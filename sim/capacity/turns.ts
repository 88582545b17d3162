import type { Scenario } from './crowd.ts'

/** Of `flow/waiting-room/admission.lua` and `speed.ts`. */
const WEIGHT = 0.3
const MEASURE_S = 2
const CATCH_UP_S = 5
const WINDOW_S = 20
/** Share of those whose turn has come that see it within the second. */
const LOOKS = 0.5

/** The serving number and those whose turn has come, second by second, as the waiting room moves them. */
export function createTurns({ rate, noShows, bots }: Pick<Scenario, 'rate' | 'noShows' | 'bots'>) {
  const shows = 1 - noShows * (1 - bots)
  /** Where the line stood of late, newest last, and whether it stood still for want of room. */
  const moments: { serving: number; stood: boolean }[] = []
  let [serving, coming, asking, show, tokens, age] = [0, 0, 0, 1, Math.max(1, rate), 0]
  return {
    get serving() {
      return serving
    },
    get asking() {
      return asking
    },
    /** As the public status tells it: the pace, or where it had to stop of late what it came to. */
    speed: () => {
      const first = moments[0]
      if (first === undefined || !moments.some(({ stood }) => stood)) return pace()
      return (serving - first.serving) / Math.max(1, moments.length)
    },
    /** A second goes by, for a part of which the line runs; answers the serving number. */
    advance: (tail: number, running: number): number => {
      moments.push({ serving, stood: running < 1 })
      if (moments.length > WINDOW_S) moments.shift()
      age += 1
      if (age % MEASURE_S === 0) show += WEIGHT * (shows - show) * running
      serving = Math.min(tail, serving + pace() * running)
      return serving
    },
    /** So many whose turn has come will take it, once they have looked. */
    called: (people: number) => {
      coming += people
      asking += coming * LOOKS
      coming -= coming * LOOKS
    },
    /** Lets in as many as rate and room allow. */
    admit: (room: number): number => {
      const admitted = Math.max(0, Math.min(asking, tokens + rate, room))
      tokens = Math.min(Math.max(1, rate), tokens + rate - admitted)
      asking -= admitted
      return admitted
    },
    end: () => {
      asking = 0
      coming = 0
    },
  }
  function pace(): number {
    return Math.max(rate / 10, rate + (rate - asking) / CATCH_UP_S) / show
  }
}
