import { isEarly, isOver, type SaleTimes, shopState, type ShopState } from '../sale-moment.ts'
import type { Stock } from '../shapes.ts'
import type { Say } from './say.ts'
import { stockState, stockText } from './stock.ts'

/** Units of an item, or of a sale's items together. */
export type Units = Pick<Stock, 'available' | 'held' | 'sold' | 'total'>

/** What a shop page says of an item or of a whole sale: the same when it is rendered and when it is kept alive. */
export interface Offer {
  readonly state: ShopState
  readonly badge: string
  /** The badge where it can count down: "Opens in 04:05". */
  readonly live_badge: string
  readonly title: string
  readonly text: string
  /** Until the opening, while it is ahead: "04:05"; else empty. */
  readonly countdown: string
  /** What is left; of a sale that is over, that it is. */
  readonly stock: string
  /** Of the units, between 0 and 1. */
  readonly left: number
  /** Where the one button leads, and what it says. */
  readonly way: 'queue' | 'sale' | 'shop'
  readonly button: string
}

export interface Offered {
  readonly sale: SaleTimes
  /** Undefined while nobody knows. */
  readonly units: Units | undefined
  /** Server time in ms. */
  readonly now: number
  /** Whether something else of the sale can still be had. */
  readonly others?: boolean
}

export function offerOf(say: Say, { sale, units, now, others = false }: Offered): Offer {
  const stock = units && stockState(units)
  const state = shopState(sale, stock, now)
  const countdown = isEarly(state) ? say.countdown(sale.opens_at - now) : ''
  const badge = say(`shop.badge.${state}`)
  const way = !isOver(state) ? 'queue' : state === 'sold_out' && others ? 'sale' : 'shop'
  return {
    state,
    way,
    badge,
    live_badge: countdown === '' ? badge : `${say(`shop.${state}`)} ${countdown}`,
    title: say(`shop.${state}`),
    text: say(`shop.${state}.text`),
    countdown,
    stock:
      state === 'ended' || state === 'post_sale'
        ? badge
        : units === undefined || stock === undefined
          ? say('shop.counting')
          : stockText(say, { ...units, state: stock }),
    left: units === undefined ? 0 : units.available / Math.max(1, units.total),
    button: say(
      way === 'sale'
        ? 'shop.others'
        : way === 'shop'
          ? 'shop.all'
          : state === 'scheduled'
            ? 'shop.waiting_room'
            : state === 'open' && stock === 'available'
              ? 'shop.buy'
              : 'shop.join',
    ),
  }
}

/** Where the button of an offer leads. `queue`: the sale's waiting room. */
export function wayTo(way: Offer['way'], { queue, sale }: { queue: string; sale: string }): string {
  return way === 'queue' ? queue : way === 'sale' ? `/sales/${sale}` : '/'
}

/** Undefined where the units of one of them are not known. */
export function together(all: readonly (Units | undefined)[]): Units | undefined {
  const sum = { available: 0, held: 0, sold: 0, total: 0 }
  for (const units of all) {
    if (units === undefined) return undefined
    for (const count of ['available', 'held', 'sold', 'total'] as const) sum[count] += units[count]
  }
  return sum
}
