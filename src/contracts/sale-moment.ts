import type { Sale, Stock } from './shapes.ts'

/** Where a sale stands by its clock and its operator's hand. `lobby`: people may join, and wait for the opening. */
export type SaleMoment = 'scheduled' | 'lobby' | 'open' | 'paused' | 'ended' | 'post_sale'

/** What a shop page shows: the moment, and while it is open what is left. */
export type ShopState = SaleMoment | 'held_out' | 'sold_out'

/** What of a sale its moment follows from. */
export type SaleTimes = Pick<Sale, 'state' | 'opens_at' | 'ends_at' | 'lobby_opens_at' | 'post_sale_at'>

/** `now` is server time in ms. The operator's hand comes before the clock, except that nobody pauses before the start. */
export function saleMoment(sale: SaleTimes, now: number): SaleMoment {
  if (sale.post_sale_at !== null && now >= sale.post_sale_at) return 'post_sale'
  if (sale.state === 'ended' || (sale.ends_at !== null && now >= sale.ends_at)) return 'ended'
  if (sale.lobby_opens_at !== null && now < sale.lobby_opens_at) return 'scheduled'
  if (now < sale.opens_at) return 'lobby'
  return sale.state === 'paused' ? 'paused' : 'open'
}

/** `stock` of one item, or of the sale's items together; undefined while nobody knows it. */
export function shopState(sale: SaleTimes, stock: Stock['state'] | undefined, now: number): ShopState {
  const moment = saleMoment(sale, now)
  if (moment === 'ended' || moment === 'post_sale') return moment
  if (stock === 'sold_out') return 'sold_out'
  return moment === 'open' && stock === 'held_out' ? 'held_out' : moment
}

/** Nothing of it can be had any more. */
export const isOver = (state: ShopState): boolean =>
  state === 'sold_out' || state === 'ended' || state === 'post_sale'

/** Before the opening, when the countdown runs. */
export const isEarly = (state: ShopState): boolean => state === 'scheduled' || state === 'lobby'
