import { randomUUID } from 'node:crypto'
import type { ItemId, SaleId } from '../../contracts/ids.ts'
import type { Catalogue, Sale } from '../../flow/catalogue/catalogue.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/errors.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { KEEP_MS, liveKeys } from './keys.ts'
import { isLongOver, isOver } from './lifetime.ts'

/** What one process has counted of a sale since it started, or all processes together. */
export interface Counts {
  readonly requests: number
  readonly errors: number
  /** Answers to claims, by outcome. */
  readonly claims: Readonly<Record<string, number>>
}

const NONE: Counts = { requests: 0, errors: 0, claims: {} }

const merge = (one: Counts, other: Counts): Counts => {
  const claims = { ...one.claims }
  for (const [outcome, count] of Object.entries(other.claims))
    claims[outcome] = (claims[outcome] ?? 0) + count
  return { requests: one.requests + other.requests, errors: one.errors + other.errors, claims }
}

/** Names come from outside: more of them than there can be sales are not told apart. */
const MOST_NAMES = 1000
/** Requests that name no sale count for those that open within so long, and until they are long over. */
const BEFORE_MS = 3_600_000

/** Addresses that name a sale: the waiting room's, the shop's, and their pages. */
const NAMED = /^\/(?:api\/queue\/|api\/sales\/|checkout\/)([a-z0-9-]{1,64})(?:\/|$)/
export const saleNamedIn = (path: string): SaleId | undefined => NAMED.exec(path)?.[1]

export interface Counter {
  /** A request of a buyer has been answered. */
  answered(path: string, status: number): void
  /** Makes a function that answers claims one that counts what it answers. */
  claims<Command extends { item_id: ItemId }, Outcome extends { kind: string }>(
    claim: (command: Command) => Promise<Outcome>,
  ): (command: Command) => Promise<Outcome>
  /** Writes down what was counted since; nothing where nothing was. */
  flush(): Promise<void>
}

export interface CountingParts {
  readonly redis: Pick<RedisConnection, 'commands' | 'runId'>
  readonly catalogue: Pick<Catalogue, 'product' | 'sales'>
  readonly clock: Clock
}

/**
 * Counts in memory, which is all that a request or a claim pays, and writes the totals of this process down. Totals, not what was
 * added: writing them again after a lost answer, or to a Redis that has lost them, is right.
 */
export function createCounter({ redis, catalogue, clock }: CountingParts): Counter {
  const process = randomUUID().slice(0, 18)
  const totals = new Map<SaleId, Counts>()
  const unwritten = new Set<SaleId>()
  const overSince = new Map<SaleId, number>()
  let requests = new Map<SaleId | undefined, { requests: number; errors: number }>()
  let claims = new Map<ItemId, Map<string, number>>()

  const add = (sale: SaleId, counted: Counts) => {
    totals.set(sale, merge(totals.get(sale) ?? NONE, counted))
    unwritten.add(sale)
  }
  const countClaim = (item: ItemId, outcome: string) => {
    const of = claims.get(item) ?? new Map<string, number>()
    of.set(outcome, (of.get(outcome) ?? 0) + 1)
    if (claims.has(item) || claims.size < MOST_NAMES) claims.set(item, of)
  }
  /** What names no sale may be about any that is on. */
  const isOn = (sale: Sale, now: number): boolean => {
    if (now < sale.opens_at - BEFORE_MS) return false
    if (!isOver(sale, now)) return overSince.delete(sale.id) || true
    if (!totals.has(sale.id)) return false
    const since = overSince.get(sale.id) ?? now
    overSince.set(sale.id, since)
    return !isLongOver(sale, since, now)
  }

  /** From what came in to the totals of sales. */
  const sort = async () => {
    if (requests.size === 0 && claims.size === 0) return
    const sales = await catalogue.sales()
    const [answered, claimed] = [requests, claims]
    requests = new Map()
    claims = new Map()
    const known = new Set(sales.map(({ id }) => id))
    let nameless = NONE
    for (const [name, counted] of answered)
      if (name !== undefined && known.has(name)) add(name, { ...counted, claims: {} })
      else nameless = merge(nameless, { ...counted, claims: {} })
    if (nameless.requests > 0) for (const sale of sales) if (isOn(sale, clock.now())) add(sale.id, nameless)
    for (const [item, outcomes] of claimed) {
      const product = await catalogue.product(item).catch(() => undefined)
      if (product !== undefined) add(product.sale_id, { ...NONE, claims: Object.fromEntries(outcomes) })
    }
  }

  return {
    answered: (path, status) => {
      const name = saleNamedIn(path)
      const key = requests.has(name) || requests.size < MOST_NAMES ? name : undefined
      const counted = requests.get(key) ?? { requests: 0, errors: 0 }
      counted.requests += 1
      if (status >= 500) counted.errors += 1
      requests.set(key, counted)
    },
    claims: (claim) => async (command) => {
      try {
        const outcome = await claim(command)
        countClaim(command.item_id, outcome.kind)
        return outcome
      } catch (error) {
        // Who is refused before they claim anything has claimed nothing.
        if (!(error instanceof Problem)) countClaim(command.item_id, 'unavailable')
        throw error
      }
    },
    flush: async () => {
      await sort()
      // One by one a write that fails is one that is tried again; all of them leave in the same turn.
      const reachable = [...unwritten].filter((sale) => redis.runId(liveKeys.counts(sale)) !== undefined)
      const writes = reachable.map(async (sale) => {
        unwritten.delete(sale)
        try {
          const key = liveKeys.counts(sale)
          const replies = await redis.commands
            .multi()
            .hset(key, process, JSON.stringify(totals.get(sale)))
            .pexpire(key, KEEP_MS)
            .exec()
          for (const [error] of replies ?? []) if (error) throw error
        } catch (error) {
          unwritten.add(sale)
          throw error
        }
      })
      const failed = (await Promise.allSettled(writes)).find(({ status }) => status === 'rejected')
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason
    },
  }
}

/** What all processes together have counted of a sale. */
export async function readCounts({ commands }: Pick<RedisConnection, 'commands'>, sale: SaleId) {
  const written = Object.values(await commands.hgetall(liveKeys.counts(sale)))
  return written.map((text) => JSON.parse(text) as Counts).reduce(merge, NONE)
}
