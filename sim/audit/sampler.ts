import { itemKeys } from '../../src/flow/inventory/keys.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import { now } from '../clock.ts'
import type { ItemSample, StockSample } from './evidence.ts'
import { ownersOf, type Sampled } from './owners.ts'

/** Reads the counters of some items every `everyMs` while a run goes on. */
export interface Sampler {
  readonly samples: readonly StockSample[]
  /** Stops, after one last reading. */
  stop(): Promise<void>
}

export function startSampler(redis: RedisConnection, items: readonly Sampled[], everyMs: number): Sampler {
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

/** Readings of the parts of an item until they fit together; it may move all the time. */
const TRIES = 20

/**
 * One reading. The counters of an item are read in one command, so they belong together; those of an item in parts, one by
 * one, again where a part has taken in more from another than that is seen to have given. Throws without Redis.
 */
export async function readStock(redis: RedisConnection, items: readonly Sampled[]): Promise<StockSample> {
  const asked = now()
  const [time, ...read] = await Promise.all([
    redis.commands.time(),
    ...items.map((item) => readItem(redis, item)),
  ])
  const [seconds = 0, micros = 0] = time.map(Number)
  return { asked, answered: now(), at: seconds * 1000 + micros / 1000, items: read }
}

type PartReading = Omit<ItemSample, 'id' | 'parts'> & { readonly fields: Readonly<Record<string, string>> }

async function readItem(redis: RedisConnection, item: Sampled): Promise<ItemSample> {
  const owners = ownersOf(item).map(({ owner }) => owner)
  const parts = await Promise.all(owners.map((owner) => readPart(redis, owner, owners.length)))
  for (let tries = 0; tries < TRIES; tries += 1) {
    const late = owners.flatMap((_, from) =>
      parts.some((to) => taken(to, from) > given(parts[from], to, parts).number) ? from : [],
    )
    if (late.length === 0) break
    for (const index of late) parts[index] = await readPart(redis, owners[index] ?? '', owners.length)
  }
  const add = (what: 'total' | 'available' | 'held' | 'sold' | 'epoch' | 'outbox' | 'holds') =>
    parts.reduce((sum, one) => sum + one[what], 0)
  // What one part gave and no other has yet is available in a moment.
  const moving = parts.reduce(
    (sum, source, from) =>
      sum +
      parts.reduce((units, to) => {
        const { number, units: more } = given(source, to, parts)
        return units + (number > taken(to, from) ? more : 0)
      }, 0),
    0,
  )
  const deadlines = parts.flatMap(({ oldest_deadline }) => oldest_deadline ?? [])
  return {
    id: item.id,
    total: add('total') + moving,
    available: add('available') + moving,
    ...{
      held: add('held'),
      sold: add('sold'),
      epoch: add('epoch'),
      outbox: add('outbox'),
      holds: add('holds'),
    },
    // Claims of each part are numbered in a range of their own.
    seq: parts.reduce((sum, { seq }, index) => sum + seq - index * SEQS, 0),
    ...(parts.length === 1
      ? {}
      : {
          parts: parts.map(({ seq, epoch, fenced }, index) => ({
            ...{ first: index * SEQS + 1, seq, epoch, fenced },
          })),
        }),
    oldest_deadline: deadlines.length === 0 ? undefined : Math.min(...deadlines),
    fenced: parts.some(({ fenced }) => fenced),
  }
}

const SEQS = 1e12
const taken = ({ fields }: PartReading, from: number): number => Number(fields[`in:${from}`] ?? 0)
function given(source: PartReading | undefined, to: PartReading, parts: readonly PartReading[]) {
  const [number = 0, units = 0] = (source?.fields[`out:${parts.indexOf(to)}`] ?? '0 0').split(' ').map(Number)
  return { number, units }
}

async function readPart(redis: RedisConnection, owner: string, of: number): Promise<PartReading> {
  const { commands } = redis
  const keys = itemKeys(owner)
  const [fields, outbox, holds, oldest] = await Promise.all([
    commands.hgetall(keys.stock),
    commands.xlen(keys.outbox),
    commands.zcard(keys.holds),
    commands.zrange(keys.holds, '0', '0', 'WITHSCORES'),
  ])
  const count = (name: string) => Number(fields[name] ?? NaN)
  const run_id = redis.runId(keys.stock)
  return {
    ...{ total: count('total'), available: count('available'), held: count('held'), sold: count('sold') },
    ...{ seq: count('seq'), epoch: count('epoch'), outbox, holds, fields },
    oldest_deadline: oldest[1] === undefined ? undefined : Number(oldest[1]),
    fenced: fields['run_id'] !== (of === 1 ? run_id : `${run_id}/${of}`),
  }
}
