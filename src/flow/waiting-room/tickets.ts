import type { SaleId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import { sha256Text } from '../../platform/digest.ts'
import type { Tokens, Verified } from '../../platform/tokens.ts'
import { DECOY_LANE, MAIN_LANE } from './keys.ts'

/** Whose browser it is, as far as a request tells. */
export interface Visitor {
  /** The id the browser made for itself and sends along. */
  readonly device: string | undefined
  /** Address and user agent; what a place is bound to where no device id comes along. */
  readonly network: string
}

/** A place in a lane: a position, or before the opening an index of the lobby. */
export type Slot = { readonly lane: string } & (
  | { readonly position: number; readonly lobby_index?: never }
  | { readonly lobby_index: number; readonly position?: never }
)

interface Bound {
  /** Hash of the device. */
  readonly dev: string
  /** Hash of the network. */
  readonly net: string
}
interface TicketClaims extends Bound {
  readonly pos?: number
  readonly lob?: number
  readonly lane?: string
}
interface PassClaims extends Bound {
  readonly pos: number
  readonly lane?: string
  readonly jti: string
}

export type TicketReading =
  | { readonly kind: 'valid'; readonly slot: Slot; readonly bound: Bound }
  | { readonly kind: 'ticket_invalid' | 'ticket_expired' | 'ticket_foreign' }

export type PassReading =
  | {
      readonly kind: 'valid' | 'expired'
      readonly lane: string
      readonly position: number
    }
  | { readonly kind: 'pass_invalid' | 'pass_foreign' }

export interface Tickets {
  issue(sale: SaleId, slot: Slot, visitor: Visitor): string
  read(sale: SaleId, ticket: string, visitor: Visitor): TicketReading
  /** The same pass for the same place and time of issue, byte for byte. Times in ms. */
  issuePass(
    sale: SaleId,
    place: { lane: string; position: number; bound: Bound },
    issuedAt: number,
    lifetimeS: number,
  ): { pass: string; expires_at: number }
  readPass(sale: SaleId, pass: string, visitor: Visitor): PassReading
  /** The place that a pass of this sale says it is of, where it has not expired; its signature is not looked at. */
  placeIn(sale: SaleId, pass: string): { lane: string; position: number } | undefined
}

const TICKET_LIFETIME_S = 7 * 24 * 3600

/** Tickets and passes are signed and checked without any look-up, so the gate can run at the edge. */
export function createTickets({ tokens, clock }: { tokens: Tokens; clock: Clock }): Tickets {
  const nowS = () => Math.floor(clock.now() / 1000)
  const laneClaim = (lane: string) => (lane === MAIN_LANE ? {} : { lane })
  return {
    issue: (sale, slot, visitor) => {
      const iat = nowS()
      return tokens.sign('ticket', {
        aud: sale,
        iat,
        exp: iat + TICKET_LIFETIME_S,
        ...(slot.position === undefined ? { lob: slot.lobby_index } : { pos: slot.position }),
        ...laneClaim(slot.lane),
        dev: visitor.device === undefined ? '' : shortHash(`device ${visitor.device}`),
        net: shortHash(`network ${visitor.network}`),
      })
    },
    read: (sale, ticket, visitor) => {
      const verified: Verified<TicketClaims> = tokens.verify('ticket', ticket, nowS())
      if (verified.kind === 'invalid') return { kind: 'ticket_invalid' }
      const { aud, pos, lob, lane = MAIN_LANE, dev, net } = verified.claims
      if (aud !== sale || !isSame({ dev, net }, visitor)) return { kind: 'ticket_foreign' }
      if (verified.kind === 'expired') return { kind: 'ticket_expired' }
      if (pos !== undefined) return { kind: 'valid', slot: { lane, position: pos }, bound: { dev, net } }
      if (lob !== undefined) return { kind: 'valid', slot: { lane, lobby_index: lob }, bound: { dev, net } }
      return { kind: 'ticket_invalid' }
    },
    issuePass: (sale, { lane, position, bound }, issuedAt, lifetimeS) => {
      const iat = Math.floor(issuedAt / 1000)
      // Rounded up: nobody gets less time than was promised.
      const exp = Math.ceil(issuedAt / 1000 + lifetimeS)
      const jti = `${sale}.${lane === MAIN_LANE ? '' : `${lane}.`}${position}`
      const claims = { aud: sale, iat, exp, jti, pos: position, ...laneClaim(lane), ...bound }
      return { pass: tokens.sign('pass', claims), expires_at: exp * 1000 }
    },
    readPass: (sale, pass, visitor) => {
      const verified: Verified<PassClaims> = tokens.verify('pass', pass, nowS())
      if (verified.kind === 'invalid') return { kind: 'pass_invalid' }
      const { aud, pos, lane = MAIN_LANE, dev, net } = verified.claims
      if (aud !== sale || !isSame({ dev, net }, visitor)) return { kind: 'pass_foreign' }
      return { kind: verified.kind, lane, position: pos }
    },
    placeIn: (sale, pass) => {
      const claims = tokens.peek<PassClaims>(pass)
      if (claims?.aud !== sale || claims.exp <= nowS()) return undefined
      const { lane = MAIN_LANE, pos } = claims
      return typeof pos === 'number' && typeof lane === 'string' ? { lane, position: pos } : undefined
    },
  }
}

/** A copied ticket is of no use elsewhere: it needs the device id, or the same network and browser. */
function isSame({ dev, net }: Bound, { device, network }: Visitor): boolean {
  if (device !== undefined && dev !== '') return shortHash(`device ${device}`) === dev
  return shortHash(`network ${network}`) === net
}

export function shortHash(text: string): string {
  return sha256Text(text).slice(0, 22)
}

/** Only members of a group are told which line they stand in. */
export function groupOf({ lane }: Slot): string | undefined {
  return lane === MAIN_LANE || lane === DECOY_LANE ? undefined : lane
}
