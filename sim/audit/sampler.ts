import { itemKeys } from '../../src/flow/inventory/keys.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import { now } from '../clock.ts'
import type { ItemSample, StockSample } from './evidence.ts'

/** Reads the counters of some items every `everyMs` while a run goes on. */
export interface Sampler {
  readonly samples: readonly StockSample[]
  /** Stops, after one last reading. */
  stop(): Promise<void>
}

export function startSampler(redis: RedisConnection, items: readonly string[], everyMs: number): Sampler {
  const samples: StockSample[] = []
  let reading: Promise<void> | undefined
  const read = () => {
    // Redis may be away for a while, on purpose; what it then can not tell is not in the samples.
    reading ??= readStock(redis, items)
      .then((sample) => void samples.push(sample))
      .catch(() => undefined)
      .finally(() => (reading = undefined))
    return reading
  }
  void read()
  const timer = setInterval(() => void read(), everyMs)
  return {
    samples,
    stop: async () => {
      clearInterval(timer)
      await reading
      await read()
    },
  }
}

const FIELDS = ['total', 'available', 'held', 'sold', 'seq', 'epoch'] as const

/** One reading. The counters of an item are read in one command, so they belong together. Throws without Redis. */
export async function readStock(redis: RedisConnection, items: readonly string[]): Promise<StockSample> {
  const { commands } = redis
  const asked = now()
  const [time, ...read] = await Promise.all([
    commands.time(),
    ...items.map(async (id): Promise<ItemSample> => {
      const keys = itemKeys(id)
      const [stock, outbox, holds, oldest] = await Promise.all([
        commands.hmget(keys.stock, ...FIELDS, 'run_id'),
        commands.xlen(keys.outbox),
        commands.zcard(keys.holds),
        commands.zrange(keys.holds, '0', '0', 'WITHSCORES'),
      ])
      const [total, available, held, sold, seq, epoch] = stock.map((value) => Number(value ?? NaN))
      const checkedOn = stock.at(-1)
      const counters = { total, available, held, sold, seq, epoch } as Omit<
        ItemSample,
        'id' | 'outbox' | 'holds' | 'fenced'
      >
      const oldest_deadline = oldest[1] === undefined ? undefined : Number(oldest[1])
      return {
        id,
        ...counters,
        outbox,
        holds,
        oldest_deadline,
        fenced: checkedOn !== redis.runId(keys.stock),
      }
    }),
  ])
  const [seconds = 0, micros = 0] = time.map(Number)
  return { asked, answered: now(), at: seconds * 1000 + micros / 1000, items: read }
}
