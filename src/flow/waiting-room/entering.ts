import type { SaleId } from '../../contracts/ids.ts'
import { inLane } from '../../contracts/place.ts'
import type { Clock } from '../../platform/clock.ts'
import { Unavailable } from '../../platform/errors.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { batchersBy } from './batchers.ts'
import { DECOY_LANE } from './keys.ts'
import { positionOf } from './place.ts'
import * as scripts from './scripts.ts'
import type { Sight } from './sight.ts'
import { estimatedWaitS } from './status.ts'
import { groupOf, type Tickets, type Visitor } from './tickets.ts'

export type EnterOutcome =
  | { readonly kind: 'entered'; readonly pass: string; readonly expires_at: number }
  /** `wait_s` null: nobody can know. */
  | { readonly kind: 'too_early'; readonly position: number | undefined; readonly wait_s: number | null }
  | {
      readonly kind:
        | 'unknown_sale'
        | 'ticket_invalid'
        | 'ticket_expired'
        | 'ticket_foreign'
        | 'turn_lapsed'
        | 'sold_out'
        | 'paused'
        | 'ended'
    }

export interface EnterRequest {
  readonly sale: SaleId
  readonly ticket: string
  readonly visitor: Visitor
}

export interface EnteringParts {
  readonly redis: RedisConnection
  readonly clock: Clock
  readonly catalogue: Pick<Catalogue, 'sale'>
  readonly see: Sight['see']
  readonly tickets: Tickets
  /** How long somebody in checkout counts after a sign of life. */
  readonly slotMs: number
}

/** How long a full house makes one wait before asking again. */
const FULL_WAIT_S = 1

/** As many tries go to Redis together: a few tenths of a millisecond of its time. */
const BATCH = 64

/** Exchanges a ticket whose turn has come for a pass. Tries of one event-loop turn are decided together, in their order. */
export function createEntering({ redis, clock, catalogue, see, tickets, slotMs }: EnteringParts) {
  const enterOf = batchersBy(async ([id, lane]: readonly [SaleId, string], positions: readonly number[]) => {
    // Looked up as they leave: nobody is decided by older numbers than alone.
    const [sale, seen] = await Promise.all([catalogue.sale(id), see(id)])
    if (sale === undefined || seen === undefined) throw new Unavailable(`the sale ${id} is gone`)
    const results = await scripts.enter.run(redis.commands, {
      ...{ sale: id, lane, positions },
      lifetime_ms: milliseconds(sale.pass_s),
      window_ms: milliseconds(sale.turn_s),
      slot_ms: slotMs,
      cap: sale.checkout_cap ?? Number.MAX_SAFE_INTEGER,
      enough: seen.enough,
      units: seen.status.total === 0 ? Number.MAX_SAFE_INTEGER : seen.status.available,
    })
    return results.map((result) => ({ ...result, pass_s: sale.pass_s }))
  }, BATCH)

  return async ({ sale: id, ticket, visitor }: EnterRequest): Promise<EnterOutcome> => {
    const seen = await see(id)
    if (seen === undefined) return { kind: 'unknown_sale' }
    const held = tickets.read(id, ticket, visitor)
    if (held.kind !== 'valid') return { kind: held.kind }
    const { lane } = held.slot
    const position = positionOf(held.slot, seen.lines.get(lane)?.lobby)
    if (position === undefined || lane === DECOY_LANE) return { kind: 'too_early', position, wait_s: null }
    const result = await enterOf(id, lane)(position)
    switch (result.kind) {
      case 'entered': {
        const given = tickets.issuePass(
          id,
          { lane, position, bound: held.bound },
          result.issued_at,
          result.pass_s,
        )
        return given.expires_at <= clock.now() ? { kind: 'turn_lapsed' } : { kind: 'entered', ...given }
      }
      case 'too_early':
      case 'full': {
        if (seen.status.phase === 'sold_out') return { kind: 'sold_out' }
        const wait = estimatedWaitS(inLane(seen.status, groupOf(held.slot)), position)
        return { kind: 'too_early', position, wait_s: result.kind === 'full' ? FULL_WAIT_S : wait }
      }
      case 'unloaded':
        throw new Unavailable(`the waiting room of ${id} is missing`)
      case 'turn_lapsed':
      case 'paused':
      case 'ended':
        return { kind: result.kind }
    }
  }
}

function milliseconds(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000))
}
