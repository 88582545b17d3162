import type { SaleId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Tokens } from '../../platform/tokens.ts'
import type { Catalogue, Group, Sale } from '../catalogue/catalogue.ts'
import { createArrivals } from './arrivals.ts'
import { createEntering, type EnterOutcome, type EnterRequest } from './entering.ts'
import { createJoining, type JoinOutcome, type JoinRequest } from './joining.ts'
import { MAIN_LANE } from './keys.ts'
import { createPasses, type Passes } from './passes.ts'
import * as scripts from './scripts.ts'
import type { Beginning, Line, Steering } from './scripts.ts'
import { createRecovery } from './recovery.ts'
import { createSight } from './sight.ts'
import type { MarkStore } from './sql.ts'
import type { QueueStatus, SaleStock } from './status.ts'
import { createTickets } from './tickets.ts'

export { PHASES, type Phase, phaseOf, type PublicDraw, type QueueStatus, type SaleStock } from './status.ts'
export type { PassOutcome, PassRequest } from './passes.ts'
export type { EnterOutcome } from './entering.ts'
export { groupCodeHash, type JoinOutcome, type JoinRequest } from './joining.ts'
export { type MarkStore, sqlMarkStore } from './sql.ts'
export { STATUS_FRESH_MS } from './sight.ts'
export type { Line, Steering } from './scripts.ts'
export type { Place } from './keys.ts'
export type { Visitor } from './tickets.ts'

export interface WaitingRoom extends Passes {
  /** The public status, at most `STATUS_FRESH_MS` old; undefined for an unknown sale. */
  status(sale: SaleId): Promise<QueueStatus | undefined>
  /** The same where it is known already and fresh; undefined where it has to be looked up. */
  statusAtHand(sale: SaleId): QueueStatus | undefined
  /** Whether a valid ticket comes along: such a join changes nothing. */
  hasPlace(request: Pick<JoinRequest, 'sale' | 'visitor' | 'ticket'>): boolean
  join(request: JoinRequest): Promise<JoinOutcome>
  enter(request: EnterRequest): Promise<EnterOutcome>
  /** Opens the main line and the lanes of the groups, where they are missing. */
  create(sale: Sale, groups: readonly Group[], drawSecret: string | null): Promise<'created' | 'exists'>
  /** Steers the main line; `state`, `opens_at` and `ends_at` go for the lanes of groups too. */
  steer(sale: SaleId, steering: Steering): Promise<'changed' | 'same' | 'opened' | 'unloaded'>
  /** How the main line begins; `taken` once anybody has a place in it. */
  amend(sale: SaleId, beginning: Beginning): Promise<'amended' | 'same' | 'taken' | 'unloaded'>
  /**
   * Notes how far the lines are, reserves positions ahead, or recovers lines where Redis is another process since: about
   * once a second, by anybody. False
   * where a line is missing; `create` makes it anew from what was noted.
   */
  keep(sale: SaleId): Promise<boolean>
  /** The main line as its operator sees it. */
  line(sale: SaleId): Promise<Line | undefined>
  /** The main line first, then those of the groups; undefined where the main one is missing. */
  lines(sale: SaleId): Promise<readonly [Line, ...Line[]] | undefined>
}

/** Somebody in checkout who gives no sign of life counts so long. */
const SLOT_MS = 45_000

export interface WaitingRoomParts {
  readonly redis: RedisConnection
  readonly tokens: Tokens
  readonly clock: Clock
  readonly catalogue: Pick<Catalogue, 'sale' | 'groups'>
  readonly marks: MarkStore
  /** Units of a sale's items together. */
  readonly stock: (sale: SaleId) => Promise<SaleStock>
  readonly pollStretch?: () => number
}

export function createWaitingRoom(parts: WaitingRoomParts): WaitingRoom {
  const { redis, clock, catalogue } = parts
  const tickets = createTickets(parts)
  const passes = createPasses({ redis, tickets, clock, slotMs: SLOT_MS })
  const { see, atHand, forget } = createSight(parts)
  const recovery = createRecovery(parts)
  const line = (sale: SaleId, lane = MAIN_LANE) => scripts.read.run(redis.commands, { sale, lane })

  return {
    ...passes,
    keep: recovery.keep,
    status: async (sale) => (await see(sale))?.status,
    statusAtHand: (sale) => atHand(sale)?.status,
    line: (sale) => line(sale),
    lines: async (sale) => {
      const lanes = (await catalogue.groups(sale)).map(({ id }) => id)
      const [main, ...others] = await Promise.all([line(sale), ...lanes.map((lane) => line(sale, lane))])
      return main && [main, ...others.filter((one) => one !== undefined)]
    },

    hasPlace: ({ sale, visitor, ticket }) =>
      ticket !== undefined && tickets.read(sale, ticket, visitor).kind === 'valid',
    join: createJoining({
      clock,
      catalogue,
      see,
      tickets,
      arrive: createArrivals({ redis, raise: recovery.raise }),
    }),
    enter: createEntering({ redis, clock, catalogue, see, tickets, slotMs: SLOT_MS }),
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
      const created = await scripts.create.run(redis.commands, {
        ...common,
        lane: MAIN_LANE,
        rate: sale.rate_per_second,
        places: null,
        threshold: sale.standby_threshold,
        secret,
      })
      await recovery.recover(id, [MAIN_LANE, ...groups.map((group) => group.id)])
      return created
    },
    amend: async (sale, beginning) => {
      const result = await scripts.amend.run(redis.commands, { sale, lane: MAIN_LANE, ...beginning })
      forget(sale)
      return result
    },
    steer: async (sale, steering) => {
      const { state, stopped, opens_at, ends_at } = steering
      for (const { id: lane } of await catalogue.groups(sale))
        await scripts.steer.run(redis.commands, {
          ...{ sale, lane },
          ...(state === undefined ? {} : { state }),
          ...(stopped === undefined ? {} : { stopped }),
          ...(opens_at === undefined ? {} : { opens_at }),
          ...(ends_at === undefined ? {} : { ends_at }),
        })
      const result = await scripts.steer.run(redis.commands, { sale, lane: MAIN_LANE, ...steering })
      forget(sale)
      return result
    },
  }
}
