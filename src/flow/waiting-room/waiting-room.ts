import { createHash } from 'node:crypto'
import type { SaleId, UserId } from '../../contracts/ids.ts'
import { createBatcher } from '../../platform/batch.ts'
import type { Clock } from '../../platform/clock.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Tokens, Verified } from '../../platform/tokens.ts'
import type { Catalogue, Sale } from '../catalogue/catalogue.ts'
import * as scripts from './scripts.ts'
import type { BindResult, JoinResult, PassUse, Steering } from './scripts.ts'
import { estimatedWaitS, type Phase, type QueueStatus, type SaleStock, statusOf } from './status.ts'

export type { QueueStatus, SaleStock } from './status.ts'
export type { PassUse, Steering } from './scripts.ts'

interface TicketClaims {
  readonly pos: number
  /** Hash of the device the ticket was issued to. */
  readonly dev: string
}
interface PassClaims extends TicketClaims {
  readonly jti: string
}

export type JoinOutcome =
  | {
      /** `kept`: a valid ticket came along, its place is the same as before. */
      readonly kind: 'joined' | 'kept'
      readonly ticket: string
      readonly position: number
      readonly phase: Phase
      readonly estimated_wait_s: number | null
    }
  | { readonly kind: 'unknown_sale' | 'sold_out' | 'ended' }

export type EnterOutcome =
  | { readonly kind: 'entered'; readonly pass: string; readonly expires_at: number }
  | { readonly kind: 'too_early'; readonly position: number; readonly wait_s: number | null }
  | {
      readonly kind:
        'unknown_sale' | 'ticket_invalid' | 'ticket_foreign' | 'turn_lapsed' | 'sold_out' | 'paused' | 'ended'
    }

export type PassOutcome =
  | { readonly kind: 'bound' | 'repeated'; readonly order_id: string; readonly position: number }
  | { readonly kind: 'pass_invalid' | 'pass_expired' | 'pass_foreign' | 'pass_used' | 'key_reused' }

/** What a claim says about itself when it shows its pass. */
export interface PassRequest {
  readonly pass: string
  readonly sale: SaleId
  readonly user_id: UserId
  /** Device id as given to `join`; checked where the client sends it. */
  readonly device: string | undefined
  readonly idempotency_key: string
  /** What is asked for, in one canonical spelling. */
  readonly body: string
  /** The id the order gets if the pass is free. */
  readonly order_id: string
}

export interface WaitingRoom {
  /** The public status, at most `STATUS_FRESH_MS` old; undefined for an unknown sale. */
  status(sale: SaleId): Promise<QueueStatus | undefined>
  join(request: { sale: SaleId; device: string; ticket?: string | undefined }): Promise<JoinOutcome>
  enter(request: { sale: SaleId; ticket: string; device?: string | undefined }): Promise<EnterOutcome>
  /** Binds a pass to one request; see bind-passes.lua. */
  usePass(request: PassRequest): Promise<PassOutcome>
  /** Frees a pass whose claim was refused. */
  freePass(sale: SaleId, position: number, order_id: string): Promise<void>
  create(sale: Sale): Promise<'created' | 'exists'>
  steer(sale: SaleId, steering: Steering): Promise<'changed' | 'same' | 'unloaded'>
}

/** Well under the second within which a change must be seen everywhere. */
export const STATUS_FRESH_MS = 200
const TICKET_LIFETIME_S = 7 * 24 * 3600

export interface WaitingRoomParts {
  readonly redis: RedisConnection
  readonly tokens: Tokens
  readonly clock: Clock
  readonly catalogue: Pick<Catalogue, 'sale'>
  /** Units of a sale's items together. */
  readonly stock: (sale: SaleId) => Promise<SaleStock>
}

