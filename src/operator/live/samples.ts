import type { SaleId } from '../../contracts/ids.ts'
import type { LiveSample } from '../../contracts/live-http.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { KEEP_MS, liveKeys } from './keys.ts'

/** A sample as the stream keeps it. `over_at`: since when the sale was known to be over. */
export interface Kept {
  readonly sample: LiveSample
  readonly over_at: number | undefined
}

/** An hour, unless the sale has so many items that it would take more room than that. */
const MOST_SAMPLES = 3600
const MOST_BYTES = 4_000_000

export interface Samples {
  /** `taken`: there is one of this second, or of a later one, already. */
  add(sale: SaleId, kept: Kept): Promise<'added' | 'taken'>
  last(sale: SaleId): Promise<Kept | undefined>
  /** Those after `after` (ms), oldest first. */
  since(sale: SaleId, after: number): Promise<LiveSample[]>
}

export function createSamples({ commands }: Pick<RedisConnection, 'commands'>): Samples {
  return {
    add: async (sale, { sample, over_at }) => {
      const key = liveKeys.samples(sale)
      const text = JSON.stringify(sample)
      const most = Math.max(60, Math.min(MOST_SAMPLES, Math.floor(MOST_BYTES / text.length)))
      const fields = ['sample', text, ...(over_at === undefined ? [] : ['over_at', String(over_at)])]
      const replies = await commands
        .multi()
        .xadd(key, 'MAXLEN', '~', most, `${sample.at}-0`, ...fields)
        .pexpire(key, KEEP_MS)
        .exec()
      for (const [error] of replies ?? [])
        if (error?.message.includes('equal or smaller')) return 'taken'
        else if (error) throw error
      return 'added'
    },
    last: async (sale) => {
      const [entry] = await commands.xrevrange(liveKeys.samples(sale), '+', '-', 'COUNT', 1)
      return entry && toKept(entry[1])
    },
    since: async (sale, after) =>
      (await commands.xrange(liveKeys.samples(sale), `(${after}-0`, '+')).map(
        ([, fields]) => toKept(fields).sample,
      ),
  }
}

function toKept([, text = '', , over_at]: readonly string[]): Kept {
  return {
    sample: JSON.parse(text) as LiveSample,
    over_at: over_at === undefined ? undefined : Number(over_at),
  }
}
