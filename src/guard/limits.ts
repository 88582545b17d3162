import { createHmac } from 'node:crypto'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { SaleId } from '../contracts/ids.ts'
import type { Clock } from '../platform/clock.ts'
import type { RedisConnection } from '../platform/redis.ts'
import type { Limit, LimitName } from './settings.ts'
import { SATURATED } from './sketch.ts'

/** One thing a request is limited by. */
export interface LimitCheck {
  readonly name: LimitName
  /** Who: an address, a device, a user. */
  readonly key: string
  readonly limit: Limit
  /** How often they were seen in this window, this time included; at least so often (signals.ts). */
  readonly seen: number
}

export type LimitOutcome =
  | { readonly kind: 'ok' }
  | { readonly kind: 'limited'; readonly limit: LimitName; readonly retry_after_s: number }

/**
 * Rate limits in two steps, since a counter for each of ten million visitors would cost gigabytes of the Redis that
 * sells. Who was seen only a few times (a quarter of the points) is let through on that rough count; from there on
 * `rate-limiter-flexible` counts exactly, in Redis, or in this process while Redis is away. So nobody is refused below
 * `points` in `duration_s`, and nobody gets more than a quarter above it, and two on each node.
 */
export interface Limits {
  /** Whether one of these was limited a moment ago; asks nobody. */
  blocked(sale: SaleId, checks: readonly Omit<LimitCheck, 'seen'>[]): LimitOutcome
  /** Never rejects. */
  consume(sale: SaleId, checks: readonly LimitCheck[]): Promise<LimitOutcome>
}

/** Who is blocked is remembered here, so that an abuser costs no call to Redis; the oldest are forgotten beyond this. */
const MAX_BLOCKED = 20_000

/** Up to how many visits the rough count is enough. */
export const freeVisits = (limit: Limit): number =>
  Math.min(Math.floor(limit.points / 4), Math.floor(SATURATED / 2))

export function createLimits(parts: {
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Keys the names under which visitors are counted: an address or a user id is nobody's business in Redis. */
  readonly secret: Buffer
  readonly onError?: (error: unknown) => void
}): Limits {
  const { redis, clock, secret, onError = () => undefined } = parts
  const nameOf = (key: string) =>
    createHmac('sha256', secret).update(`guard limit ${key}`).digest('base64url').slice(0, 16)
  const limiters = new Map<string, { limit: Limit; limiter: RateLimiterRedis }>()
  const blockedUntil = new Map<string, number>()

  const limiterOf = (sale: SaleId, name: LimitName, limit: Limit): RateLimiterRedis => {
    const keyPrefix = `guard:limit:${sale}:${name}`
    const known = limiters.get(keyPrefix)
    if (known?.limit.points === limit.points && known.limit.duration_s === limit.duration_s)
      return known.limiter
    const options = { keyPrefix, points: limit.points, duration: limit.duration_s }
    const limiter = new RateLimiterRedis({
      ...options,
      storeClient: redis.commands,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory(options),
    })
    limiters.set(keyPrefix, { limit, limiter })
    return limiter
  }

  const block = (name: string, until: number) => {
    blockedUntil.delete(name)
    blockedUntil.set(name, until)
    const oldest = blockedUntil.keys().next().value
    if (blockedUntil.size > MAX_BLOCKED && oldest !== undefined) blockedUntil.delete(oldest)
  }

  const consumeOne = async (sale: SaleId, { name, key, limit }: LimitCheck): Promise<LimitOutcome> => {
    try {
      await limiterOf(sale, name, limit).consume(nameOf(key))
      return { kind: 'ok' }
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) {
        // Neither Redis nor the memory would count: what else is checked has to do.
        onError(error)
        return { kind: 'ok' }
      }
      block(`${sale} ${name} ${key}`, clock.now() + error.msBeforeNext)
      return {
        kind: 'limited',
        limit: name,
        retry_after_s: Math.max(1, Math.ceil(error.msBeforeNext / 1000)),
      }
    }
  }

  return {
    blocked: (sale, checks) => {
      const now = clock.now()
      for (const { name, key, limit } of checks) {
        if (!limit.on) continue
        const id = `${sale} ${name} ${key}`
        const until = blockedUntil.get(id)
        if (until === undefined) continue
        if (until > now)
          return { kind: 'limited', limit: name, retry_after_s: Math.ceil((until - now) / 1000) }
        blockedUntil.delete(id)
      }
      return { kind: 'ok' }
    },
    consume: async (sale, checks) => {
      const exact = checks.filter(({ limit, seen }) => limit.on && seen > freeVisits(limit))
      const outcomes = await Promise.all(exact.map((check) => consumeOne(sale, check)))
      return outcomes.find(({ kind }) => kind === 'limited') ?? { kind: 'ok' }
    },
  }
}
