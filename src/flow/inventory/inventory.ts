import type { ItemId, OrderId, UserId } from '../../contracts/ids.ts'
import { type Part, partIndexOf, partsOf, readOwner } from '../../contracts/parts.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { checkChange, checkItem, checkRebuild, checkUnits } from './checks.ts'
import { createPartStocks, type PartStocks, whole } from './part-stocks.ts'
import { createSums } from './sums.ts'
import { createTransfers, shareOf, type Transfers } from './transfers.ts'
import {
  type ClaimOutcome,
  type ClaimRequest,
  type DueHold,
  InventoryUnavailable,
  type ItemChange,
  type LoadItem,
  type RebuildItem,
  type Stock,
} from './types.ts'

export * from './types.ts'
export { ITEMS_KEY, itemKeys, outboxKey, partOwner } from './keys.ts'
export { firstSeq } from './scripts.ts'
export type { PartStocks } from './part-stocks.ts'
export { type Cut, shareOf, type Transfers } from './transfers.ts'

/**
 * The stock of every item, in Redis. Each change is one atomic script, safe to repeat. Where the stock of an item is split
 * into parts, numbers are those of all parts and of what is on its way between them.
 *
 * Every method throws `InventoryUnavailable` (nothing was done) or `InventoryUnknown` (the answer was lost)
 * when Redis can not be asked, and RangeError for an argument that can not be meant.
 */
export interface Inventory {
  /** Creates an item, never overwrites one. */
  load(item: LoadItem): Promise<'loaded' | 'exists'>
  /** Takes units for a buyer, together with the claims of the same event-loop turn, in the order they came. */
  claim(request: ClaimRequest): Promise<ClaimOutcome>
  /**
   * Held units are sold. `gone`: no such hold (any more), nothing changed. `user_id`: whose order it is; where it is left out
   * every part of the item is asked, and must be there.
   */
  settle(item_id: ItemId, order_id: OrderId, user_id?: UserId): Promise<'settled' | 'gone' | 'unloaded'>
  /** Held units are available again. `gone`, `user_id`: as for `settle`. */
  release(item_id: ItemId, order_id: OrderId, user_id?: UserId): Promise<'released' | 'gone' | 'unloaded'>
  /**
   * Up to `max` holds whose deadline passed at least `graceMs` ago, earliest first; none where nothing is loaded. Those of
   * parts whose server is away are left out.
   */
  due(item_id: ItemId, max: number, graceMs?: number): Promise<DueHold[]>
  setState(item_id: ItemId, change: ItemChange): Promise<'changed' | 'unloaded'>
  /**
   * undefined where the item, or a part of it, is not loaded or can not be read. `run_id` is empty while a part is fenced. What
   * a part had when its server went away counts as held: it may come back, and nothing changes it meanwhile.
   */
  stock(item_id: ItemId): Promise<Stock | undefined>
  /** The hold of an order; undefined once it is settled or released. */
  findClaim(item_id: ItemId, order_id: OrderId, user_id?: UserId): Promise<DueHold | undefined>
  /** All holds there are, earliest deadline first. */
  holds(item_id: ItemId): Promise<DueHold[]>
  /** Events in the item's outbox: their effect has not reached SQL yet. */
  unconfirmed(item_id: ItemId): Promise<number>
  /**
   * Lifts the fence after reconciliation has checked the item at `epoch`. `checkedRunId`, the server it was
   * checked on, makes a server that was replaced in between `moved_on`.
   */
  adopt(item_id: ItemId, epoch: number, checkedRunId?: string): Promise<'adopted' | 'moved_on' | 'unloaded'>
  /** Nothing is claimed of the item any more until reconciliation has adopted or rebuilt it. */
  fence(item_id: ItemId, epoch: number): Promise<'fenced' | 'moved_on' | 'unloaded'>
  /** Takes back units that are not there after all, at once; `lower.lua` tells what is left. Never raises the total. */
  lower(item_id: ItemId, units: number): Promise<'lowered' | 'oversold' | 'kept' | 'unloaded'>
  /** Writes the item anew from the truth given; `rebuild.lua` tells when it refuses. */
  rebuild(item: RebuildItem): Promise<'rebuilt' | 'does_not_fit' | 'moved_on' | 'unloaded'>
  /** Every item ever loaded. */
  items(): Promise<ItemId[]>
  /** Ends what a process began that died while it moved units between parts. How many units arrived. */
  finishTransfers(item_id: ItemId): Promise<number>
  /** Parts by themselves, and how they stand together: for reconciliation, which has no word on a split item as such. */
  readonly parts: PartStocks
  readonly transfers: Pick<Transfers, 'look' | 'spread'>
}

