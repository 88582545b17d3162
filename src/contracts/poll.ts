import { inLane, positionIn, secondsFor, type Standing } from './place.ts'
import type { QueueStatus } from './shapes.ts'

/**
 * Seconds until a place's turn at the given rate, whether or not anyone can promise it: the distance to the front by
 * which the polling slows down. Never negative.
 */
export function distanceS(everybody: QueueStatus, standing: Standing): number {
  const status = inLane(everybody, standing.lane)
  const { phase, server_time, now_serving, rate_per_second } = status
  const until = (moment: number) => Math.max(0, moment - server_time) / 1000
  if (phase === 'scheduled') return until(status.lobby_opens_at ?? status.opens_at)
  const position = positionIn(status, standing) ?? now_serving
  const opening = phase === 'lobby' ? until(status.opens_at) : 0
  // Nobody knows how far it is: as far as can be.
  return opening + (secondsFor(position - now_serving, rate_per_second) ?? Infinity)
}

/**
 * Seconds to wait before asking again: grows with the distance, within the policy's bounds, and is varied in
 * proportion so that a million browsers that began together do not stay together. `random` is in [0, 1).
 */
export function pollDelayS(policy: QueueStatus['poll'], distance: number, random: number): number {
  const wanted = Math.min(policy.max_s, Math.max(policy.min_s, distance * policy.per_wait_s))
  return wanted * (1 + policy.jitter * (2 * random - 1))
}

/**
 * Seconds between two tries to enter once the turn has come: never sooner than asked, and where nothing is asked within
 * the 3 s in which the server keeps the order among those who ask again.
 */
export function askDelayS(retryAfterS: number | undefined, random: number): number {
  return Math.max(1, retryAfterS ?? 1) + random / 2
}

const GLANCE_S = { shortest: 5, blind: 60, longest: 600 }

/**
 * Seconds after which a page that nobody sees looks again, for somebody who wants to be told of their turn: half the
 * way there, so that a line that becomes faster does not pass them by; a minute where nobody knows how far it is.
 */
export function glanceDelayS(distance: number): number {
  const { shortest, blind, longest } = GLANCE_S
  return Number.isFinite(distance) ? Math.min(longest, Math.max(shortest, distance / 2)) : blind
}
