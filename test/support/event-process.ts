/**
 * A worker or relay of `flow/events` in a process of its own, for tests to kill. It reports on standard output
 * and, as told, hangs at the point where it is to die.
 */
import { orderConsumer } from '../../src/flow/orders/consumer.ts'
import { createOrders } from '../../src/flow/orders/orders.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { connectShards } from '../../src/platform/shards/shards.ts'
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts'
import { createLog } from '../../src/platform/telemetry.ts'
import {
  createKafkaEventLog,
  createRedisStreamEventLog,
  createRelay,
  type Handler,
  type Topics,
} from '../../src/flow/events/events.ts'

export type EventProcess =
  | (Dying & { readonly role: 'redis-worker'; readonly redisUrl: string; readonly consumer: string })
  | (Dying & OnKafka & { readonly role: 'kafka-worker'; readonly group: string })
  /** Hangs after Kafka has acknowledged, before it acknowledges itself. */
  | (OnKafka & { readonly role: 'relay' })

/** Where a worker hangs: with a batch in hand, or when the batch is done and is to leave the outbox. */
interface Dying {
  readonly at?: 'handler' | 'outbox'
  /** Does not hang, but writes orders here, the first batch late enough to be frozen with it in hand. */
  readonly databaseUrls?: readonly string[]
}

interface OnKafka {
  readonly redisUrl: string
  readonly consumer: string
  readonly brokers: readonly string[]
  readonly topics: Topics
}

/** Tells the test that the process is where it is to be killed, and stays there. */
const hang = (): Promise<never> => {
  process.stdout.write('reached\n')
  return new Promise(() => undefined)
}

/** Says `reached` with its first batch in hand, `written` when it has done that after all. */
function slowOrderWorker(urls: readonly string[]): Handler {
  const log = createLog('silent', 'worker')
  const work = orderConsumer({
    orders: createOrders({ shards: connectShards(urls) }),
    log,
    clock: systemClock,
  })
  let first = true
  return async (batch, postponing) => {
    if (!first) return work(batch, postponing)
    first = false
    process.stdout.write('reached\n')
    await systemClock.sleep(500)
    const rejections = await work(batch, postponing)
    process.stdout.write('written\n')
    return rejections
  }
}

/** A connection that never takes anything off an outbox. */
function withoutDeletes(redis: RedisConnection): RedisConnection {
  const chain = { xack: () => chain, xdel: () => chain, exec: hang }
  const commands = new Proxy(redis.commands, {
    get: (target, name) => {
      if (name === 'xdel') return hang
      if (name === 'multi') return () => chain
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { ...redis, commands }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '') as EventProcess
  const redis = await connectRedis({ url: options.redisUrl })
  const forEver = new AbortController().signal
  const common = { ...options, redis, clock: systemClock }
  if (options.role === 'relay') await createRelay({ ...common, ...options, onPublished: hang }).run(forEver)
  else {
    const isDone = options.at === 'outbox'
    const parts = { ...common, redis: isDone ? withoutDeletes(redis) : redis }
    const handler: Handler =
      options.databaseUrls !== undefined
        ? slowOrderWorker(options.databaseUrls)
        : isDone
          ? async () => []
          : hang
    const log =
      options.role === 'redis-worker'
        ? createRedisStreamEventLog({ ...parts, consumer: options.consumer })
        : createKafkaEventLog({ ...options, ...parts, sessionTimeoutMs: 1500 })
    await log.consume(handler, forEver)
  }
}