export interface InventoryOptions {
  readonly redis: RedisConnection
  /** How many parts an item's stock is split into. */
  readonly partsOf?: (item_id: ItemId) => Promise<number>
}

export function createInventory({ redis, partsOf: count = async () => 1 }: InventoryOptions): Inventory {
  const parts = createPartStocks({ redis })
  const transfers = createTransfers(parts)
  const sums = createSums(parts, transfers)

  const all = async (item_id: ItemId): Promise<Part[]> => partsOf(item_id, await count(item_id))
  const only = async (item_id: ItemId): Promise<Part> => {
    const [first, ...more] = await all(item_id)
    if (first === undefined || more.length > 0)
      throw new RangeError(`the stock of ${item_id} is split: reconcile its parts`)
    return first
  }
  /** Those that may have an order of this buyer. */
  const of = async (item_id: ItemId, user_id: UserId | undefined): Promise<Part[]> => {
    const found = await all(item_id)
    const [first] = found
    if (user_id === undefined || first === undefined) return found
    return [{ ...first, index: partIndexOf(user_id, found.length) }]
  }
  /** A hold is in one part at most: whatever the others say, that one tells. */
  const end = async <Word extends string>(
    item_id: ItemId,
    user_id: UserId | undefined,
    act: (part: Part) => Promise<Word | 'gone' | 'unloaded'>,
  ) => {
    const words = await Promise.all((await of(item_id, user_id)).map(act))
    const done = words.find((word) => word !== 'gone' && word !== 'unloaded')
    return done ?? (words.includes('unloaded') ? ('unloaded' as const) : ('gone' as const))
  }

  return {
    parts,
    transfers,
    load: async (item) => {
      checkItem(item)
      const into = partsOf(item.item_id, item.parts ?? 1)
      const done = await Promise.all(
        into.map((part) => parts.load(part, { ...item, total: shareOf(item.total, part) })),
      )
      return done.includes('loaded') ? 'loaded' : 'exists'
    },
    claim: (request) =>
      request.parts === undefined || request.parts === 1
        ? parts.claim(request)
        : transfers.claim(request, request.parts),
    settle: (item_id, order_id, user_id) => end(item_id, user_id, (part) => parts.settle(part, order_id)),
    release: (item_id, order_id, user_id) => end(item_id, user_id, (part) => parts.release(part, order_id)),
    due: async (item_id, max, graceMs = 0) => {
      const found = (await all(item_id)).map((part) =>
        parts.due(part, max, graceMs).catch((error: unknown) => {
          if (part.of === 1 || !(error instanceof InventoryUnavailable)) throw error
          return []
        }),
      )
      return (await Promise.all(found)).flat().toSorted(byDeadline).slice(0, max)
    },
    setState: async (item_id, change) => {
      checkChange(change)
      const words = await Promise.all((await all(item_id)).map((part) => parts.setState(part, change)))
      return words.includes('unloaded') ? 'unloaded' : 'changed'
    },
    stock: async (item_id) => {
      const split = await count(item_id)
      return split === 1 ? parts.stock(whole(item_id)) : sums.stock(item_id, split)
    },
    findClaim: async (item_id, order_id, user_id) => {
      const found = (await of(item_id, user_id)).map((part) => parts.findClaim(part, order_id))
      return (await Promise.all(found)).find((hold) => hold !== undefined)
    },
    holds: async (item_id) => {
      const found = await Promise.all((await all(item_id)).map(parts.holds))
      return found.flat().toSorted(byDeadline)
    },
    unconfirmed: async (item_id) =>
      (await Promise.all((await all(item_id)).map(parts.unconfirmed))).reduce((sum, one) => sum + one, 0),
    adopt: async (item_id, epoch, checkedRunId) => parts.adopt(await only(item_id), epoch, checkedRunId),
    fence: async (item_id, epoch) => parts.fence(await only(item_id), epoch),
    lower: async (item_id, units) => {
      checkUnits(units)
      return parts.lower(await only(item_id), units)
    },
    rebuild: async (item) => {
      checkRebuild(item)
      return parts.rebuild(await only(item.item_id), item)
    },
    items: async () => (await parts.owners()).filter((owner) => readOwner(owner).part === undefined),
    finishTransfers: async (item_id) => {
      const split = await count(item_id)
      return split === 1 ? 0 : transfers.finish(item_id, split)
    },
  }
}

const byDeadline = (one: DueHold, other: DueHold) => one.deadline - other.deadline
