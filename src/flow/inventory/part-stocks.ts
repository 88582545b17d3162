import type { ItemId, OrderId } from '../../contracts/ids.ts'
import type { Part } from '../../contracts/parts.ts'
import { createBatcher } from '../../platform/batch.ts'
import { type RedisConnection, type RedisFailure, failureOf } from '../../platform/redis.ts'
import { checkClaim } from './checks.ts'
import { ITEMS_KEY, itemKeys, partOwner } from './keys.ts'
import * as scripts from './scripts.ts'
import {
  type ClaimOutcome,
  type ClaimRequest,
  type DueHold,
  type Given,
  InventoryUnavailable,
  InventoryUnknown,
  type ItemChange,
  type LoadItem,
  type PartState,
  type RebuildItem,
  type Stock,
} from './types.ts'
import { parseClaim, parsePart, parseStock } from './wire.ts'

/** Most claims that travel in one script call. */
const BATCH = 64

/**
 * The stock of one part of an item; of the whole item where it is not split. `Inventory` says what each method means that it
 * has, too, and what they throw.
 */
export interface PartStocks {
  readonly load: (part: Part, item: LoadItem) => Promise<'loaded' | 'exists'>
  readonly claim: (request: ClaimRequest, part?: Part) => Promise<ClaimOutcome>
  readonly settle: (part: Part, order_id: OrderId) => Promise<'settled' | 'gone' | 'unloaded'>
  readonly release: (part: Part, order_id: OrderId) => Promise<'released' | 'gone' | 'unloaded'>
  readonly due: (part: Part, max: number, graceMs?: number) => Promise<DueHold[]>
  readonly setState: (part: Part, change: ItemChange) => Promise<'changed' | 'unloaded'>
  readonly stock: (part: Part) => Promise<Stock | undefined>
  readonly findClaim: (part: Part, order_id: OrderId) => Promise<DueHold | undefined>
  readonly holds: (part: Part) => Promise<DueHold[]>
  readonly unconfirmed: (part: Part) => Promise<number>
  readonly adopt: (
    part: Part,
    epoch: number,
    checkedOn?: string,
  ) => Promise<'adopted' | 'moved_on' | 'unloaded'>
  readonly fence: (part: Part, epoch: number) => Promise<'fenced' | 'moved_on' | 'unloaded'>
  readonly lower: (part: Part, units: number) => Promise<'lowered' | 'oversold' | 'kept' | 'unloaded'>
  readonly rebuild: (
    part: Part,
    item: RebuildItem,
  ) => Promise<'rebuilt' | 'does_not_fit' | 'moved_on' | 'unloaded'>
  /** What claims of this part must bring: the `run_id` of its server, with the number of parts where it is one of several. */
  readonly runId: (part: Part) => string | undefined
  /** The stock with its dealings with the other parts. */
  readonly state: (part: Part) => Promise<PartState>
  /** Takes up to `units` out of the part for part `to`, which has taken in those up to number `taken` from it. */
  readonly give: (part: Part, to: number, taken: number, units: number) => Promise<Given>
  /** Puts into the part what was given to it under a number, once. `sql`: units that are there and in no part. */
  readonly takeIn: (
    part: Part,
    giving: { readonly from: number | 'sql'; readonly number: number; readonly units: number },
  ) => Promise<'taken_in' | 'known' | 'fenced' | 'unloaded'>
  /** Nothing that was given up to this number arrives any more from the other part, or there. */
  readonly closeLinks: (part: Part, other: number, number: number) => Promise<'closed' | 'unloaded'>
  /** Whose keys there ever were: items, and further parts of some (`readOwner`). */
  readonly owners: () => Promise<string[]>
}

