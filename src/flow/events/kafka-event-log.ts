import type { Clock } from '../../platform/clock.ts'
import {
  connectConsumer,
  connectProducer,
  kafkaBreaker,
  type KafkaConsumer,
  type KafkaRecord,
} from '../../platform/kafka.ts'
import type { TopicLayout } from '../../platform/kafka-settings.ts'
import { groupCaughtUp, groupLag } from '../../platform/kafka-progress.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { kafkaDeadLetters, letterOfRejection, replayDeadLetter } from './dead-letters.ts'
import {
  BATCH,
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
import { allIdle, createStep } from './pipeline.ts'
import { createPostponed, keyOf, type Postponed } from './postponed.ts'
import { createTopics, parseRecord, TOPICS, type Topics, WORKERS } from './topics.ts'
import { createWatermark, type Watermark } from './watermark.ts'

export interface KafkaEventLogOptions {
  readonly brokers: readonly string[]
  /** Where the outboxes are, to confirm what was done. */
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Name of this worker: stable over restarts and unique among the workers that run. */
  readonly consumer: string
  /** Most events that the handler is given at a time; fewer where no more wait. */
  readonly batchSize?: number
  /** A worker not heard of for so long is dead, in milliseconds. */
  readonly sessionTimeoutMs?: number
  /** Longest wait for the workers to reach the end the log had when it was asked for, in milliseconds. */
  readonly drainMs?: number
  readonly topics?: Topics
  readonly layout?: TopicLayout
  readonly group?: string
  readonly onRetry?: OnRetry
  /** Hears what is wrong with the topics and only an operator can change. */
  readonly tell?: (message: string) => void
}

const WAIT_MS = 500

interface Session {
  readonly consumer: KafkaConsumer
  readonly postponed: Postponed
  readonly watermark: Watermark
  /** What was postponed has been done since this was asked last, and Kafka does not know it yet. */
  readonly behind: () => boolean
}

/** The full profile: the worker reads what the relay brought from the outboxes to Kafka. */
export function createKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  const { brokers, redis, clock, consumer: name, batchSize = BATCH, topics = TOPICS } = options
  const { group = WORKERS, sessionTimeoutMs = 6000, drainMs = 5000, onRetry = () => undefined } = options
  const cluster = { brokers, clientId: name }
  const producer = connectProducer(cluster)
  // Of what is asked for operators, who ask again and again; consuming has its own pace.
  const breaker = kafkaBreaker()
  const deadLetters = kafkaDeadLetters(cluster, producer, topics.deadLetters)

  const openTopics = () => createTopics(cluster, topics, options.layout, options.tell)

  const join = async () => {
    await openTopics()
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

  /** Answers how to confirm the batch once SQL has it; undefined where it was stopped before: its offsets stay uncommitted. */
  const handle = async (
    records: readonly KafkaRecord[],
    handler: Handler,
    { consumer, postponed, watermark }: Omit<Session, 'behind'>,
    retry: RetryOptions,
  ) => {
    const sorted = records.map((record) => ({ record, delivery: parseRecord(record) }))
    const deliveries = sorted.flatMap(({ delivery }) => delivery ?? [])
    const handling = () => postponed.handle(handler, deliveries, retry.signal)
    const handled = (await untilDone('handle events', handling, retry))?.result
    if (handled === undefined) return undefined
    const { done, rejections } = handled
    const through = new Set(done)
    // At once: what was postponed may be done before the rest is confirmed.
    for (const { record, delivery } of sorted)
      if (delivery !== undefined && !through.has(delivery)) watermark.hold(keyOf(delivery), record)
    const letters = sorted.flatMap(({ record, delivery }) =>
      delivery ? [] : letterOfRecord(record, clock.now()),
    )
    return async () => {
      // Before the commit: a worker that dies in between gets the records again. After it, nobody would take the entries
      // off the outboxes until the relay publishes them anew.
      if (!(await confirmAll(done.map(placeOf), [...rejected(rejections), ...letters], retry))) return
      for (const delivery of done) watermark.release(keyOf(delivery))
      watermark.pass(records)
      // Throws where Kafka is lost. What the group gave away meanwhile is left out: it comes again, to us or to its new owner.
      await consumer.commit(watermark.committable())
    }
  }

  /** From joining the group until it is lost or the signal is aborted. Throws where it was lost. */
  const session = async (
    handler: Handler,
    { behind, ...current }: Session,
    progress: () => void,
    retry: RetryOptions,
  ) => {
    const { consumer, watermark } = current
    // While SQL commits a batch the one before is confirmed, and where more than a batch waits the next is read.
    const [handling, confirming] = [createStep(), createStep()]
    let stopped = false
    try {
      while (!retry.signal.aborted && !stopped) {
        const records = await consumer.next(batchSize, WAIT_MS, retry.signal)
        if (records.length > 0)
          await handling.begin(async () => {
            const confirmation = stopped ? undefined : await handle(records, handler, current, retry)
            stopped = confirmation === undefined
            if (confirmation !== undefined) await confirming.begin(() => confirmation().then(progress))
          })
        if (records.length < batchSize) await handling.idle()
        if (records.length === 0) await confirming.idle()
        // Here, where a commit that fails begins a new session: who asks would wait for its offset for ever.
        if (records.length === 0 && behind()) await consumer.commit(watermark.committable())
      }
    } finally {
      await allIdle(handling, confirming).finally(() => consumer.close())
    }
  }

  return {
    consume: async (handler, signal) => {
      const retry = { clock, signal, onRetry }
      let watermark = createWatermark()
      /** What was postponed is done, and Kafka does not know it yet. */
      let behind = false
      const postponed = createPostponed(async ({ done, rejections }) => {
        if (!(await confirmAll(done.map(placeOf), rejected(rejections), retry))) return
        for (const delivery of done) watermark.release(keyOf(delivery))
        behind = true
      })
      const isBehind = () => {
        const was = behind
        behind = false
        return was
      }
      await repeat(
        'consume from Kafka',
        async (progress) => {
          const consumer = await join()
          // What is still postponed comes again from where we committed, and is held again.
          watermark = createWatermark()
          await session(handler, { consumer, postponed, watermark, behind: isBehind }, progress, retry)
        },
        retry,
      )
      await postponed.settled()
    },
    backlog: () => countEntries(redis.commands),
    drained: async () => {
      try {
        await openTopics()
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
        await openTopics()
        return (await deadLetters.list()).slice(0, max)
      }),
    replay: (id) =>
      breaker.run(async () => {
        await openTopics()
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
