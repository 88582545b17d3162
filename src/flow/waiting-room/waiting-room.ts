import { createHash } from 'node:crypto'
import type { SaleId } from '../../contracts/ids.ts'
import { inLane } from '../../contracts/place.ts'
import type { Clock } from '../../platform/clock.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Tokens } from '../../platform/tokens.ts'
import type { Catalogue, Group, Sale } from '../catalogue/catalogue.ts'
import { createArrivals } from './arrivals.ts'
import { DECOY_LANE, MAIN_LANE } from './keys.ts'
import { createPasses, type Passes } from './passes.ts'
import { expectedPosition, positionOf } from './place.ts'
import * as scripts from './scripts.ts'
import type { Line, Steering } from './scripts.ts'
import { createSight } from './sight.ts'
import { estimatedWaitS, type Phase, type QueueStatus, type SaleStock } from './status.ts'
import { createTickets, type Slot, type Visitor } from './tickets.ts'

export { PHASES, type Phase, type PublicDraw, type QueueStatus, type SaleStock } from './status.ts'
export type { PassOutcome, PassRequest } from './passes.ts'
export { STATUS_FRESH_MS } from './sight.ts'
export type { Steering } from './scripts.ts'
export type { Place } from './keys.ts'
export type { Visitor } from './tickets.ts'

export type JoinOutcome =
  | {
      /** `kept`: a valid ticket came along, its place is the same as before. */
      readonly kind: 'joined' | 'kept'
      readonly ticket: string
      readonly phase: Phase
      /** Known from the opening on. */
      readonly position: number | undefined
      readonly lobby_index: number | undefined
      /** Of a group. */
      readonly lane: string | undefined
      readonly estimated_wait_s: number | null
    }
  | { readonly kind: 'not_yet'; readonly wait_s: number }
  | { readonly kind: 'unknown_sale' | 'unknown_code' | 'group_full' | 'sold_out' | 'ended' }

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

export interface JoinRequest {
  readonly sale: SaleId
  readonly visitor: Visitor
  readonly ticket?: string | undefined
  /** Repeated when the client asks again for want of an answer. */
  readonly client_key?: string | undefined
  /** Of a group with a lane of its own. */
  readonly code?: string | undefined
  /** Answer as if, with a place that leads nowhere and takes nobody's. */
  readonly decoy?: boolean
}

export interface WaitingRoom extends Passes {
  /** The public status, at most `STATUS_FRESH_MS` old; undefined for an unknown sale. */
  status(sale: SaleId): Promise<QueueStatus | undefined>
  /** Whether a valid ticket comes along: such a join changes nothing. */
  hasPlace(request: Pick<JoinRequest, 'sale' | 'visitor' | 'ticket'>): boolean
  join(request: JoinRequest): Promise<JoinOutcome>
  enter(request: { sale: SaleId; ticket: string; visitor: Visitor }): Promise<EnterOutcome>
  /** Opens the main line and the lanes of the groups, where they are missing. */
  create(sale: Sale, groups: readonly Group[], drawSecret: string | null): Promise<'created' | 'exists'>
  /** Steers the main line; `state` and `opens_at` go for the lanes of groups too. */
  steer(sale: SaleId, steering: Steering): Promise<'changed' | 'same' | 'opened' | 'unloaded'>
  /** The main line as its operator sees it. */
  line(sale: SaleId): Promise<Line | undefined>
}

/** Somebody in checkout who gives no sign of life counts so long. */
const SLOT_MS = 45_000
/** How long a full house makes one wait before asking again. */
const FULL_WAIT_S = 1

export interface WaitingRoomParts {
  readonly redis: RedisConnection
  readonly tokens: Tokens
  readonly clock: Clock
  readonly catalogue: Pick<Catalogue, 'sale' | 'groups'>
  /** Units of a sale's items together. */
  readonly stock: (sale: SaleId) => Promise<SaleStock>
}

