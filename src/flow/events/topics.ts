import { ensureTopics, type KafkaRecord } from '../../platform/kafka.ts'
import { DEFAULT_LAYOUT, type TopicLayout } from '../../platform/kafka-settings.ts'
import type { Delivery } from './delivery.ts'
import { parseEvent, parseJson } from './entry.ts'

export interface Cluster {
  readonly brokers: readonly string[]
  readonly clientId: string
}

export interface Topics {
  /** Keyed by user_id; value: JSON of a `Delivery`. */
  readonly orders: string
  /** Keyed by the dead letter's id; value: JSON of a `DeadLetter`, or nothing once it was replayed. */
  readonly deadLetters: string
}

export const TOPICS: Topics = {
  orders: 'doorbuster.orders',
  deadLetters: 'doorbuster.orders.dead-letter',
}

/** The consumer group of the order workers. */
export const WORKERS = 'orders'

/** `tell` hears what is not as asked for and only an operator can change. */
export function createTopics(
  cluster: Cluster,
  topics: Topics,
  layout: TopicLayout = DEFAULT_LAYOUT,
  tell?: (message: string) => void,
): Promise<void> {
  const wanted = [
    { ...layout, name: topics.orders },
    { ...layout, name: topics.deadLetters, partitions: 1, compacted: true },
  ]
  return ensureTopics(cluster, wanted, tell)
}

export const toMessage = (topic: string, delivery: Delivery) => ({
  topic,
  key: delivery.event.user_id,
  value: JSON.stringify(delivery),
})

/** The delivery in a record, held to the same rules as an outbox entry; undefined where it is none. */
export function parseRecord(record: KafkaRecord): Delivery | undefined {
  const message = parseJson(record.value ?? '')
  if (typeof message !== 'object' || message === null) return undefined
  const { outbox_id, part, event } = message as { outbox_id?: unknown; part?: unknown; event?: unknown }
  if (typeof outbox_id !== 'string') return undefined
  const parsed = parseEvent(event)
  if (parsed === undefined || !(part === undefined || typeof part === 'string')) return undefined
  return { outbox_id, ...(part === undefined ? {} : { part }), event: parsed }
}
