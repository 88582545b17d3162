/**
 * A worker or relay of `flow/events` in a process of its own, for tests to kill. It reports on standard output
 * and, as told, hangs at the point where it is to die.
 */
import { systemClock } from '../../src/platform/clock.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import {
  createKafkaEventLog,
  createRedisStreamEventLog,
  createRelay,
  type Topics,
} from '../../src/flow/events/events.ts'

export type EventProcess =
  | { readonly role: 'redis-worker'; readonly redisUrl: string; readonly consumer: string }
  | (OnKafka & { readonly role: 'kafka-worker'; readonly group: string })
  /** Hangs after Kafka has acknowledged, before it acknowledges itself. */
  | (OnKafka & { readonly role: 'relay' })

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

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '') as EventProcess
  const redis = await connectRedis({ url: options.redisUrl })
  const forEver = new AbortController().signal
  const common = { ...options, redis, clock: systemClock }
  if (options.role === 'relay') await createRelay({ ...common, ...options, onPublished: hang }).run(forEver)
  else if (options.role === 'redis-worker')
    await createRedisStreamEventLog({ ...common, ...options }).consume(hang, forEver)
  else await createKafkaEventLog({ ...common, ...options, sessionTimeoutMs: 1500 }).consume(hang, forEver)
}
