import type { Clock } from '../../platform/clock.ts'
import { connectProducer, type KafkaProducer } from '../../platform/kafka.ts'
import type { TopicLayout } from '../../platform/kafka-settings.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { type DeadLetters, kafkaDeadLetters, letterOf } from './dead-letters.ts'
import { BATCH, type OnRetry, repeat, type RetryOptions, untilDone } from './delivery.ts'
import { type OutboxEntry, parseDelivery } from './entry.ts'
import { acknowledge, confirm, oldEntries } from './outbox-commands.ts'
import { openOutbox } from './outbox.ts'
import { allIdle, createStep } from './pipeline.ts'
import { createTopics, toMessage, TOPICS, type Topics } from './topics.ts'

export interface RelayOptions {
  readonly redis: RedisConnection
  readonly brokers: readonly string[]
  readonly clock: Clock
  /** Name of this relay: stable over restarts and unique among the relays that run. */
  readonly consumer: string
  readonly batchSize?: number
  /** What a relay does not finish in this time is given to another, in milliseconds. */
  readonly takeOverAfterMs?: number
  /** An entry SQL has not confirmed after this time is published again, in milliseconds. */
  readonly republishAfterMs?: number
  readonly topics?: Topics
  readonly layout?: TopicLayout
  readonly onRetry?: OnRetry
  /** Hears what is wrong with the topics and only an operator can change. */
  readonly tell?: (message: string) => void
  /** Called between Kafka's acknowledgement and ours; tests stop the relay there. */
  readonly onPublished?: () => Promise<void>
}

export interface Relay {
  /** Carries entries to Kafka until the signal is aborted; finishes the batch under way first. */
  run(signal: AbortSignal): Promise<void>
}

interface Kafka {
  readonly producer: KafkaProducer
  readonly letters: DeadLetters
}

const GROUP = 'relay'
const LONGEST_REPUBLISH_MS = 120_000

/**
 * Brings every outbox entry to Kafka, at least once. An entry is acknowledged in the relay's group only after
 * Kafka has it on all in-sync replicas, and stays in the outbox until SQL has confirmed its effect; one that
 * is still there after `republishAfterMs` is published again, because Kafka may have lost its tail.
 */
export function createRelay(options: RelayOptions): Relay {
  const { redis, clock, consumer, batchSize = BATCH, takeOverAfterMs = 5000, topics = TOPICS } = options
  const { republishAfterMs = 30_000, onRetry = () => undefined, onPublished } = options
  const cluster = { brokers: options.brokers, clientId: consumer }

  /** Kept in hand until Kafka has it: nothing later overtakes it. Answers how to acknowledge it; undefined where it was stopped before. */
  const publish = async (
    entries: readonly OutboxEntry[],
    { producer, letters }: Kafka,
    retry: RetryOptions,
  ) => {
    const sorted = entries.map((entry) => ({ entry, delivery: parseDelivery(entry) }))
    const unreadable = sorted.flatMap(({ entry, delivery }) => (delivery ? [] : entry))
    const messages = sorted.flatMap(({ delivery }) => (delivery ? toMessage(topics.orders, delivery) : []))
    const bring = async () => {
      await producer.send(messages)
      await letters.add(unreadable.map((entry) => letterOf(entry, 'not an event', clock.now())))
    }
    if ((await untilDone('bring events to Kafka', bring, retry)) === undefined) return undefined
    return async () => {
      await onPublished?.()
      const done = async () => {
        await acknowledge(redis.commands, GROUP, entries)
        // Nobody downstream will ever confirm these.
        await confirm(redis.commands, unreadable)
      }
      await untilDone('acknowledge events', done, retry)
    }
  }

  return {
    run: async (signal) => {
      const retry = { clock, signal, onRetry }
      const producer = connectProducer(cluster)
      const kafka = { producer, letters: kafkaDeadLetters(cluster, producer, topics.deadLetters) }
      const opening = async () => {
        await createTopics(cluster, topics, options.layout, options.tell)
        return openOutbox({ redis, clock, group: GROUP, consumer, takeOverAfterMs })
      }
      const outbox = (await untilDone('open the outbox', opening, retry))?.result
      const unconfirmed = createUnconfirmed(redis, clock, republishAfterMs, batchSize)
      // While Kafka takes a batch the one before is acknowledged, and where more than a batch waits the next is read.
      const [publishing, acknowledging] = [createStep(), createStep()]
      let stopped = false
      const carry = (entries: readonly OutboxEntry[]) =>
        publishing.begin(async () => {
          const acknowledgement = stopped ? undefined : await publish(entries, kafka, retry)
          stopped = acknowledgement === undefined
          if (acknowledgement !== undefined) await acknowledging.begin(acknowledgement)
        })
      await repeat(
        'relay events to Kafka',
        async (progress) => {
          try {
            const fresh = (await outbox?.read(batchSize)) ?? []
            for (let start = 0; start < fresh.length; start += batchSize)
              await carry(fresh.slice(start, start + batchSize))
            if (fresh.length < batchSize) await publishing.idle()
            const again = await unconfirmed.next()
            if (again.length > 0) await carry(again)
          } catch (error) {
            // It reads anew what is not acknowledged: nothing of that may be under way.
            await allIdle(publishing, acknowledging)
            throw error
          }
          progress()
        },
        retry,
      )
      await allIdle(publishing, acknowledging)
      await outbox?.close()
      await producer.close()
    },
  }
}

/**
 * Walks through the entries older than `afterMs`, a page at a call. A walk starts `afterMs` after the last one
 * ended, and twice as late each time it meets the same oldest entry again: while SQL is down, publishing the
 * same again and again would only make the pile higher.
 */
function createUnconfirmed(redis: RedisConnection, clock: Clock, afterMs: number, pageSize: number) {
  let pages: AsyncGenerator<OutboxEntry[]> | undefined
  let nextWalk = clock.now()
  let wait = afterMs
  let oldest = ''
  return {
    next: async (): Promise<OutboxEntry[]> => {
      if (pages === undefined && clock.now() < nextWalk) return []
      const first = pages === undefined
      pages ??= oldEntries(redis.commands, afterMs, pageSize)
      const page = (await pages.next()).value as OutboxEntry[] | undefined
      if (first) {
        const met = page?.[0] ? `${page[0].owner}:${page[0].outbox_id}` : ''
        wait = met !== '' && met === oldest ? Math.min(wait * 2, LONGEST_REPUBLISH_MS) : afterMs
        oldest = met
      }
      if (page !== undefined) return page
      pages = undefined
      nextWalk = clock.now() + wait
      return []
    },
  }
}
