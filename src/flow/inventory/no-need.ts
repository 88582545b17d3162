import type { ItemId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Product } from '../catalogue/catalogue.ts'
import { InventoryUnavailable } from './inventory.ts'
import type { StockBoard } from './stock-board.ts'

export interface NoNeedParts {
  readonly board: Pick<StockBoard, 'read'>
  /** The Redis server that has the item. */
  readonly runId: (item: ItemId) => string | undefined
  /** Too many events of the item wait for SQL to take in more. */
  readonly isBacklogFull: (item: ItemId) => Promise<boolean>
  readonly clock: Clock
}

/** Why nothing of an item would be given out now, as far as that is known without asking for any; mostly undefined. */
export function createNoNeed({ board, runId, isBacklogFull, clock }: NoNeedParts) {
  /**
   * Nothing is left, as far as the board knows (a fraction of a second old, and checked on this very server): nobody
   * needs to write anything to be told so.
   */
  const nothingLeft = async (item: ItemId): Promise<'held_out' | 'sold_out' | undefined> => {
    const stock = await board.read(item)
    if (stock === undefined || stock.available > 0 || stock.state !== 'open') return undefined
    if (stock.run_id !== runId(item) || stock.opens_at > clock.now()) return undefined
    return stock.held > 0 ? 'held_out' : 'sold_out'
  }

  return async ({ id, stock_parts = 1 }: Pick<Product, 'id' | 'stock_parts'>) => {
    try {
      return (await nothingLeft(id)) ?? ((await isBacklogFull(id)) ? ('overloaded' as const) : undefined)
    } catch (error) {
      // A part of it is away. Buyers of the others are served all the same.
      if (stock_parts > 1 && error instanceof InventoryUnavailable) return undefined
      throw error
    }
  }
}
