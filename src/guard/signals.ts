import type { SaleId } from '../contracts/ids.ts'
import { createBatcher } from '../platform/batch.ts'
import type { Clock } from '../platform/clock.ts'
import type { RedisConnection } from '../platform/redis.ts'
import type { GuardSettings } from './settings.ts'
import { cellsOf, createSketch, ROWS, wordsOf } from './sketch.ts'

/**
 * How often somebody was seen in this window: by address, network, device, fingerprint, user, ticket. Counted in tables
 * of fixed size, so that ten million visitors cost no more memory than ten. Each process counts for itself first; only
 * who comes more than twice to one is counted in Redis, for all nodes together, so the crowd that comes once does not
 * load the Redis that sells. While Redis is away each process goes on alone.
 */
export interface Signals {
  /** Counts the visits of one request. Never rejects. */
  count(sale: SaleId, counting: Counting, request: CountRequest): Promise<Counts>
}

export type Counting = GuardSettings['counting']

/** One thing to count: what a visitor does, by what they are known. `add: 0` only looks. */
export interface Visit {
  readonly name: string
  readonly add: 0 | 1
}

export interface CountRequest {
  readonly visits: readonly Visit[]
  /** What the request is towards the sums over all visitors. */
  readonly joins?: 0 | 1
  readonly enters?: 0 | 1
}

export interface Counts {
  /** For each visit how often it was seen, itself included: at least so often, up to 255, but for two a node. */
  readonly seen: readonly number[]
  /** The same without what strangers in the same cells may have added: what one may hold against somebody. */
  readonly surely: readonly number[]
  /** Of everybody, in this window. */
  readonly joins: number
  readonly enters: number
}

/** So often a process keeps a visitor to itself. */
export const KEPT_HERE = 2
/** The table in a process has so many times the cells of the common one: it holds everybody, that one who comes often. */
const ROOMIER = 4
/** For how long the next ones do not wait for a Redis that has just failed. */
const REST_MS = 1000
const MAX_REQUESTS = 64

export const seenKey = (sale: SaleId, { window_s, cells }: Counting) =>
  `guard:{${sale}}:seen:${window_s}:${cells}`

/** What one request asks of the common table: cells to add to, and the sums. */
interface Shared {
  readonly visits: readonly { readonly at: readonly number[]; readonly add: number }[]
  readonly joins: number
  readonly enters: number
}
interface SharedCounts {
  /** The smallest cell of each visit. */
  readonly seen: readonly number[]
  readonly noise: number
  readonly joins: number
  readonly enters: number
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

/** The common table: ROWS * cells bytes, then three u32: all additions, joins, enters. */
async function countInRedis(
  redis: RedisConnection,
  key: string,
  { window_s, cells }: Counting,
  requests: readonly Shared[],
): Promise<SharedCounts[]> {
  const visits = requests.flatMap((request) => request.visits)
  const sums = [
    visits.map(({ add }) => add),
    requests.map((one) => one.joins),
    requests.map((one) => one.enters),
  ]
  const base = ROWS * cells * 8
  const operations = [
    ...sums.flatMap((numbers, index) => ['INCRBY', 'u32', base + 32 * index, sum(numbers)]),
    ...visits.flatMap(({ at, add }) =>
      at.flatMap((cell) => (add === 0 ? ['GET', 'u8', `#${cell}`] : ['INCRBY', 'u8', `#${cell}`, add])),
    ),
  ]
  const [reply] = await Promise.all([
    redis.commands.call('BITFIELD', key, 'OVERFLOW', 'SAT', ...operations) as Promise<number[]>,
    redis.commands.call('PEXPIRE', key, window_s * 1000, 'NX'),
  ])
  const [total = 0, joins = 0, enters = 0] = reply
  let next = 3
  return requests.map((request) => ({
    ...{ joins, enters, noise: Math.floor(total / cells) },
    seen: request.visits.map(({ at }) => Math.min(...reply.slice(next, (next += at.length)))),
  }))
}

export function createSignals(parts: {
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Keys the tables, so that nobody outside can tell who shares whose cells. */
  readonly key: string
  readonly onError?: (error: unknown) => void
}): Signals {
  const { redis, clock, key, onError = () => undefined } = parts
  const counters = new Map<SaleId, ReturnType<typeof createCounter>>()
  let restsUntil = -Infinity

  /** What one sale counts with; made anew where its settings are changed. */
  const createCounter = (sale: SaleId, counting: Counting) => {
    const here = createSketch(ROOMIER * counting.cells, counting.window_s * 1000)
    let sums = { joins: 0, enters: 0 }
    const send = createBatcher(
      (requests: readonly Shared[]) => countInRedis(redis, seenKey(sale, counting), counting, requests),
      MAX_REQUESTS,
    )
    const together = async (request: Shared): Promise<SharedCounts | undefined> => {
      if (clock.now() < restsUntil) return undefined
      try {
        return await send(request)
      } catch (error) {
        if (clock.now() >= restsUntil) onError(error)
        restsUntil = clock.now() + REST_MS
        return undefined
      }
    }

    const count = async ({ visits, joins = 0, enters = 0 }: CountRequest): Promise<Counts> => {
      const now = clock.now()
      const own = visits.map(({ name, add }) => {
        const words = wordsOf(key, name)
        const count = here.count(now, cellsOf(words, ROOMIER * counting.cells), add)
        // The first that is told tells of those before it, too.
        const told = count === KEPT_HERE + 1 ? add * count : add
        return { at: cellsOf(words, counting.cells), count, add: told }
      })
      const shared = own.filter((visit) => visit.count > KEPT_HERE)
      const alone = own.map((visit) => visit.count)
      const counted =
        shared.length + joins + enters > 0 ? await together({ visits: shared, joins, enters }) : undefined
      if (counted === undefined) return { seen: alone, surely: alone, ...sums }
      sums = { joins: counted.joins, enters: counted.enters }
      const everywhere = new Map(shared.map((visit, index) => [visit, counted.seen[index] ?? 0]))
      return {
        ...sums,
        seen: own.map((visit) => Math.max(visit.count, everywhere.get(visit) ?? 0)),
        surely: own.map((visit) => Math.max(0, (everywhere.get(visit) ?? visit.count) - counted.noise)),
      }
    }
    return { counting, count }
  }

  return {
    count: (sale, counting, request) => {
      let counter = counters.get(sale)
      const fits =
        counter?.counting.cells === counting.cells && counter.counting.window_s === counting.window_s
      if (counter === undefined || !fits) counters.set(sale, (counter = createCounter(sale, counting)))
      return counter.count(request)
    },
  }
}