export function createWaitingRoom(parts: WaitingRoomParts): WaitingRoom {
  const { redis, clock, catalogue } = parts
  const tickets = createTickets(parts)
  const passes = createPasses({ redis, tickets, slotMs: SLOT_MS })
  const { see, forget } = createSight(parts)
  const takePlace = createArrivals(parts)

  return {
    ...passes,
    status: async (sale) => (await see(sale))?.status,
    line: (sale) => scripts.read.run(redis.commands, { sale, lane: MAIN_LANE }),

    hasPlace: ({ sale, visitor, ticket }) =>
      ticket !== undefined && tickets.read(sale, ticket, visitor).kind === 'valid',
    join: async ({ sale, visitor, ticket, client_key, code, decoy = false }) => {
      const seen = await see(sale)
      if (seen === undefined) return { kind: 'unknown_sale' }
      const { status } = seen
      const answer = (kind: 'joined' | 'kept', signed: string, slot: Slot): JoinOutcome => {
        const lobby = seen.lines.get(slot.lane)?.lobby
        const lane = groupOf(slot)
        const here = inLane(status, lane)
        const expected = expectedPosition(slot, lobby, here)
        return {
          kind,
          ticket: signed,
          phase: status.phase,
          position: positionOf(slot, lobby),
          lobby_index: slot.lobby_index,
          lane,
          estimated_wait_s: expected === undefined ? null : estimatedWaitS(here, expected),
        }
      }
      if (ticket !== undefined) {
        const held = tickets.read(sale, ticket, visitor)
        if (held.kind === 'valid') return answer('kept', ticket, held.slot)
      }
      if (status.phase === 'sold_out') return { kind: 'sold_out' }
      if (status.phase === 'ended' || status.phase === 'post_sale') return { kind: 'ended' }
      if (status.phase === 'scheduled')
        return { kind: 'not_yet', wait_s: ((status.lobby_opens_at ?? 0) - status.server_time) / 1000 }
      if (decoy) {
        const behind = status.last_position + 1
        const place = status.phase === 'lobby' ? { lobby_index: behind } : { position: behind }
        const slot = { lane: DECOY_LANE, ...place }
        return answer('joined', tickets.issue(sale, slot, visitor), slot)
      }
      const lane = code === undefined ? MAIN_LANE : await laneOf(catalogue, sale, code)
      if (lane === undefined) return { kind: 'unknown_code' }
      const { result, position } = await takePlace(sale, lane, {
        // Of this visitor alone: a key that two happen to choose gives nobody the other's place.
        client_key:
          client_key === undefined
            ? ''
            : scripts.clientKey(`${lane} ${visitor.device ?? visitor.network} ${client_key}`),
        entropy: `${visitor.device ?? ''} ${visitor.network} ${clock.now()}`,
      })
      if (result.kind !== 'joined') return { kind: result.kind === 'ended' ? 'ended' : 'unknown_sale' }
      if (position === 0) return { kind: 'group_full' }
      // A join told again may have been in the lobby, although the sale has opened since.
      const early = position <= (result.lobby_size ?? Infinity)
      const slot = early ? { lane, lobby_index: position } : { lane, position }
      return answer('joined', tickets.issue(sale, slot, visitor), slot)
    },

    enter: async ({ sale: id, ticket, visitor }) => {
      const [sale, seen] = await Promise.all([catalogue.sale(id), see(id)])
      if (sale === undefined || seen === undefined) return { kind: 'unknown_sale' }
      const held = tickets.read(id, ticket, visitor)
      if (held.kind !== 'valid') return { kind: held.kind }
      const { lane } = held.slot
      const position = positionOf(held.slot, seen.lines.get(lane)?.lobby)
      if (position === undefined || lane === DECOY_LANE) return { kind: 'too_early', position, wait_s: null }
      const result = await scripts.enter.run(redis.commands, {
        ...{ sale: id, lane, position },
        lifetime_ms: milliseconds(sale.pass_s),
        window_ms: milliseconds(sale.turn_s),
        slot_ms: SLOT_MS,
        cap: sale.checkout_cap ?? Number.MAX_SAFE_INTEGER,
        enough: seen.enough,
        units: seen.status.total === 0 ? Number.MAX_SAFE_INTEGER : seen.status.available,
      })
      switch (result.kind) {
        case 'entered': {
          const given = tickets.issuePass(
            id,
            { lane, position, bound: held.bound },
            result.issued_at,
            sale.pass_s,
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
          return { kind: 'unknown_sale' }
        case 'turn_lapsed':
        case 'paused':
        case 'ended':
          return { kind: result.kind }
      }
    },

    create: async (sale, groups, secret) => {
      const { id, opens_at, ends_at, state } = sale
      const common = { sale: id, opens_at, ends_at, state }
      for (const group of groups)
        await scripts.create.run(redis.commands, {
          ...common,
          lane: group.id,
          rate: group.rate_per_second,
          places: group.places,
          threshold: null,
          secret: null,
        })
      return scripts.create.run(redis.commands, {
        ...common,
        lane: MAIN_LANE,
        rate: sale.rate_per_second,
        places: null,
        threshold: sale.standby_threshold,
        secret,
      })
    },
    steer: async (sale, steering) => {
      const { state, stopped, opens_at } = steering
      for (const { id: lane } of await catalogue.groups(sale))
        await scripts.steer.run(redis.commands, {
          ...{ sale, lane },
          ...(state === undefined ? {} : { state }),
          ...(stopped === undefined ? {} : { stopped }),
          ...(opens_at === undefined ? {} : { opens_at }),
        })
      const result = await scripts.steer.run(redis.commands, { sale, lane: MAIN_LANE, ...steering })
      forget(sale)
      return result
    },
  }
}

/** Only members of a group are told which line they stand in. */
function groupOf({ lane }: Slot): string | undefined {
  return lane === MAIN_LANE || lane === DECOY_LANE ? undefined : lane
}

async function laneOf(catalogue: Pick<Catalogue, 'groups'>, sale: SaleId, code: string) {
  const hash = groupCodeHash(sale, code)
  return (await catalogue.groups(sale)).find(({ code_hash }) => code_hash === hash)?.id
}

/** Codes are kept as hashes, each good for one sale. */
export function groupCodeHash(sale: SaleId, code: string): string {
  return createHash('sha256').update(`group code\n${sale}\n${code.trim()}`).digest('hex')
}

function milliseconds(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000))
}
