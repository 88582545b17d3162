import { createBackoff } from '../../platform/backoff.ts'
import { createBreaker, createBulkhead } from '../../platform/breaker.ts'
import type { Clock } from '../../platform/clock.ts'
import { timeLeftMs } from '../../platform/deadline.ts'
import { Unavailable } from '../../platform/errors.ts'
import { createRetryBudget } from '../../platform/retry-budget.ts'
import { type PaymentProvider, ProviderUnavailable } from './provider.ts'

export interface SteadyOptions {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** Calls under way at once, and calls that may wait for one of these. */
  readonly atOnce?: number
  readonly waiting?: number
  /** First pause between two tries, in milliseconds. */
  readonly pauseMs?: number
  readonly onChange?: (state: 'open' | 'closed') => void
}

/** Tries of one call, the first included. */
const TRIES = 3

/**
 * A provider whose outage stays its own. Calls under way are bounded; what failed without an answer is tried again, as
 * every call is safe to repeat, but never beyond a tenth of all calls or the time of the request; and one that does not
 * answer at all is left alone for a while. All of that is `ProviderUnavailable` to the caller, who repairs it later.
 */
export function steadyProvider(provider: PaymentProvider, options: SteadyOptions): PaymentProvider {
  const { clock, random, atOnce = 32, waiting = 256, pauseMs = 200, onChange = () => undefined } = options
  const breaker = createBreaker({
    name: provider.name,
    isFailure: (error) => error instanceof ProviderUnavailable,
    onChange,
  })
  const bulkhead = createBulkhead(provider.name, atOnce, waiting)
  const budget = createRetryBudget()

  const steadily = async <T>(call: () => Promise<T>): Promise<T> => {
    budget.called()
    const backoff = createBackoff(pauseMs, 2000, random)
    for (let tries = 1; ; tries += 1)
      try {
        return await bulkhead(() => breaker.run(call))
      } catch (error) {
        if (error instanceof Unavailable) throw new ProviderUnavailable(provider.name, error.message, error)
        const pause = backoff.next()
        const inTime = (timeLeftMs() ?? Infinity) > pause
        if (!(error instanceof ProviderUnavailable) || tries >= TRIES || !inTime || !budget.take())
          throw error
        await clock.sleep(pause)
      }
  }

  return {
    name: provider.name,
    start: (payment) => steadily(() => provider.start(payment)),
    find: (ref) => steadily(() => provider.find(ref)),
    authorise: (ref, order) => steadily(() => provider.authorise(ref, order)),
    capture: (ref, order) => steadily(() => provider.capture(ref, order)),
    cancel: (ref, order) => steadily(() => provider.cancel(ref, order)),
    refund: (ref, order, reason) => steadily(() => provider.refund(ref, order, reason)),
    // A signature is checked here, or with one question to the provider, who asks again by itself.
    readWebhook: (body, headers, now) => provider.readWebhook(body, headers, now),
  }
}
