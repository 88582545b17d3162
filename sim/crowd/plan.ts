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
  readonly paysWith: 'stripe' | 'paypal'
  /** Declined first; then it pays the other way. */
  readonly declinedFirst: boolean
  /** Asks to enter before its turn, to see whether anybody gives in. */
  readonly impatient: boolean
  /** Loses the answer to its first claim and asks again with the same key. */
  readonly losesAnswer: boolean
  /** Once it has a unit it tries for more: with the pass it has used, then in line again until its limit is reached. */
  readonly greedy: boolean
  /** Undefined: a person. */
  readonly bot: Bot | undefined
  /** Headers of every request; none in a crowd without bots. */
  readonly guise: Guise
  /** For waits and jitter. */
  readonly random: Random
}

/** What a crowd is like where it differs from an ordinary rush. Shares of the buyers. */
export interface Habits {
  /** Share that arrives in the first two seconds; the others come evenly. Undefined: most in the first third. */
  readonly rush: number
  readonly greedy: number
  readonly paypal: number
  readonly impatient: number
  readonly declinedFirst: number
  readonly losesAnswer: number
  readonly cancels: number
}

export interface CrowdShape {
  readonly habits?: Partial<Habits>
  readonly seed: number
  readonly buyers: number
  readonly spread: number
  readonly pay: number
  readonly products: number
  /** Share of bots. */
  readonly bots: number
}

/** Of those who do not pay, the others and all. */
const CANCELS = 0.1
const PAYPAL = 0.3
const DECLINED_FIRST = 0.04
const IMPATIENT = 0.02
const LOSES_ANSWER = 0.02
const RUSH_S = 2
/** Bots are there when it opens: within the first part of the time in which people arrive. */
const BOT_HASTE = 0.25

export function planBuyer(shape: CrowdShape, buyer: number): BuyerPlan {
  const random = randomOf(shape.seed, 'buyer', buyer)
  const { habits = {}, spread } = shape
  const pays = random() < shape.pay
  const cancels = random() < (habits.cancels ?? CANCELS)
  const person: BuyerPlan = {
    buyer,
    arrivesMs:
      1000 * (habits.rush === undefined ? arrival(random(), spread) : steady(random(), spread, habits.rush)),
    device: `rush-${shape.seed}-${buyer}`,
    itemIndex: Math.floor(random() * shape.products),
    then: pays ? 'pays' : cancels ? 'cancels' : 'forgets',
    paysWith: randomOf(shape.seed, 'paypal', buyer)() < (habits.paypal ?? PAYPAL) ? 'paypal' : 'stripe',
    declinedFirst: random() < (habits.declinedFirst ?? DECLINED_FIRST),
    impatient: random() < (habits.impatient ?? IMPATIENT),
    losesAnswer: random() < (habits.losesAnswer ?? LOSES_ANSWER),
    greedy: randomOf(shape.seed, 'greedy', buyer)() < (habits.greedy ?? 0),
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
    ...{ impatient: false, greedy: false, losesAnswer: false, declinedFirst: false },
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

/** Seconds after the opening: a share within the first two, the others evenly up to `spread`. */
function steady(uniform: number, spread: number, rush: number): number {
  return uniform < rush
    ? (uniform / rush) * Math.min(RUSH_S, spread)
    : ((uniform - rush) / (1 - rush)) * spread
}
