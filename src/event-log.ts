import {
  createKafkaEventLog,
  createRedisStreamEventLog,
  createRelay,
  type EventLog,
  type Relay,
} from './flow/events/events.ts'
import { shiftedClock, type Clock } from './platform/clock.ts'
import type { Config } from './platform/config.ts'
import { connectRedis, type RedisConnection } from './platform/redis.ts'
import { createLog, type Log } from './platform/telemetry.ts'

interface LogParts {
  readonly redis: RedisConnection
  readonly clock: Clock
  readonly log: Log
  readonly consumer: string
}

/** The event log of the profile. */
export function createEventLog(config: Config, { log, ...parts }: LogParts): EventLog {
  const onRetry = (what: string, error: unknown) => log.warn({ err: error, what }, 'trying again')
  return config.profile === 'full'
    ? createKafkaEventLog({ ...parts, ...onKafka(config, log), onRetry })
    : createRedisStreamEventLog({ ...parts, onRetry })
}

function onKafka({ kafkaBrokers, kafkaLayout }: Config, log: Log) {
  const told = new Set<string>()
  const tell = (message: string) => {
    if (!told.has(message)) log.warn(message)
    told.add(message)
  }
  return { brokers: kafkaBrokers, layout: kafkaLayout, tell }
}

/** Only the full profile has one; it needs the outboxes and Kafka, no SQL. */
export async function createRelayApp(
  config: Config,
): Promise<Relay & { readonly redis: RedisConnection; close(): Promise<void> }> {
  const log = createLog(config.logLevel, 'relay')
  const redis = await connectRedis({
    url: config.redis.url,
    onError: (error) => log.warn({ err: error }, 'connection'),
  })
  const relay = createRelay({
    ...onKafka(config, log),
    redis,
    clock: shiftedClock(config.clockOffsetMs),
    consumer: config.workerName,
    onRetry: (what, error) => log.warn({ err: error, what }, 'trying again'),
  })
  return { ...relay, redis, close: () => redis.close() }
}