export function createPartStocks({ redis }: { redis: RedisConnection }): PartStocks {
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
  const ask = <Answer>(part: Part, command: (run_id: string) => Promise<Answer>) =>
    askFor(keysOf(part).outbox, (run_id) => command(tokenOf(part, run_id)))
  const enlist = (part: Part) => askFor(ITEMS_KEY, () => commands.sadd(ITEMS_KEY, partOwner(part)))

  let known: string[] = []
  const batchers = new Map<string, (request: ClaimRequest) => Promise<ClaimOutcome>>()
  const batcherOf = (name: string, of: Part) => {
    const batcher = createBatcher<ClaimRequest, ClaimOutcome>(
      (requests) => ask(of, (run_id) => scripts.claimScript.run(commands, { ...of, run_id, requests })),
      BATCH,
    )
    batchers.set(name, batcher)
    return batcher
  }
  const holdsOf = async (part: Part, which: 'overdue' | 'all', max: number, graceMs: number) => {
    const found = await ask(part, () => scripts.dueScript.run(commands, { ...part, which, graceMs, max }))
    return found === 'unloaded' ? [] : found
  }

  return {
    load: async (part, item) => {
      // The set first: an item that sells is then never one that the workers can not find.
      await enlist(part)
      return ask(part, (run_id) => scripts.loadScript.run(commands, { ...item, ...part, run_id }))
    },
    claim: async (request, part) => {
      checkClaim(request)
      const name = part === undefined ? request.item_id : `${partOwner(part)}/${part.of}`
      const batcher = batchers.get(name) ?? batcherOf(name, part ?? whole(request.item_id))
      const outcome = await batcher(request)
      // An id somebody made up leaves nothing behind here either.
      if (outcome.kind === 'unloaded') batchers.delete(name)
      return outcome
    },
    settle: (part, order_id) => ask(part, () => scripts.settleScript.run(commands, { ...part, order_id })),
    release: (part, order_id) => ask(part, () => scripts.releaseScript.run(commands, { ...part, order_id })),
    due: (part, max, graceMs = 0) => holdsOf(part, 'overdue', max, graceMs),
    holds: (part) => holdsOf(part, 'all', -1, 0),
    setState: (part, change) => ask(part, () => scripts.setStateScript.run(commands, { ...part, change })),
    stock: async (part) => {
      const key = keysOf(part).stock
      return ask(part, async () =>
        (await commands.type(key)) === 'hash' ? parseStock(await commands.hgetall(key)) : undefined,
      )
    },
    findClaim: async (part, order_id) => {
      const keys = keysOf(part)
      const replies = await ask(part, () =>
        commands.multi().hget(keys.claims, order_id).zscore(keys.holds, order_id).exec(),
      )
      const [claim, deadline] = replies?.map(([, value]) => value) ?? []
      if (typeof claim !== 'string' || typeof deadline !== 'string') return undefined
      return parseClaim(order_id, deadline, claim)
    },
    unconfirmed: (part) => ask(part, () => commands.xlen(keysOf(part).outbox)),
    adopt: (part, epoch, checkedOn) =>
      ask(part, async (run_id) => {
        if (checkedOn !== undefined && checkedOn !== run_id) return 'moved_on'
        return scripts.adoptScript.run(commands, { ...part, run_id, epoch })
      }),
    fence: async (part, epoch) => {
      const done = await ask(part, () => scripts.adoptScript.run(commands, { ...part, run_id: '', epoch }))
      return done === 'adopted' ? 'fenced' : done
    },
    lower: (part, units) => ask(part, () => scripts.lowerScript.run(commands, { ...part, units })),
    rebuild: async (part, item) => {
      await enlist(part)
      return ask(part, async (run_id) =>
        item.run_id === run_id ? scripts.rebuildScript.run(commands, { ...item, ...part }) : 'moved_on',
      )
    },
    runId: (part) => {
      const run_id = redis.runId(keysOf(part).outbox)
      return run_id === undefined ? undefined : tokenOf(part, run_id)
    },
    state: (part) => {
      const key = keysOf(part).stock
      return ask(part, async () =>
        parsePart((await commands.type(key)) === 'hash' ? await commands.hgetall(key) : {}),
      )
    },
    give: (part, to, taken, units) =>
      ask(part, (run_id) => scripts.giveScript.run(commands, { ...part, run_id, to, taken, units })),
    takeIn: (part, giving) =>
      ask(part, (run_id) => scripts.takeInScript.run(commands, { ...part, ...giving, run_id })),
    closeLinks: (part, other, number) =>
      ask(part, () => scripts.closeLinksScript.run(commands, { ...part, other, number })),
    owners: async () => {
      // The master of a cluster that keeps the list may be away: the items of the others must not stand still for it.
      const isAway = redis.isCluster && redis.runId(ITEMS_KEY) === undefined
      if (!isAway || known.length === 0)
        known = (await askFor(ITEMS_KEY, () => commands.smembers(ITEMS_KEY))).sort()
      return known
    },
  }
}

/** An item that is not split. */
export const whole = (item_id: ItemId): Part => ({ item_id, index: 0, of: 1 })

const keysOf = (part: Part) => itemKeys(partOwner(part))

/** A process that takes an item for whole that is split, or split otherwise, is fenced off all its parts. */
const tokenOf = ({ of }: Part, run_id: string) => (of === 1 ? run_id : `${run_id}/${of}`)

const MEANING: Record<RedisFailure, (error: unknown) => Error> = {
  refused: (cause) => new InventoryUnavailable('Redis did not take the command', { cause }),
  unknown: (cause) => new InventoryUnknown('Redis did not answer; the outcome is unknown', { cause }),
}

function explain(error: unknown): unknown {
  const failure = failureOf(error)
  return failure === undefined ? error : MEANING[failure](error)
}
