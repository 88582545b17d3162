import type { ItemId, OrderId } from '../../contracts/ids.ts'
import { createBatcher } from '../../platform/batch.ts'
import { type RedisConnection, type RedisFailure, failureOf } from '../../platform/redis.ts'
import { checkChange, checkClaim, checkItem, checkRebuild, checkUnits } from './checks.ts'
import { ITEMS_KEY, itemKeys, outboxKey } from './keys.ts'
import * as scripts from './scripts.ts'
import {
  type ClaimOutcome,
  type ClaimRequest,
  type DueHold,
  InventoryUnavailable,
  InventoryUnknown,
  type ItemChange,
  type LoadItem,
  type RebuildItem,
  type Stock,
} from './types.ts'
import { parseClaim, parseStock } from './wire.ts'

export * from './types.ts'
export { outboxKey } from './keys.ts'

/** Most claims that travel in one script call. */
const BATCH = 64

/**
 * The stock of every item, in Redis. Each change is one atomic script, safe to repeat.
 *
 * Every method throws `InventoryUnavailable` (nothing was done) or `InventoryUnknown` (the answer was lost)
 * when Redis can not be asked, and RangeError for an argument that can not be meant.
 */
export interface Inventory {
  /** Creates an item, never overwrites one. */
  load(item: LoadItem): Promise<'loaded' | 'exists'>
  /** Takes units for a buyer, together with the claims of the same event-loop turn, in the order they came. */
  claim(request: ClaimRequest): Promise<ClaimOutcome>
  /** Held units are sold. `gone`: no such hold (any more), nothing changed. */
  settle(item_id: ItemId, order_id: OrderId): Promise<'settled' | 'gone' | 'unloaded'>
  /** Held units are available again. `gone`: no such hold (any more), nothing changed. */
  release(item_id: ItemId, order_id: OrderId): Promise<'released' | 'gone' | 'unloaded'>
  /** Up to `max` holds whose deadline passed at least `graceMs` ago, earliest first; none where nothing is loaded. */
  due(item_id: ItemId, max: number, graceMs?: number): Promise<DueHold[]>
  setState(item_id: ItemId, change: ItemChange): Promise<'changed' | 'unloaded'>
  /** undefined where the item is not loaded or can not be read. */
  stock(item_id: ItemId): Promise<Stock | undefined>
  /** The hold of an order; undefined once it is settled or released. */
  findClaim(item_id: ItemId, order_id: OrderId): Promise<DueHold | undefined>
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
}