export function createWaitingRoom({ redis, tokens, clock, catalogue, stock }: WaitingRoomParts): WaitingRoom {
  const nowS = () => Math.floor(clock.now() / 1000)
  const joiners = new Map<SaleId, (request: undefined) => Promise<{ result: JoinResult; position: number }>>()
  const binders = new Map<SaleId, (use: PassUse) => Promise<BindResult>>()
  const statuses = new Map<SaleId, { read_at: number; status: Promise<QueueStatus | undefined> }>()

  const readStatus = async (sale: SaleId): Promise<QueueStatus | undefined> => {
    const known = await catalogue.sale(sale)
    if (known === undefined) return undefined
    const units = await stock(sale)
    // Admission is tied to stock: the line stands still while there is nothing to be had at its end.
    await scripts.steer.run(redis.commands, { sale, stopped: units.total > 0 && units.available === 0 })
    const line = await scripts.read.run(redis.commands, { sale })
    return line && statusOf(line, units, known.message)
  }
  const status = (sale: SaleId) => {
    const cached = statuses.get(sale)
    if (cached !== undefined && clock.now() - cached.read_at < STATUS_FRESH_MS) return cached.status
    const entry = { read_at: clock.now(), status: readStatus(sale) }
    // While Redis is away the last known status goes on being served; unknown sales are not remembered.
    entry.status = entry.status.catch((error: unknown) => {
      if (cached === undefined) throw error
      return cached.status
    })
    entry.status.then(
      (value) => value ?? statuses.delete(sale),
      () => statuses.delete(sale),
    )
    statuses.set(sale, entry)
    return entry.status
  }

  const readTicket = (sale: SaleId, ticket: string, device: string | undefined) => {
    const verified: Verified<TicketClaims> = tokens.verify('ticket', ticket, nowS())
    if (verified.kind !== 'valid') return { kind: 'ticket_invalid' as const }
    const { claims } = verified
    if (claims.aud !== sale) return { kind: 'ticket_foreign' as const }
    if (device !== undefined && deviceHash(device) !== claims.dev) return { kind: 'ticket_foreign' as const }
    return { kind: 'valid' as const, claims }
  }

  const takePlace = (sale: SaleId) => {
    let joiner = joiners.get(sale)
    if (joiner === undefined) {
      joiner = createBatcher(async (requests: readonly undefined[]) => {
        const result = await scripts.join.run(redis.commands, { sale, count: requests.length })
        const first = result.kind === 'joined' ? result.first : 0
        return requests.map((_, index) => ({ result, position: first + index }))
      }, 1024)
      joiners.set(sale, joiner)
    }
    return joiner(undefined)
  }

  return {
    status,
    join: async ({ sale, device, ticket }) => {
      const now = await status(sale)
      if (now === undefined) return { kind: 'unknown_sale' }
      const described = (kind: 'joined' | 'kept', signed: string, position: number): JoinOutcome => ({
        kind,
        ticket: signed,
        position,
        phase: now.phase,
        estimated_wait_s: estimatedWaitS(now, position),
      })
      if (ticket !== undefined) {
        const held = readTicket(sale, ticket, device)
        if (held.kind === 'valid') return described('kept', ticket, held.claims.pos)
      }
      if (now.phase === 'sold_out' || now.phase === 'ended') return { kind: now.phase }
      const { result, position } = await takePlace(sale)
      if (result.kind === 'unloaded') return { kind: 'unknown_sale' }
      if (result.kind === 'ended') return { kind: 'ended' }
      const iat = nowS()
      const claims = { aud: sale, iat, exp: iat + TICKET_LIFETIME_S, pos: position, dev: deviceHash(device) }
      return described('joined', tokens.sign('ticket', claims), position)
    },

    enter: async ({ sale, ticket, device }) => {
      const known = await catalogue.sale(sale)
      const now = await status(sale)
      if (known === undefined || now === undefined) return { kind: 'unknown_sale' }
      const held = readTicket(sale, ticket, device)
      if (held.kind !== 'valid') return held
      const { pos, dev } = held.claims
      const result = await scripts.enter.run(redis.commands, {
        sale,
        position: pos,
        lifetime_ms: Math.max(1, Math.round(known.pass_s * 1000)),
      })
      switch (result.kind) {
        case 'entered': {
          const iat = Math.floor(result.issued_at / 1000)
          // Rounded up: nobody gets less time than was promised.
          const exp = Math.ceil(result.issued_at / 1000 + known.pass_s)
          if (exp <= nowS()) return { kind: 'turn_lapsed' }
          const pass = tokens.sign('pass', { aud: sale, iat, exp, jti: `${sale}.${pos}`, pos, dev })
          return { kind: 'entered', pass, expires_at: exp * 1000 }
        }
        case 'too_early':
          if (now.phase === 'sold_out') return { kind: 'sold_out' }
          return { kind: 'too_early', position: pos, wait_s: estimatedWaitS(now, pos) }
        case 'unloaded':
          return { kind: 'unknown_sale' }
        case 'turn_lapsed':
        case 'paused':
        case 'ended':
          return { kind: result.kind }
      }
    },

    usePass: async ({ pass, sale, user_id, device, idempotency_key, body, order_id }) => {
      const verified: Verified<PassClaims> = tokens.verify('pass', pass, nowS())
      if (verified.kind === 'invalid') return { kind: 'pass_invalid' }
      const { claims } = verified
      if (claims.aud !== sale) return { kind: 'pass_foreign' }
      if (device !== undefined && deviceHash(device) !== claims.dev) return { kind: 'pass_foreign' }
      let bind = binders.get(sale)
      if (bind === undefined) {
        bind = createBatcher((uses: readonly PassUse[]) =>
          scripts.bindPasses.run(redis.commands, { sale, uses }),
        )
        binders.set(sale, bind)
      }
      const result = await bind({
        position: claims.pos,
        order_id,
        user_id,
        key: shortHash(idempotency_key),
        body: shortHash(body),
        look_up: verified.kind === 'expired',
      })
      switch (result.kind) {
        case 'bound':
        case 'repeated':
          return { kind: result.kind, order_id: result.order_id, position: claims.pos }
        case 'expired':
          return { kind: 'pass_expired' }
        case 'foreign':
          return { kind: 'pass_foreign' }
        case 'used':
          return { kind: verified.kind === 'expired' ? 'pass_expired' : 'pass_used' }
        case 'key_reused':
          return { kind: 'key_reused' }
      }
    },

    freePass: async (sale, position, order_id) => {
      await scripts.unbindPass.run(redis.commands, { sale, position, order_id })
    },
    create: (sale) =>
      scripts.create.run(redis.commands, {
        sale: sale.id,
        rate: sale.rate_per_second,
        opens_at: sale.opens_at,
        ends_at: sale.ends_at,
      }),
    steer: async (sale, steering) => {
      const result = await scripts.steer.run(redis.commands, { sale, ...steering })
      statuses.delete(sale)
      return result
    },
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

function deviceHash(device: string): string {
  return shortHash(`device ${device}`)
}
