import type { SaleId } from '../contracts/ids.ts'
import { createBatcher } from '../platform/batch.ts'
import type { Clock } from '../platform/clock.ts'
import { defineScript } from '../platform/lua.ts'
import type { RedisConnection } from '../platform/redis.ts'
import countSource from './count.lua' with { type: 'text' }
import type { GuardSettings } from './settings.ts'
import { cellsOf, type Counts, createSketch, type Visit } from './sketch.ts'

/**
 * How often somebody was seen: by address, network, device, fingerprint, user, ticket. Kept in Redis in a table of
 * fixed size per sale, so that ten million visitors cost no more memory than ten; a count may be too large, never
 * too small. While Redis is away each process counts for itself.
 */
export interface Signals {
  /** Counts the visits of one request and tells how often each was seen in this window. Never rejects. */
  count(sale: SaleId, counting: GuardSettings['counting'], request: CountRequest): Promise<Counts>
}

export interface CountRequest {
  readonly visits: readonly Visit[]
  /** What the request is towards the sums over all visitors. */
  readonly joins?: 0 | 1
  readonly enters?: 0 | 1
}

interface Counted {
  readonly visits: readonly { readonly add: 0 | 1; readonly cells: readonly number[] }[]
  readonly joins: number
  readonly enters: number
}

interface CountInput {
  readonly sale: SaleId
  readonly window_ms: number
  readonly cells: number
  readonly requests: readonly Counted[]
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

export const seenKey = (sale: SaleId, windowS: number, cells: number) =>
  `guard:{${sale}}:seen:${windowS}:${cells}`

export const countScript = defineScript({
  name: 'guard_count',
  source: countSource,
  keys: ({ sale, window_ms, cells }: CountInput) => [seenKey(sale, window_ms / 1000, cells)],
  args: ({ window_ms, cells, requests }) => [
    window_ms,
    cells,
    sum(requests.map(({ joins }) => joins)),
    sum(requests.map(({ enters }) => enters)),
    ...requests.flatMap(({ visits }) => visits.flatMap((visit) => [visit.add, ...visit.cells])),
  ],
  result: (reply, { requests }): Counts[] => {
    const [total = 0, joins = 0, enters = 0, ...counts] = reply as number[]
    let at = 0
    return requests.map(({ visits }) => ({
      ...{ total, joins, enters },
      seen: counts.slice(at, (at += visits.length)),
    }))
  },
})

/** A Lua call takes some 8000 values on its stack; a request has at most 8 visits of 4 cells of 4 values. */
const MAX_REQUESTS = 48

/** For how long the next ones do not wait for a Redis that has just failed. */
const REST_MS = 1000

/** What one sale counts with; made anew where its table's size is changed. */
interface Counter {
  readonly counting: GuardSettings['counting']
  readonly count: (request: Counted) => Promise<Counts>
}

export function createSignals(parts: {
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Keys the table, so that nobody outside can tell who shares whose cells. */
  readonly key: string
  readonly onError?: (error: unknown) => void
}): Signals {
  const { redis, clock, key, onError = () => undefined } = parts
  const counters = new Map<SaleId, Counter>()
  let restsUntil = 0

  const createCounter = (sale: SaleId, counting: GuardSettings['counting']): Counter => {
    const { window_s, cells } = counting
    const window_ms = window_s * 1000
    const inMemory = createSketch(cells, window_ms)
    const count = createBatcher(async (requests: readonly Counted[]) => {
      const alone = () =>
        requests.map(({ visits, joins, enters }) => inMemory.count(clock.now(), visits, { joins, enters }))
      if (clock.now() < restsUntil) return alone()
      try {
        return await countScript.run(redis.commands, { sale, window_ms, cells, requests })
      } catch (error) {
        onError(error)
        restsUntil = clock.now() + REST_MS
        return alone()
      }
    }, MAX_REQUESTS)
    return { counting, count }
  }

  return {
    count: (sale, counting, { visits, joins = 0, enters = 0 }) => {
      let counter = counters.get(sale)
      if (
        counter === undefined ||
        counter.counting.cells !== counting.cells ||
        counter.counting.window_s !== counting.window_s
      )
        counters.set(sale, (counter = createCounter(sale, counting)))
      return counter.count({
        visits: visits.map(({ name, add }) => ({ add, cells: cellsOf(key, name, counting.cells) })),
        joins,
        enters,
      })
    },
  }
}

/** What strangers in the same cells may have added to a count, on average. To be taken off where a number accuses. */
export const noise = (counts: Counts, cells: number): number => Math.floor(counts.total / cells)
