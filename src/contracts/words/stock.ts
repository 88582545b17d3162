import { formatCount } from './money.ts'
import type { Stock } from '../shapes.ts'

export function stockState({ available, held }: Pick<Stock, 'available' | 'held'>): Stock['state'] {
  return available > 0 ? 'available' : held > 0 ? 'held_out' : 'sold_out'
}

/** Stock in words. Held is not sold: people still pay, and some will not. */
export function stockText(stock: Pick<Stock, 'state' | 'available' | 'held' | 'total'>): string {
  switch (stock.state) {
    case 'available':
      return `${formatCount(stock.available)} of ${formatCount(stock.total)} left`
    case 'held_out':
      return `All taken for now: ${formatCount(stock.held)} not paid yet, some may return`
    case 'sold_out':
      return 'Sold out'
  }
}
