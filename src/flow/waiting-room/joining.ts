import { createHash } from 'node:crypto'
import type { SaleId } from '../../contracts/ids.ts'
import { inLane } from '../../contracts/place.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Arrive } from './arrivals.ts'
import { DECOY_LANE, MAIN_LANE } from './keys.ts'
import { expectedPosition, positionOf } from './place.ts'
import { clientKey } from './scripts.ts'
import type { Sight } from './sight.ts'
import { estimatedWaitS, type Phase, type QueueStatus } from './status.ts'
import { groupOf, type Slot, type Tickets, type Visitor } from './tickets.ts'

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

export interface JoiningParts {
  readonly clock: Clock
  readonly catalogue: Pick<Catalogue, 'groups'>
  readonly see: Sight['see']
  readonly tickets: Tickets
  readonly arrive: Arrive
}

/** Gives a place, or confirms the one that a ticket holds. */
export function createJoining({ clock, catalogue, see, tickets, arrive }: JoiningParts) {
  const decoyPosition = createDecoys()

  return async ({
    sale,
    visitor,
    ticket,
    client_key,
    code,
    decoy = false,
  }: JoinRequest): Promise<JoinOutcome> => {
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
      const behind = decoyPosition(sale, status)
      const place = status.phase === 'lobby' ? { lobby_index: behind } : { position: behind }
      const slot = { lane: DECOY_LANE, ...place }
      return answer('joined', tickets.issue(sale, slot, visitor), slot)
    }
    const lane = code === undefined ? MAIN_LANE : await laneOf(catalogue, sale, code)
    if (lane === undefined) return { kind: 'unknown_code' }
    const arrived = await arrive(sale, lane, {
      // Of this visitor alone: a key that two happen to choose gives nobody the other's place.
      client_key:
        client_key === undefined
          ? ''
          : clientKey(`${lane} ${visitor.device ?? visitor.network} ${client_key}`),
      entropy: `${visitor.device ?? ''} ${visitor.network} ${clock.now()}`,
    })
    if (arrived.kind === 'ended') return { kind: 'ended' }
    const { position, lobby_size } = arrived
    if (position === 0) return { kind: 'group_full' }
    // A join told again may have been in the lobby, although the sale has opened since.
    const early = position <= (lobby_size ?? Infinity)
    const slot = early ? { lane, lobby_index: position } : { lane, position }
    return answer('joined', tickets.issue(sale, slot, visitor), slot)
  }
}

async function laneOf(catalogue: Pick<Catalogue, 'groups'>, sale: SaleId, code: string) {
  const hash = groupCodeHash(sale, code)
  return (await catalogue.groups(sale)).find(({ code_hash }) => code_hash === hash)?.id
}

/** Codes are kept as hashes, each good for one sale. */
export function groupCodeHash(sale: SaleId, code: string): string {
  return createHash('sha256').update(`group code\n${sale}\n${code.trim()}`).digest('hex')
}

/**
 * A number as the next one in line would have, and no two the same while nobody else joins: bots that compare theirs
 * are told nothing by it.
 */
function createDecoys() {
  const given = new Map<SaleId, { behind: number; count: number }>()
  return (sale: SaleId, { last_position }: QueueStatus): number => {
    const last = given.get(sale)
    const count = last?.behind === last_position ? last.count + 1 : 1
    given.set(sale, { behind: last_position, count })
    return last_position + count
  }
}
