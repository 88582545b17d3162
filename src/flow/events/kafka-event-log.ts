import type { Clock } from '../../platform/clock.ts'
import {
  connectConsumer,
  connectProducer,
  kafkaBreaker,
  type KafkaConsumer,
  type KafkaRecord,
} from '../../platform/kafka.ts'
import { groupCaughtUp, groupLag } from '../../platform/kafka-progress.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { kafkaDeadLetters, letterOfRejection, replayDeadLetter } from './dead-letters.ts'
import {
  type DeadLetter,
  type EventLog,
  type Handler,
  type OnRetry,
  type Rejection,
  repeat,
  type RetryOptions,
  untilDone,
} from './delivery.ts'
import { confirm, countEntries, type EntryPlace, measureEntries, placeOf } from './outbox-commands.ts'
import { createPostponed, keyOf, type Postponed } from './postponed.ts'
import { createTopics, parseRecord, TOPICS, type Topics } from './topics.ts'
import { createWatermark, type Watermark } from './watermark.ts'

export interface KafkaEventLogOptions {
  readonly brokers: readonly string[]
  /** Where the outboxes are, to confirm what was done. */
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Name of this worker: stable over restarts and unique among the workers that run. */
  readonly consumer: string
  readonly batchSize?: number
  /** A worker not heard of for so long is dead, in milliseconds. */
  readonly sessionTimeoutMs?: number
  /** Longest wait for the workers to reach the end the log had when it was asked for, in milliseconds. */
  readonly drainMs?: number
  readonly topics?: Topics
  readonly group?: string
  readonly onRetry?: OnRetry
}

const WAIT_MS = 500

interface Session {
  readonly postponed: Postponed
  readonly watermark: Watermark
}

/** The full profile: the worker reads what the relay brought from the outboxes to Kafka. */
export function createKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  const { brokers, redis, clock, consumer: name, batchSize = 256, topics = TOPICS } = options
  const { group = 'orders', sessionTimeoutMs = 6000, drainMs = 5000, onRetry = () => undefined } = options
  const cluster = { brokers, clientId: name }
  const producer = connectProducer(cluster)
  // Of what is asked for operators, who ask again and again; consuming has its own pace.
  const breaker = kafkaBreaker()
  const deadLetters = kafkaDeadLetters(cluster, producer, topics.deadLetters)

  const join = async () => {
    await createTopics(cluster, topics)
    return connectConsumer({
      ...cluster,
      group,
      topic: topics.orders,
      instanceId: name,
      sessionTimeoutMs,
    })
  }

  const rejected = (rejections: readonly Rejection[]) =>
    rejections.map((rejection) => letterOfRejection(rejection, clock.now()))

  /** Writes the dead letters, then takes the entries off the outboxes; false when it was stopped before. */
  const confirmAll = async (
    places: readonly EntryPlace[],
    letters: readonly DeadLetter[],
    retry: RetryOptions,
  ) => {
    const buried = await untilDone('write dead letters', () => deadLetters.add(letters), retry)
    if (buried === undefined) return false
    return (await untilDone('confirm events', () => confirm(redis.commands, places), retry)) !== undefined
  }

  /** False when it was stopped before the batch was done: its offsets stay uncommitted. */
  const settle = async (
    consumer: KafkaConsumer,
    records: readonly KafkaRecord[],
    handler: Handler,
    { postponed, watermark }: Session,
    retry: RetryOptions,
  ) => {
    const sorted = records.map((record) => ({ record, delivery: parseRecord(record) }))
    const deliveries = sorted.flatMap(({ delivery }) => delivery ?? [])
    const handled = await untilDone(
      'handle events',
      () => postponed.handle(handler, deliveries, retry.signal),
      retry,
    )
    if (handled === undefined) return false
    const { done, rejections } = handled.result
    const letters = sorted.flatMap(({ record, delivery }) =>
      delivery ? [] : letterOfRecord(record, clock.now()),
    )
    // Before the commit: a worker that dies in between gets the records again. After it, nobody would take the entries
    // off the outboxes until the relay publishes them anew.
    if (!(await confirmAll(done.map(placeOf), [...rejected(rejections), ...letters], retry))) return false
    for (const delivery of done) watermark.release(keyOf(delivery))
    const through = new Set(done)
    for (const { record, delivery } of sorted)
      if (delivery !== undefined && !through.has(delivery)) watermark.hold(keyOf(delivery), record)
    watermark.pass(records)
    // A lost membership throws here; the records then come again, to us or to the partition's new owner.
    await consumer.commit(watermark.committable())
    return true
  }

  return {
    consume: async (handler, signal) => {
      const retry = { clock, signal, onRetry }
      let consumer: KafkaConsumer | undefined
      let watermark = createWatermark()
      /** What was postponed is done, and Kafka does not know it yet. */
      let behind = false
      const postponed = createPostponed(async ({ done, rejections }) => {
        if (!(await confirmAll(done.map(placeOf), rejected(rejections), retry))) return
        for (const delivery of done) watermark.release(keyOf(delivery))
        behind = true
      })
      await repeat(
        'consume from Kafka',
        async (progress) => {
          consumer = await join()
          // What is still postponed comes again from where we committed, and is held again.
          watermark = createWatermark()
          try {
            while (!signal.aborted) {
              const records = await consumer.next(batchSize, WAIT_MS, signal)
              // Here, where a commit that fails begins a new session: who asks would wait for its offset for ever.
              if (behind) {
                behind = false
                await consumer.commit(watermark.committable())
              }
              if (records.length === 0) continue
              if (!(await settle(consumer, records, handler, { postponed, watermark }, retry))) return
              progress()
            }
          } finally {
            await consumer.close()
            consumer = undefined
          }
        },
        retry,
      )
      await postponed.settled()
    },
    backlog: () => countEntries(redis.commands),
    drained: async () => {
      try {
        await createTopics(cluster, topics)
        return await groupCaughtUp(cluster, { group, topic: topics.orders, withinMs: drainMs })
      } catch (error) {
        onRetry('ask Kafka how far the workers are', error)
        return false
      }
    },
    inspect: async () => {
      const lag = breaker.run(() => groupLag(cluster, group, topics.orders)).catch(() => null)
      return { items: await measureEntries(redis.commands), consumer_lag: await lag }
    },
    deadLetters: (max) =>
      breaker.run(async () => {
        await createTopics(cluster, topics)
        return (await deadLetters.list()).slice(0, max)
      }),
    replay: (id) =>
      breaker.run(async () => {
        await createTopics(cluster, topics)
        return replayDeadLetter(redis.commands, deadLetters, id)
      }),
    close: () => producer.close(),
  }
}

/** A record that is no event of ours has no item; its place in the log names it. */
function letterOfRecord({ topic, partition, offset, key, value }: KafkaRecord, at: number): DeadLetter {
  const place = `${partition}-${offset}`
  return {
    id: `${topic}:${place}`,
    item_id: topic,
    outbox_id: place,
    reason: 'not an event',
    fields: { key, value: value ?? '' },
    at,
  }
}
