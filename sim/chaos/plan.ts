import { type Random, randomOf } from '../random.ts'
import type { Fault } from './fault.ts'

/** One fault and the crowd it happens to. */
export interface PlannedRound {
  readonly fault: Fault
  /** Of the crowd. */
  readonly seed: number
  /** Seconds after the crowd has set out, and how long it lasts. */
  readonly injectAtS: number
  readonly lastsS: number
}

/** When the rush is on. */
const INJECT_S = [0.6, 2.2] as const

/** Order, moments and durations follow from the seed and the names alone. */
export function planRounds(faults: readonly Fault[], seed: number): PlannedRound[] {
  const random = randomOf(seed, 'order')
  const keyed = faults
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((fault) => ({ fault, key: random() }))
    .sort((a, b) => a.key - b.key)
  return keyed.map(({ fault }) => {
    const own = randomOf(seed, 'round', fault.name)
    return {
      fault,
      injectAtS: between(own, INJECT_S),
      lastsS: between(own, fault.lasts),
      seed: Math.floor(own() * 2 ** 31),
    }
  })
}

export function between(random: Random, [least, most]: readonly [number, number]): number {
  return least + random() * (most - least)
}
