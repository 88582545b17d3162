import type { QueueStatus } from '../lib/types.ts'

/**
 * Seconds until a place's turn at the given rate, whether or not anyone can promise it: the distance to the front by
 * which the polling slows down. Never negative.
 */
export function distanceS(status: QueueStatus, position: number): number {
  const opening = status.phase === 'lobby' ? Math.max(0, status.opens_at - status.server_time) / 1000 : 0
  return opening + Math.max(0, position - status.now_serving) / status.rate_per_second
}

/**
 * Seconds to wait before asking again: grows with the distance, within the policy's bounds, and is varied in
 * proportion so that a million browsers that began together do not stay together. `random` is in [0, 1).
 */
export function pollDelayS(policy: QueueStatus['poll'], distance: number, random: number): number {
  const wanted = Math.min(policy.max_s, Math.max(policy.min_s, distance * policy.per_wait_s))
  return wanted * (1 + policy.jitter * (2 * random - 1))
}
