import { type Random, randomOf } from '../random.ts'

/** What a buyer is like. Follows from the seed and the buyer's number alone, so a seed replays a crowd. */
export interface BuyerPlan {
  readonly buyer: number
  readonly arrivesMs: number
  readonly device: string
  /** Picks the item: an index into the sale's products. */
  readonly itemIndex: number
  /** What follows a claim that was granted. */
  readonly then: 'pays' | 'cancels' | 'forgets'
  /** A declined card first, then a good one. */
  readonly declinedFirst: boolean
  /** Asks to enter before its turn, to see whether anybody gives in. */
  readonly impatient: boolean
  /** Loses the answer to its first claim and asks again with the same key. */
  readonly losesAnswer: boolean
  /** For waits and jitter. */
  readonly random: Random
}

export interface CrowdShape {
  readonly seed: number
  readonly buyers: number
  readonly spread: number
  readonly pay: number
  readonly products: number
}

const CANCELS = 0.1
const DECLINED_FIRST = 0.04
const IMPATIENT = 0.02
const LOSES_ANSWER = 0.02

export function planBuyer(shape: CrowdShape, buyer: number): BuyerPlan {
  const random = randomOf(shape.seed, 'buyer', buyer)
  const pays = random() < shape.pay
  const cancels = random() < CANCELS
  return {
    buyer,
    arrivesMs: arrival(random(), shape.spread) * 1000,
    device: `rush-${shape.seed}-${buyer}`,
    itemIndex: Math.floor(random() * shape.products),
    then: pays ? 'pays' : cancels ? 'cancels' : 'forgets',
    declinedFirst: random() < DECLINED_FIRST,
    impatient: random() < IMPATIENT,
    losesAnswer: random() < LOSES_ANSWER,
    random,
  }
}

/**
 * Seconds after the opening: exponential, with a third of `spread` as mean, cut off at `spread`. Of a crowd that
 * arrives within 2 s, four fifths come in the first.
 */
export function arrival(uniform: number, spread: number): number {
  return (-Math.log(1 - uniform * (1 - Math.exp(-3))) * spread) / 3
}
