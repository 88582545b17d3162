import { createHmac } from 'node:crypto'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { RedisConnection } from '../../platform/redis.ts'

/** Somebody who says who they are, and where from. */
export interface Trying {
  readonly name: string
  readonly address: string
}

/** There were too many failures: nothing was looked at. */
export interface Limited {
  readonly kind: 'limited'
  readonly retry_after_s: number
}

/** How often somebody may be wrong. */
export interface SignInLimits {
  /**
   * Runs `work` unless there were too many failures. It counts as one before it begins, so that many at once are no way
   * around the limit, and no longer once it turns out to be none, or to have had no outcome.
   */
  attempt<T>(who: Trying, work: () => Promise<T>, failed: (outcome: T) => boolean): Promise<T | Limited>
}

const WINDOW_S = 900
/** Of one account a few; an address may be a whole office. */
const FAILURES = { name: 10, address: 40 } as const

/** Counted in Redis, or in this process while Redis is away. */
export function createSignInLimits(parts: {
  readonly redis: RedisConnection
  /** Keys the names under which is counted: who signs in from where is nobody's business in Redis. */
  readonly secret: Buffer
  readonly onError: (error: unknown) => void
}): SignInLimits {
  const { redis, secret, onError } = parts
  const kinds = (['name', 'address'] as const).map((kind) => {
    const options = { keyPrefix: `operator:limit:${kind}`, points: FAILURES[kind], duration: WINDOW_S }
    const limiter = new RateLimiterRedis({
      ...options,
      storeClient: redis.commands,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory(options),
    })
    return { kind, limiter }
  })
  const keyOf = (value: string) =>
    createHmac('sha256', secret).update(`sign-in ${value}`).digest('base64url').slice(0, 22)

  /** Seconds to wait; 0: none. */
  const consume = async (limiter: RateLimiterRedis, value: string): Promise<number> => {
    try {
      await limiter.consume(keyOf(value))
      return 0
    } catch (error) {
      if (error instanceof RateLimiterRes) return Math.max(1, Math.ceil(error.msBeforeNext / 1000))
      onError(error)
      return 0
    }
  }
  return {
    attempt: async (who, work, failed) => {
      const waits = kinds.map(({ kind, limiter }) => consume(limiter, who[kind]))
      const retry_after_s = Math.max(...(await Promise.all(waits)))
      if (retry_after_s > 0) return { kind: 'limited', retry_after_s }
      let counts = false
      try {
        const outcome = await work()
        counts = failed(outcome)
        return outcome
      } finally {
        if (!counts)
          for (const { kind, limiter } of kinds) await limiter.reward(keyOf(who[kind])).catch(onError)
      }
    },
  }
}
