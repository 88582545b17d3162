import {
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  BrokenCircuitError,
} from 'cockatiel'
import { Overloaded, Unavailable } from './errors.ts'

/** Keeps callers from waiting, one after the other, for something that does not answer. */
export interface Breaker {
  /**
   * Runs `work`, or throws `Unavailable` at once while the circuit is open. After a growing, jittered pause one caller is
   * let through to see whether it answers again; the others go on being refused until it has.
   */
  run<T>(work: () => Promise<T>): Promise<T>
  isOpen(): boolean
}

export interface BreakerOptions {
  /** Of what is behind it, for the message of the error. */
  readonly name: string
  /** Errors that say it does not answer; all others say that it does. */
  readonly isFailure: (error: unknown) => boolean
  /** So many failures in a row open the circuit. */
  readonly failures?: number
  /** First and longest pause before it is asked again. */
  readonly pauseMs?: readonly [first: number, longest: number]
  readonly onChange?: (state: 'open' | 'closed') => void
}

export function createBreaker(options: BreakerOptions): Breaker {
  const { name, isFailure, failures = 5, pauseMs = [500, 5000], onChange = () => undefined } = options
  const [initialDelay, maxDelay] = pauseMs
  const circuit = circuitBreaker(handleWhen(isFailure), {
    breaker: new ConsecutiveBreaker(failures),
    halfOpenAfter: new ExponentialBackoff({ initialDelay, maxDelay }),
  })
  circuit.onStateChange((state) => {
    if (state === CircuitState.Open) onChange('open')
    if (state === CircuitState.Closed) onChange('closed')
  })
  const refusal = () => new Unavailable(`${name} does not answer; it is asked again in a moment`)
  return {
    run: async (work) => {
      // Left to itself the circuit would queue everybody who comes while it is being tried.
      if (circuit.state === CircuitState.HalfOpen) throw refusal()
      try {
        return await circuit.execute(work)
      } catch (error) {
        throw error instanceof BrokenCircuitError ? refusal() : error
      }
    },
    isOpen: () => circuit.state !== CircuitState.Closed,
  }
}

/** At most so many at once, at most so many that wait; the next one is refused with `Overloaded`. */
export function createBulkhead(name: string, atOnce: number, waiting: number) {
  const places = bulkhead(atOnce, waiting)
  return async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await places.execute(work)
    } catch (error) {
      throw error instanceof BulkheadRejectedError ? new Overloaded(`too many wait for ${name}`) : error
    }
  }
}
