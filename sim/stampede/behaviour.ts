/** Shares are of the buyers (0..1), times in seconds. */
export interface Shape {
  readonly seed: number
  readonly buyers: number
  readonly arrival: Arrival
  /** Seconds within which everybody arrives. */
  readonly spread: number
  /** Mean of what people have before they give up. */
  readonly patience: number
  /** Share that does not come when its turn has. */
  readonly noShows: number
  readonly bots: number
  /** Share of those who hold an order that pay. */
  readonly pay: number
}

export const ARRIVALS = ['spike', 'ramp', 'lobby'] as const
export type Arrival = (typeof ARRIVALS)[number]

/** Devices that the operator of bots lines up for each account. */
const BOT_DEVICES = 20
/** Of a spike a tenth of the time is the mean: two thirds are there within it. */
const SPIKE = 10
/** Share of a lobby's crowd that comes before the opening. */
const EARLY = 0.8
const REFRESHES = 0.005
const LOSES_ANSWER = 0.01
const ABANDONS = 0.05
const CANCELS = 0.1

/** What is drawn for a visitor, each with a number of its own. */
const DRAW = { arrival: 1, bot: 2, account: 3, patience: 4, shows: 5, after: 6, lost: 7, poll: 1000 }

/** Uniform in [0, 1): a function of its three numbers alone. */
function uniform(seed: number, visitor: number, draw: number): number {
  const once = scramble(seed ^ Math.imul(visitor + 1, 0x9e3779b1))
  return (scramble(once ^ Math.imul(draw + 1, 0x85ebca77)) >>> 0) / 2 ** 32
}

/** A bijection of 32 bits in which every bit depends on every other. */
function scramble(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return mixed ^ (mixed >>> 16)
}

export type Behaviour = ReturnType<typeof createBehaviour>

/**
 * What each visitor does: a function of the seed and the visitor's number, so nothing is kept. Visitors are numbered in
 * the order they arrive: number k comes at the quantile (k + chance) / buyers of the arrival curve.
 */
export function createBehaviour(shape: Shape) {
  const { buyers, bots } = shape
  const seed = scramble(shape.seed)
  const chance = (visitor: number, draw: number) => uniform(seed, visitor, draw)
  const exponential = (mean: number, visitor: number, draw: number) =>
    -Math.log(1 - chance(visitor, draw)) * mean
  const quantile = (visitor: number) => (visitor + chance(visitor, DRAW.arrival)) / buyers
  const accounts = Math.max(1, Math.ceil((bots * buyers) / BOT_DEVICES))
  /** Bots are early: twice the usual share of the first, none of the last. */
  const isBot = (visitor: number) => {
    const at = (visitor + 0.5) / buyers
    return chance(visitor, DRAW.bot) < (bots <= 0.5 ? 2 * bots * (1 - at) : 1 - 2 * (1 - bots) * at)
  }
  return {
    /** Milliseconds after the opening; negative in the lobby. Never falls from one visitor to the next. */
    arrivalMs: (visitor: number) => 1000 * arrivalS(shape, quantile(visitor)),
    isBot,
    /** Whose account it is: the devices of a bot operator share one. */
    account: (visitor: number) =>
      isBot(visitor)
        ? `operator-${Math.floor(chance(visitor, DRAW.account) * accounts)}`
        : `buyer-${visitor}`,
    patienceMs: (visitor: number) =>
      isBot(visitor) ? Infinity : 1000 * exponential(shape.patience, visitor, DRAW.patience),
    comes: (visitor: number) => isBot(visitor) || chance(visitor, DRAW.shows) >= shape.noShows,
    losesAnswer: (visitor: number) => chance(visitor, DRAW.lost) < LOSES_ANSWER,
    /** Chance of its own at each step of the simulation, for jitter. */
    jitter: (visitor: number, step: number) => chance(visitor, DRAW.poll + step),
    refreshes: (visitor: number, step: number) => chance(visitor, -DRAW.poll - step) < REFRESHES,
    /** What becomes of somebody in checkout. Times in ms, each from the moment before. */
    checkout: (visitor: number): CheckoutPlan => {
      const draw = (number: number) => chance(visitor, DRAW.after + 100 + number)
      const bot = isBot(visitor)
      const pays = draw(0) < shape.pay
      return {
        claimMs: bot ? 300 : 1500 - Math.log(1 - draw(1)) * 5000,
        payMs: bot ? 1500 : 4000 - Math.log(1 - draw(2)) * 20_000,
        then:
          !bot && draw(3) < ABANDONS
            ? 'abandons'
            : bot || pays
              ? 'pays'
              : draw(4) < CANCELS
                ? 'cancels'
                : 'forgets',
      }
    },
  }
}

export interface CheckoutPlan {
  readonly claimMs: number
  readonly payMs: number
  readonly then: 'pays' | 'cancels' | 'forgets' | 'abandons'
}

/** Seconds after the opening by which a share of the crowd has arrived. */
export function arrivalS({ arrival, spread }: Pick<Shape, 'arrival' | 'spread'>, share: number): number {
  const spike = (part: number) => (-Math.log(1 - part * (1 - Math.exp(-SPIKE))) * spread) / SPIKE
  switch (arrival) {
    case 'spike':
      return spike(share)
    // More and more, up to the end.
    case 'ramp':
      return spread * Math.sqrt(share)
    // More and more up to the opening, and a spike after it.
    case 'lobby':
      return share < EARLY ? -spread * (1 - Math.sqrt(share / EARLY)) : spike((share - EARLY) / (1 - EARLY))
  }
}

/** The other way round: the share that has arrived so many seconds after the opening. */
export function arrivedShare({ arrival, spread }: Pick<Shape, 'arrival' | 'spread'>, second: number): number {
  const within = (value: number) => Math.min(1, Math.max(0, value))
  const spike = (at: number) =>
    within((1 - Math.exp((-SPIKE * Math.max(0, at)) / spread)) / (1 - Math.exp(-SPIKE)))
  switch (arrival) {
    case 'spike':
      return spike(second)
    case 'ramp':
      return within(second / spread) ** 2
    case 'lobby':
      return second <= 0 ? EARLY * within(1 + second / spread) ** 2 : EARLY + (1 - EARLY) * spike(second)
  }
}
