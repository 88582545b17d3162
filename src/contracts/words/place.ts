import { formatWait } from '../lib/durations.ts'
import { formatCount } from '../lib/money.ts'
import type { QueueStatus } from '../lib/types.ts'

/** Where a visitor stands, from the public status and the own position alone. */
export type Place =
  | { readonly kind: 'lobby'; readonly ahead: number }
  /** `wait_s` is null while nobody can know: the line stands still. */
  | {
      readonly kind: 'waiting' | 'paused' | 'held_out'
      readonly ahead: number
      readonly wait_s: number | null
    }
  | { readonly kind: 'turn' | 'sold_out' | 'ended' }

/** Judges the status as it came; only this one decides that a turn has come. */
export function placeOf(status: QueueStatus, position: number): Place {
  if (status.phase === 'sold_out' || status.phase === 'ended') return { kind: status.phase }
  if (status.phase === 'post_sale') return { kind: 'ended' }
  const turn = position <= status.now_serving
  const ahead = Math.max(0, position - status.now_serving - 1)
  switch (status.phase) {
    case 'scheduled':
    case 'lobby':
      return { kind: 'lobby', ahead: position - 1 }
    case 'paused':
      return { kind: 'paused', ahead, wait_s: null }
    // Whoever's turn had come before everything was taken may go in and be there when a unit returns.
    case 'held_out':
      return turn ? { kind: 'turn' } : { kind: 'held_out', ahead, wait_s: null }
    case 'standby':
    case 'open': {
      if (turn) return { kind: 'turn' }
      return { kind: 'waiting', ahead, wait_s: (position - status.now_serving) / status.rate_per_second }
    }
  }
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

/** One sentence about the place, for eyes and screen readers. */
export function placeText(place: Extract<Place, { ahead: number }>): string {
  const { ahead } = place
  const people =
    ahead === 0
      ? 'You are next.'
      : `${formatCount(ahead)} ${ahead === 1 ? 'person is' : 'people are'} ahead of you.`
  switch (place.kind) {
    case 'lobby':
      return ahead === 0 ? 'You are first in line.' : people
    case 'waiting':
      return place.wait_s === null ? people : `${people} Your turn comes in ${formatWait(place.wait_s)}.`
    case 'paused':
    case 'held_out':
      return `${people} Your place is kept.`
  }
}
