import type { Catalogue } from '../../flow/catalogue/catalogue.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/telemetry.ts'
import { type Counter, createCounter } from './counting.ts'
import { createSampler, type Sampler, type SamplerParts } from './sampler.ts'
import { createSamples, type Samples } from './samples.ts'
import { createTallies, type TallyParts } from './tallies.ts'

/**
 * The live screen's numbers. Every process counts what it answers (`counter`); one of the cleanup processes writes down a
 * sample a second of each sale (`sampler`); whoever watches reads them (`samples`).
 */
export interface Live {
  readonly counter: Counter
  readonly sampler: Sampler
  readonly samples: Samples
  /** Writes down every second what was counted, until the signal is aborted. */
  report(signal: AbortSignal): Promise<void>
}

export type LiveParts = Omit<SamplerParts, 'samples' | 'tallies' | 'catalogue'> &
  Omit<TallyParts, 'onError'> & { readonly catalogue: Catalogue; readonly clock: Clock; readonly log: Log }

export function createLive(parts: LiveParts): Live {
  const { redis, clock, log } = parts
  const counter = createCounter(parts)
  const samples = createSamples(redis)
  const onError = (error: unknown) => log.debug({ err: error }, 'the orders were not counted')
  const tallies = createTallies({ ...parts, onError })
  return {
    counter,
    samples,
    sampler: createSampler({ ...parts, samples, tallies }),
    report: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(1000, signal)
        await counter.flush().catch((error: unknown) => log.debug({ err: error }, 'counts were not written'))
      }
    },
  }
}
