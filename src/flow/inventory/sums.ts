import type { ItemId } from '../../contracts/ids.ts'
import { partsOf } from '../../contracts/parts.ts'
import { type PartStocks, whole } from './part-stocks.ts'
import { firstSeq } from './scripts.ts'
import { isLate, onTheWay, type Transfers } from './transfers.ts'
import { InventoryUnavailable, type PartState, type Stock } from './types.ts'

/** An item of several parts as one. */
export function createSums(parts: PartStocks, transfers: Pick<Transfers, 'look'>) {
  const seen = new Map<ItemId, readonly PartState[]>()

  /**
   * As they are, or, where the server of one is away, as it was when it was last seen: nothing can change it. Throws where that
   * is not known, or what it gave since then has arrived elsewhere.
   */
  const look = async (item_id: ItemId, of: number) => {
    const { states } = await transfers.look(item_id, of)
    const known = seen.get(item_id)
    const all = states.flatMap((state, index) => state ?? known?.[index] ?? [])
    const isAway = (index: number) => states[index] === undefined
    if (all.length < of || all.some((_, index) => isAway(index) && isLate(all, index)))
      throw new InventoryUnavailable(`the server of a part of ${item_id} does not answer`)
    seen.set(item_id, all)
    return { all, isAway }
  }

  return {
    /** Undefined where a part is lost. */
    stock: async (item_id: ItemId, of: number): Promise<Stock | undefined> => {
      const { all, isAway } = await look(item_id, of)
      const stocks = all.flatMap(({ stock }) => stock ?? [])
      const [first] = stocks
      if (first === undefined || stocks.length < of) return undefined
      const sum = { total: 0, available: 0, held: 0, sold: 0, seq: 0, epoch: 0 }
      for (const { from, to, units } of onTheWay(all)) {
        sum.total += units
        sum[isAway(from) || isAway(to) ? 'held' : 'available'] += units
      }
      for (const [index, stock] of stocks.entries()) {
        for (const what of ['total', 'held', 'sold', 'epoch'] as const) sum[what] += stock[what]
        sum[isAway(index) ? 'held' : 'available'] += stock.available
        sum.seq += stock.seq - firstSeq(index)
      }
      const isChecked = partsOf(item_id, of).every(
        (part, index) => stocks[index]?.run_id === parts.runId(part),
      )
      return { ...first, ...sum, run_id: (isChecked && parts.runId(whole(item_id))) || '' }
    },
  }
}
