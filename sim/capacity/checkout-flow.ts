import type { Scenario } from './crowd.ts'

/** What people do at the checkout, as `sim/stampede/behaviour.ts` and `checkout.ts` have it; means in seconds. */
const ABANDONS = 0.05
const CANCELS = 0.1
const CLAIMS = { least_s: 1, then_s: 5.5 }
const PAYS = { least_s: 4, then_s: 20 }
const TRIES_AGAIN_S = 5
/** Somebody in checkout who does nothing counts so long. */
const SLOT_S = 45
/** Of the bots' devices so many share an account. */
const BOT_DEVICES = 20
const CHECKOUTS_PER_UNIT = 3
/** Less than that of a unit is none. */
const SOME = 0.25
/** How often the line is held to the stock. */
const LOOK_S = 0.2

/** From the admission to the end of the order, second by second. Units are a quantity like any other: halves of one exist. */
export function createCheckoutFlow({ units, pay, hold, buyers, bots: botsAll }: Scenario) {
  /** Accounts of the bots, of which each may have one unit, and how many of their devices have claimed. */
  const accounts = Math.max(1, (botsAll * buyers) / BOT_DEVICES)
  let devices = 0
  /** In checkout: making up their minds, trying again while all is held, gone without a word. */
  let [deciding, trying, silent] = [0, 0, 0]
  let [available, paying, cancelling, sold, botShare] = [units, 0, 0, 0, 0]
  const [clicks, silence, wallet, regret] = [
    later(CLAIMS.least_s),
    later(SLOT_S),
    later(PAYS.least_s),
    later(PAYS.least_s),
  ]
  const lapses = later(hold)
  /** Who is told that all is held and tries again gives no sign of life to the line. */
  const recent = later(SLOT_S)
  /** `seen`: units that were to be had at some moment of the last second. */
  let [lapsing, seen, wanted] = [0, units, 0]
  const inCheckout = () => deciding + clicks.inside() + recent.inside() + silent
  return {
    /** For what part of the second the line runs (it stands still for want of room), and how many may come in. */
    open: () => {
      const room = seen < SOME ? 0 : Math.ceil(seen) * CHECKOUTS_PER_UNIT - inCheckout()
      if (room <= 0) return { running: 0, room: 0 }
      return { running: Math.min(1, seen / Math.max(seen, wanted) + LOOK_S), room: Math.min(room, seen) }
    },
    step: (admitted: number, bots: number) => {
      const abandon = admitted * (1 - bots) * ABANDONS
      silent += abandon - silence.pass(abandon)
      deciding += clicks.pass(admitted * (1 - bots) * (1 - ABANDONS))
      const lapsed = lapses.pass(lapsing)
      available += lapsed
      seen = available

      // Whose account has its unit is told no, and goes.
      const botClaims = admitted * bots * Math.exp(-devices / accounts)
      devices += admitted * bots
      const fresh = deciding / CLAIMS.then_s + botClaims
      deciding -= deciding / CLAIMS.then_s
      const tries = trying / TRIES_AGAIN_S
      const claims = fresh + tries
      const orders = Math.min(available, claims)
      wanted = claims
      available -= orders
      const refused = claims === 0 ? 0 : fresh * (1 - orders / claims)
      recent.pass(refused)
      trying += fresh - orders

      if (fresh > 0) botShare = botClaims / fresh
      const paid = orders * (botShare + (1 - botShare) * pay)
      lapsing = (orders - paid) * (1 - CANCELS)
      paying += wallet.pass(paid)
      cancelling += regret.pass((orders - paid) * CANCELS)
      const [pays, cancels] = [paying / PAYS.then_s, cancelling / PAYS.then_s]
      paying -= pays
      cancelling -= cancels
      sold += pays
      available += cancels
      return { claims: claims + admitted * bots - botClaims, orders, paid: pays, returned: cancels + lapsed }
    },
    /** Who tries again is told no, once, and goes. */
    end: () => {
      trying = 0
    },
    soldOut: () => units - sold < SOME * 2,
    /** Nobody is on the way to an order any more. */
    idle: () => inCheckout() + paying + wallet.inside() + lapses.inside() < SOME,
  }
}

/** A quantity that comes out so many seconds after it was put in. */
function later(seconds: number) {
  const ring = new Float64Array(Math.max(1, Math.round(seconds)))
  let [at, inside] = [0, 0]
  return {
    inside: () => inside,
    /** A second goes by: puts one in and takes one out. */
    pass: (quantity: number) => {
      at = (at + 1) % ring.length
      const out = ring[at] ?? 0
      ring[at] = quantity
      inside += quantity - out
      return out
    },
  }
}
