/**
 * The order log: what was taken from stock, on its way to SQL.
 *
 *     outbox stream (written by the claim script) ─> RedisStreamEventLog ─> handler      embedded profile
 *     outbox stream ─> relay ─> Kafka topic ─> KafkaEventLog ─> handler                  full profile
 *
 * An entry leaves the outbox only after the handler made its effect durable, so whatever dies on the way, the
 * outbox still knows it. Delivery is at least once: handlers are idempotent.
 */
export { letterOfRejection } from './dead-letters.ts'
export type {
  DeadLetter,
  Delivery,
  EventLog,
  Handler,
  OnRetry,
  Postponing,
  Rejection,
  Replay,
} from './delivery.ts'
export { parseEntry } from './entry.ts'
export { createKafkaEventLog, type KafkaEventLogOptions } from './kafka-event-log.ts'
export { createRedisStreamEventLog, type RedisStreamEventLogOptions } from './redis-stream-event-log.ts'
export { createRelay, type Relay, type RelayOptions } from './relay.ts'
export { TOPICS, type Topics, WORKERS } from './topics.ts'
