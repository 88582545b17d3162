import { randomUUID } from 'node:crypto'
import type { SaleId, UserId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { batchersBy } from './batchers.ts'
import { keys, memberOf, type Place } from './keys.ts'
import {
  type BindResult,
  bindPasses,
  lookPasses,
  type PassUse,
  unbindPass,
  type UsedPlace,
} from './pass-scripts.ts'
import { shortHash, type Tickets, type Visitor } from './tickets.ts'

export type PassOutcome =
  | { readonly kind: 'bound' | 'repeated'; readonly order_id: string; readonly place: UsedPlace }
  | { readonly kind: 'pass_invalid' | 'pass_expired' | 'pass_foreign' | 'pass_used' | 'key_reused' }
  /** Only looked at: the pass is good, and no request has used it. */
  | { readonly kind: 'unused' }

/** What a claim says about itself when it shows its pass. */
export interface PassRequest {
  readonly pass: string
  readonly sale: SaleId
  readonly user_id: UserId
  readonly visitor: Visitor
  readonly idempotency_key: string
  /** What is asked for, in one canonical spelling. */
  readonly body: string
  /** The id the order gets if the pass is free. */
  readonly order_id: string
  /** Bind nothing, only tell whether this very request was made before: costs no write. */
  readonly only_look: boolean
}

export interface Passes {
  /**
   * Whether this is surely no pass that a claim was made with: it names a place whose pass nobody has used. Unchecked, so it
   * says nothing about who shows it; false where only `usePass` can tell.
   */
  isUnused(sale: SaleId, pass: string): Promise<boolean>
  /** Binds a pass to one request; see bind-passes.lua. */
  usePass(request: PassRequest): Promise<PassOutcome>
  /** Frees a pass whose claim was refused; goes on trying where Redis does not answer. Never rejects. */
  freePass(place: UsedPlace, order_id: string): Promise<void>
  /** Whoever has bought or given up makes room in checkout for the next one. */
  leaveCheckout(place: Place): Promise<void>
}

export interface PassParts {
  readonly redis: RedisConnection
  readonly tickets: Tickets
  /** How long somebody in checkout counts after a sign of life. */
  readonly slotMs: number
  readonly clock: Clock
}

/** How long a refused claim waits for its pass to be free, and how often that is tried, in all half a minute. */
const FREE_MS = 1500
const TRIES = 9
/** How long another request is waited for that has the pass. */
const WAITS_MS = [150, 300, 600]

export function createPasses({ redis, tickets, slotMs, clock }: PassParts): Passes {
  const process = randomUUID()
  let uses = 0

  const { commands } = redis
  const bindOf = batchersBy(([sale]: readonly [SaleId], uses: readonly PassUse[]) =>
    bindPasses.run(commands, { sale, slot_ms: slotMs, uses }),
  )
  const lookOf = batchersBy((_: readonly [SaleId], places: readonly Place[]) =>
    lookPasses.run(commands, { places }),
  )
  const leaveOf = batchersBy(async ([sale]: readonly [SaleId], places: readonly Place[]) => {
    await commands.zrem(keys.checkouts(sale), ...places.map(memberOf))
    return places.map(() => undefined)
  })

  const end = async (place: UsedPlace, order_id: string): Promise<void> => {
    for (let tried = 0; tried < TRIES; tried += 1) {
      if (tried > 0) await clock.sleep(50 * 2 ** tried)
      const done = await unbindPass.run(commands, { ...place, order_id }).catch(() => undefined)
      if (done !== undefined) return
    }
  }

  return {
    isUnused: async (sale, pass) => {
      const place = tickets.placeIn(sale, pass)
      return place !== undefined && (await lookOf(sale)({ sale, ...place })) === 'unused'
    },
    usePass: async ({ pass, sale, user_id, visitor, idempotency_key, body, order_id, only_look }) => {
      const reading = tickets.readPass(sale, pass, visitor)
      if (reading.kind !== 'valid' && reading.kind !== 'expired') return { kind: reading.kind }
      const { lane, position } = reading
      const place = { sale, lane, position, use: `${process}.${++uses}` }
      const bind = () =>
        bindOf(sale)({
          use: place.use,
          lane,
          position,
          order_id,
          user_id,
          key: shortHash(idempotency_key),
          body: shortHash(body),
          look_up: only_look || reading.kind === 'expired',
        })
      const settle = async (tried = 0): Promise<BindResult> => {
        const result = await bind()
        // The other request may have been refused, and its pass be free in a moment.
        if (result.kind !== 'used' || only_look || tried === WAITS_MS.length) return result
        await clock.sleep(WAITS_MS[tried] ?? 0)
        return settle(tried + 1)
      }
      const result = await settle().catch((error: unknown) => {
        // It may be bound all the same, for a claim that is not made now.
        void end(place, order_id)
        throw error
      })
      switch (result.kind) {
        case 'bound':
        case 'repeated':
          return { kind: result.kind, order_id: result.order_id, place }
        case 'expired':
          return { kind: only_look && reading.kind === 'valid' ? 'unused' : 'pass_expired' }
        case 'foreign':
          return { kind: 'pass_foreign' }
        case 'used':
          return { kind: reading.kind === 'expired' ? 'pass_expired' : 'pass_used' }
        case 'key_reused':
          return { kind: 'key_reused' }
      }
    },
    freePass: async (place, order_id) => {
      const waited = new AbortController()
      await Promise.race([end(place, order_id), clock.sleep(FREE_MS, waited.signal)])
      waited.abort()
    },
    leaveCheckout: (place) => leaveOf(place.sale)(place),
  }
}
