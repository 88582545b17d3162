import type { Stock } from '../shapes.ts'
import type { Say } from './say.ts'

export function stockState({ available, held }: Pick<Stock, 'available' | 'held'>): Stock['state'] {
  return available > 0 ? 'available' : held > 0 ? 'held_out' : 'sold_out'
}

/** Stock as the public sees it. */
export function publicStock(
  item_id: string,
  { available, held, sold, total }: Pick<Stock, 'available' | 'held' | 'sold' | 'total'>,
  server_time: number,
): Stock {
  const state = stockState({ available, held })
  return { item_id, available, held, sold, total, state, server_time }
}

/** Stock in words. Held is not sold: people still pay, and some will not. */
export function stockText(
  say: Say,
  { state, available, held, total }: Pick<Stock, 'state' | 'available' | 'held' | 'total'>,
): string {
  return say(`stock.${state}`, { available, held, total })
}
