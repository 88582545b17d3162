import { type Random, randomOf } from '../random.ts'
import { type Bot, botOf, type Guise, honestGuise } from './guise.ts'

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
  /** Undefined: a person. */
  readonly bot: Bot | undefined
  /** Headers of every request; none in a crowd without bots. */
  readonly guise: Guise
  /** For waits and jitter. */
  readonly random: Random
}

export interface CrowdShape {
  readonly seed: number
  readonly buyers: number
  readonly spread: number
  readonly pay: number
  readonly products: number
  /** Share of bots. */
  readonly bots: number
}

const CANCELS = 0.1
const DECLINED_FIRST = 0.04
const IMPATIENT = 0.02
const LOSES_ANSWER = 0.02
/** Bots are there when it opens: within the first part of the time in which people arrive. */
const BOT_HASTE = 0.25

export function planBuyer(shape: CrowdShape, buyer: number): BuyerPlan {
  const random = randomOf(shape.seed, 'buyer', buyer)
  const pays = random() < shape.pay
  const cancels = random() < CANCELS
  const person: BuyerPlan = {
    buyer,
    arrivesMs: arrival(random(), shape.spread) * 1000,
    device: `rush-${shape.seed}-${buyer}`,
    itemIndex: Math.floor(random() * shape.products),
    then: pays ? 'pays' : cancels ? 'cancels' : 'forgets',
    declinedFirst: random() < DECLINED_FIRST,
    impatient: random() < IMPATIENT,
    losesAnswer: random() < LOSES_ANSWER,
    bot: undefined,
    guise: shape.bots > 0 ? honestGuise(buyer) : {},
    random,
  }
  const bot = botOf(shape.seed, buyer, shape.bots)
  if (bot === undefined) return person
  return {
    ...person,
    arrivesMs: person.arrivesMs * BOT_HASTE,
    // What it gets is sold on.
    then: 'pays',
    ...{ impatient: false, losesAnswer: false, declinedFirst: false },
    bot: { trick: bot.trick },
    guise: bot.guise,
  }
}

/**
 * Seconds after the opening: exponential, with a third of `spread` as mean, cut off at `spread`. Of a crowd that
 * arrives within 2 s, four fifths come in the first.
 */
export function arrival(uniform: number, spread: number): number {
  return (-Math.log(1 - uniform * (1 - Math.exp(-3))) * spread) / 3
}
