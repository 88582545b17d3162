import type { SaleId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import { Unavailable } from '../../platform/errors.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { MAIN_LANE } from './keys.ts'
import * as scripts from './scripts.ts'
import type { Line } from './scripts.ts'
import { type Moment, numbersOf, remember } from './speed.ts'
import { type LineNumbers, type QueueStatus, type SaleStock, statusOf } from './status.ts'

/** A sale's waiting room as this node saw it last. */
export interface Seen {
  readonly status: QueueStatus
  /** Of each lane; the main line under MAIN_LANE. */
  readonly lines: ReadonlyMap<string, Line>
  /** People in checkout who can take all there is. */
  readonly enough: number
}

interface Look {
  readonly read_at: number
  /** Of each lane, as this node has seen it go. */
  readonly moments: Map<string, readonly Moment[]>
  looking: boolean
  last: Seen | undefined
  seen: Promise<Seen | undefined>
}

/** Well under the second within which a change must be seen everywhere. */
export const STATUS_FRESH_MS = 200

export interface SightParts {
  readonly redis: RedisConnection
  readonly clock: Clock
  readonly catalogue: Pick<Catalogue, 'sale' | 'groups'>
  /** Units of a sale's items together. */
  readonly stock: (sale: SaleId) => Promise<SaleStock>
  /** By what the time between two polls is multiplied right now, for everybody. */
  readonly pollStretch?: () => number
}

/**
 * Looks at a waiting room at most once in `STATUS_FRESH_MS`, however many ask, and ties its lines to the stock while it
 * looks. `see` gives undefined for an unknown sale. While Redis is
 * away, hangs or has lost the waiting room, what was seen last goes on being told; rejects where that was nothing.
 */
export function createSight({ redis, clock, catalogue, stock, pollStretch = () => 1 }: SightParts) {
  const sights = new Map<SaleId, Look>()

  const look = async (id: SaleId, moments: Look['moments']): Promise<Seen | undefined> => {
    const sale = await catalogue.sale(id)
    if (sale === undefined) return undefined
    const [units, groups] = await Promise.all([stock(id), catalogue.groups(id)])
    const lines = new Map<string, Line>()
    const numbers: Record<string, LineNumbers> = {}
    const enough =
      units.total === 0 ? Number.MAX_SAFE_INTEGER : Math.ceil(units.available * sale.checkouts_per_unit)
    for (const lane of [MAIN_LANE, ...groups.map((group) => group.id)]) {
      const line = await scripts.read.run(redis.commands, { sale: id, lane })
      if (line === undefined) continue
      lines.set(lane, line)
      const seen = remember(moments.get(lane) ?? [], line)
      moments.set(lane, seen)
      numbers[lane] = numbersOf(line, seen)
      // A line stands still while those in checkout can take all there is, or are as many as there may be.
      const most = Math.min(enough, sale.checkout_cap ?? Infinity)
      const stopped = enough === 0 ? 'stock' : line.in_checkout >= most ? 'checkout' : 'no'
      await scripts.steer.run(redis.commands, { sale: id, lane, stopped })
    }
    const line = lines.get(MAIN_LANE)
    const { [MAIN_LANE]: main, ...lanes } = numbers
    // Lost by Redis, or not made yet: it will be there in a moment.
    if (line === undefined || main === undefined)
      throw new Unavailable(`the waiting room of ${id} is missing`)
    const status = statusOf({ line, numbers: main, lanes, stretch: pollStretch() }, units, sale)
    return { lines, enough, status }
  }

  /** Looks; where that takes long or fails while something was seen before, that is told meanwhile. */
  const lookAgain = (sale: SaleId, before: Look | undefined): Look => {
    const last = before?.last
    const moments = before?.moments ?? new Map<string, readonly Moment[]>()
    const sight: Look = { read_at: clock.now(), moments, looking: true, last, seen: Promise.resolve(last) }
    const answered = new AbortController()
    const looked = look(sale, moments).then(
      (seen) => (sight.last = seen),
      (error: unknown) => {
        if (last === undefined) throw error
        return last
      },
    )
    const patience = last && clock.sleep(STATUS_FRESH_MS, answered.signal).then(() => sight.last)
    sight.seen = Promise.race(patience === undefined ? [looked] : [looked, patience])
    // Unknown sales are not remembered, nor is a first look that failed.
    const done = (seen: Seen | undefined) => {
      sight.looking = false
      answered.abort()
      if (seen === undefined && sights.get(sale) === sight) sights.delete(sale)
    }
    looked.then(done, () => done(undefined))
    return sight
  }

  /** What was seen last, where that is fresh. */
  const atHand = (sale: SaleId): Seen | undefined => {
    const known = sights.get(sale)
    if (known === undefined || known.looking || clock.now() - known.read_at >= STATUS_FRESH_MS)
      return undefined
    return known.last
  }
  const see = (sale: SaleId): Promise<Seen | undefined> => {
    const known = sights.get(sale)
    if (known?.looking || (known && clock.now() - known.read_at < STATUS_FRESH_MS)) return known.seen
    const sight = lookAgain(sale, known)
    sights.set(sale, sight)
    return sight.seen
  }

  return { see, atHand, forget: (sale: SaleId) => void sights.delete(sale) }
}
export type Sight = ReturnType<typeof createSight>
