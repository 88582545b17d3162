import { commitmentTo, drawnPosition, drawSeed } from './draw.ts'
import type { QueueStatus } from './shapes.ts'

/** What a ticket says of its holder's place. */
export interface Standing {
  readonly position?: number | undefined
  /** Given before the opening; in a draw it says nothing of the position until then. */
  readonly lobby_index?: number | undefined
  /** In the line of a group: its id. */
  readonly lane?: string | undefined
}

/** The status as it is in the line of a group: with the numbers of that line, which is not part of a draw. */
export function inLane(status: QueueStatus, lane: string | undefined): QueueStatus {
  const numbers = lane === undefined ? undefined : status.lanes[lane]
  return numbers === undefined ? status : { ...status, ...numbers, draw: null }
}

/** Seconds until so many people more are served; null while nobody can know. */
export function secondsFor(people: number, ratePerSecond: number): number | null {
  if (people <= 0) return 0
  return ratePerSecond > 0 ? people / ratePerSecond : null
}

/** Where a visitor stands, from the public status and the own standing alone. */
export type Place =
  /** People may not join yet. */
  | { readonly kind: 'scheduled' }
  /** In the lobby of a draw: nobody has a position. */
  | { readonly kind: 'draw'; readonly lobby_index: number; readonly people: number }
  /** `wait_s`, here from the opening on, is null while nobody can know: the line stands still. */
  | {
      readonly kind: 'lobby' | 'waiting' | 'paused' | 'held_out'
      readonly position: number
      readonly ahead: number
      readonly wait_s: number | null
    }
  /** `room`: some units are in nobody's checkout. */
  | { readonly kind: 'turn'; readonly room: boolean }
  | { readonly kind: 'sold_out' | 'ended' | 'post_sale' }

/** The position of a standing; undefined in a draw that has not been held. */
export function positionIn(status: QueueStatus, standing: Standing): number | undefined {
  const { position, lobby_index, lane } = standing
  if (position !== undefined || lobby_index === undefined) return position
  const { draw } = inLane(status, lane)
  return draw === null ? lobby_index : drawnIn(draw, lobby_index)
}

/** What the published inputs of a draw make of a lobby index; undefined before the draw, or for an index not in it. */
export function drawnIn(draw: NonNullable<QueueStatus['draw']>, index: number): number | undefined {
  const { secret, lobby_size, tickets_hash } = draw
  if (secret === null || lobby_size === null || tickets_hash === null) return undefined
  if (!Number.isSafeInteger(index) || index < 1 || index > lobby_size) return undefined
  return drawnPosition(drawSeed({ secret, lobby_size, tickets_hash }), lobby_size, index)
}

/** Whether the secret is the one that was promised; undefined until it is published. */
export function keptPromise({ secret, commitment }: NonNullable<QueueStatus['draw']>): boolean | undefined {
  return secret === null ? undefined : commitmentTo(secret) === commitment
}

/** Judges the status as it came; only this one decides that a turn has come. */
export function placeOf(everybody: QueueStatus, standing: Standing): Place {
  const status = inLane(everybody, standing.lane)
  const { phase, now_serving } = status
  if (phase === 'sold_out' || phase === 'ended' || phase === 'post_sale') return { kind: phase }
  if (phase === 'scheduled') return { kind: 'scheduled' }
  const position = positionIn(status, standing)
  if (position === undefined) return drawPlace(status, standing.lobby_index ?? 0)
  const turn = position <= now_serving
  const place = { position, ahead: Math.max(0, position - now_serving - 1), wait_s: null }
  const wait_s = secondsFor(position - now_serving, status.rate_per_second)
  switch (phase) {
    case 'lobby':
      return { ...place, kind: 'lobby', ahead: position - 1, wait_s }
    case 'paused':
      return { ...place, kind: 'paused' }
    // Whoever's turn had come before everything was taken may go in and be there when a unit returns.
    case 'held_out':
      return turn ? { kind: 'turn', room: false } : { ...place, kind: 'held_out' }
    // Nobody waits: whoever has just joined may be ahead of the status.
    case 'standby':
      return { kind: 'turn', room: true }
    case 'open':
      return turn ? { kind: 'turn', room: true } : { ...place, kind: 'waiting', wait_s }
  }
}

/** The status may be a second older than the own place. */
function drawPlace({ last_position }: QueueStatus, lobby_index: number): Place {
  return { kind: 'draw', lobby_index, people: Math.max(last_position, lobby_index) }
}

/**
 * The serving number `now` (server time, ms) by the same rule the server uses, so that the numbers move between two
 * polls. Stops short of `position`: that a turn has come is the server's to say.
 */
export function projectedServing(status: QueueStatus, position: number, now: number): number {
  if (status.phase !== 'open') return status.now_serving
  const grown = status.now_serving + (status.rate_per_second * Math.max(0, now - status.server_time)) / 1000
  const reached = Math.min(Math.floor(grown), status.last_position, position - 1)
  return Math.max(status.now_serving, reached)
}

/** Turns after which what people take says more than the guess of one unit each. */
const TELLING_TURNS = 50

/**
 * Whether the units run out before the turn of somebody with so many people ahead, if those take as many a head as the
 * ones before them did, sold and held together (one each until 50 turns have been served). The page states this rule.
 */
export function sellOutLikely(status: QueueStatus, ahead: number): boolean {
  const { available, held, sold, total, now_serving } = status
  if (total === 0) return false
  const taken = now_serving < TELLING_TURNS ? 1 : (sold + held) / now_serving
  return ahead * taken >= available
}