export function createInventory({ redis }: { redis: RedisConnection }): Inventory {
  const { commands } = redis

  /** Asks the server of a key, whose run_id it hands over: the two are read and sent in one turn, or not at all. */
  const askFor = async <Answer>(
    key: string,
    command: (run_id: string) => Promise<Answer>,
  ): Promise<Answer> => {
    const run_id = redis.runId(key)
    if (run_id === undefined) throw new InventoryUnavailable('Redis is not connected, or does not answer')
    try {
      return await command(run_id)
    } catch (error) {
      throw explain(error)
    }
  }

  const ask = <Answer>(item_id: ItemId, command: (run_id: string) => Promise<Answer>) =>
    askFor(outboxKey(item_id), command)

  let known: ItemId[] = []
  const batchers = new Map<ItemId, (request: ClaimRequest) => Promise<ClaimOutcome>>()
  const batcherOf = (item_id: ItemId) => {
    const known = batchers.get(item_id)
    if (known) return known
    const batcher = createBatcher<ClaimRequest, ClaimOutcome>(
      (requests) =>
        ask(item_id, (run_id) => scripts.claimScript.run(commands, { item_id, run_id, requests })),
      BATCH,
    )
    batchers.set(item_id, batcher)
    return batcher
  }

  return {
    load: async (item) => {
      checkItem(item)
      // The set first: an item that sells is then never one that the workers can not find.
      await askFor(ITEMS_KEY, () => commands.sadd(ITEMS_KEY, item.item_id))
      return ask(item.item_id, (run_id) => scripts.loadScript.run(commands, { ...item, run_id }))
    },
    claim: async (request) => {
      checkClaim(request)
      const outcome = await batcherOf(request.item_id)(request)
      // An id somebody made up leaves nothing behind here either.
      if (outcome.kind === 'unloaded') batchers.delete(request.item_id)
      return outcome
    },
    settle: (item_id, order_id) =>
      ask(item_id, () => scripts.settleScript.run(commands, { item_id, order_id })),
    release: (item_id, order_id) =>
      ask(item_id, () => scripts.releaseScript.run(commands, { item_id, order_id })),
    due: async (item_id, max, graceMs = 0) => {
      const input = { item_id, which: 'overdue', graceMs, max } as const
      const found = await ask(item_id, () => scripts.dueScript.run(commands, input))
      return found === 'unloaded' ? [] : found
    },
    setState: async (item_id, change) => {
      checkChange(change)
      return ask(item_id, () => scripts.setStateScript.run(commands, { item_id, change }))
    },
    stock: async (item_id) => {
      const key = itemKeys(item_id).stock
      return ask(item_id, async () =>
        (await commands.type(key)) === 'hash' ? parseStock(await commands.hgetall(key)) : undefined,
      )
    },
    findClaim: async (item_id, order_id) => {
      const keys = itemKeys(item_id)
      const replies = await ask(item_id, () =>
        commands.multi().hget(keys.claims, order_id).zscore(keys.holds, order_id).exec(),
      )
      const [claim, deadline] = replies?.map(([, value]) => value) ?? []
      if (typeof claim !== 'string' || typeof deadline !== 'string') return undefined
      return parseClaim(order_id, deadline, claim)
    },
    holds: async (item_id) => {
      const input = { item_id, which: 'all', graceMs: 0, max: -1 } as const
      const found = await ask(item_id, () => scripts.dueScript.run(commands, input))
      return found === 'unloaded' ? [] : found
    },
    unconfirmed: (item_id) => ask(item_id, () => commands.xlen(itemKeys(item_id).outbox)),
    adopt: (item_id, epoch, checkedRunId) =>
      ask(item_id, async (run_id) => {
        if (checkedRunId !== undefined && checkedRunId !== run_id) return 'moved_on'
        return scripts.adoptScript.run(commands, { item_id, run_id, epoch })
      }),
    fence: async (item_id, epoch) => {
      const done = await ask(item_id, () => scripts.adoptScript.run(commands, { item_id, run_id: '', epoch }))
      return done === 'adopted' ? 'fenced' : done
    },
    lower: async (item_id, units) => {
      checkUnits(units)
      return ask(item_id, () => scripts.lowerScript.run(commands, { item_id, units }))
    },
    rebuild: async (item) => {
      checkRebuild(item)
      await askFor(ITEMS_KEY, () => commands.sadd(ITEMS_KEY, item.item_id))
      return ask(item.item_id, async (run_id) =>
        item.run_id === run_id ? scripts.rebuildScript.run(commands, item) : 'moved_on',
      )
    },
    items: async () => {
      // The master of a cluster that keeps the list may be away: the items of the others must not stand still for it.
      const isAway = redis.isCluster && redis.runId(ITEMS_KEY) === undefined
      if (!isAway || known.length === 0)
        known = (await askFor(ITEMS_KEY, () => commands.smembers(ITEMS_KEY))).sort()
      return known
    },
  }
}

const MEANING: Record<RedisFailure, (error: unknown) => Error> = {
  refused: (cause) => new InventoryUnavailable('Redis did not take the command', { cause }),
  unknown: (cause) => new InventoryUnknown('Redis did not answer; the outcome is unknown', { cause }),
}

function explain(error: unknown): unknown {
  const failure = failureOf(error)
  return failure === undefined ? error : MEANING[failure](error)
}
