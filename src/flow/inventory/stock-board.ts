import type { ItemId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import { Unavailable } from '../../platform/errors.ts'
import type { Inventory, Stock } from './inventory.ts'

/** What everybody may see of an item's stock, at most `FRESH_MS` old however many ask. */
export interface StockBoard {
  read(item: ItemId): Promise<Stock | undefined>
  /** Units of several items together. Rejects while one of them is not loaded: it will be, and then shows its units. */
  sum(items: readonly ItemId[]): Promise<Pick<Stock, 'total' | 'available' | 'held' | 'sold'>>
}

const FRESH_MS = 200

export function createStockBoard({ inventory, clock }: { inventory: Inventory; clock: Clock }): StockBoard {
  const known = new Map<ItemId, { read_at: number; stock: Promise<Stock | undefined> }>()
  const read = (item: ItemId) => {
    const cached = known.get(item)
    if (cached !== undefined && clock.now() - cached.read_at < FRESH_MS) return cached.stock
    const stock = inventory.stock(item)
    known.set(item, { read_at: clock.now(), stock })
    // Neither a failure nor an item that does not exist is worth remembering.
    stock.then(
      (found) => found ?? known.delete(item),
      () => known.delete(item),
    )
    return stock
  }
  return {
    read,
    sum: async (items) => {
      const sum = { total: 0, available: 0, held: 0, sold: 0 }
      for (const stock of await Promise.all(items.map(read))) {
        if (stock === undefined) throw new Unavailable('an item of the sale is not loaded')
        for (const count of ['total', 'available', 'held', 'sold'] as const) sum[count] += stock[count]
      }
      return sum
    },
  }
}
