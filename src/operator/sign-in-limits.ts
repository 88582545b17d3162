import { createHmac } from 'node:crypto'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { RedisConnection } from '../platform/redis.ts'

/** Somebody who says who they are, and where from. */
export interface Trying {
  readonly name: string
  readonly address: string
}

/** How often somebody may be wrong. */
export interface SignInLimits {
  /**
   * Counts a failure before anything is looked at, so that many at once are no way around it. The seconds to wait where
   * there were too many; nothing should then be looked at. Never rejects.
   */
  begin(who: Trying): Promise<number | undefined>
  /** It was no failure. */
  succeeded(who: Trying): Promise<void>
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

  return {
    begin: async (who) => {
      const waits = await Promise.all(
        kinds.map(async ({ kind, limiter }) => {
          try {
            await limiter.consume(keyOf(who[kind]))
            return 0
          } catch (error) {
            if (error instanceof RateLimiterRes) return Math.max(1, Math.ceil(error.msBeforeNext / 1000))
            onError(error)
            return 0
          }
        }),
      )
      const wait = Math.max(...waits)
      return wait === 0 ? undefined : wait
    },
    succeeded: async (who) => {
      for (const { kind, limiter } of kinds) await limiter.reward(keyOf(who[kind])).catch(onError)
    },
  }
}
