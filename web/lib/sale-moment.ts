import type { Sale } from '../../src/contracts/shapes.ts'

/** Where a sale stands, for its shop pages. */
export type SaleMoment = 'before' | 'open' | 'paused' | 'ended'

/** `now` is server time in ms. The operator's hand comes before the clock, except that nobody pauses before the start. */
export function saleMoment(sale: Pick<Sale, 'state' | 'opens_at' | 'ends_at'>, now: number): SaleMoment {
  if (sale.state === 'ended' || (sale.ends_at !== null && now >= sale.ends_at)) return 'ended'
  if (now < sale.opens_at) return 'before'
  return sale.state === 'paused' ? 'paused' : 'open'
}
