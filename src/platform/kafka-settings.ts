import { z } from 'zod'
import { SettingError } from './errors.ts'
import { list } from './setting-shapes.ts'

/** How the topics of orders are laid out. */
export interface TopicLayout {
  /** At most so many workers share the work. A topic that has fewer is grown. */
  readonly partitions: number
  /** Brokers that keep a copy; undefined: three, or as many as there are where those are fewer. */
  readonly replication: number | undefined
  /** Copies there must be before Kafka acknowledges; undefined: two, or one of fewer than three. */
  readonly minInSync: number | undefined
}

export const DEFAULT_LAYOUT: TopicLayout = { partitions: 6, replication: undefined, minInSync: undefined }

const copies = z.coerce.number().int().min(1).max(32).optional()

export const KAFKA_ENVIRONMENT = {
  KAFKA_BROKERS: list,
  KAFKA_PARTITIONS: z.coerce.number().int().min(1).max(1000).default(DEFAULT_LAYOUT.partitions),
  KAFKA_REPLICATION: copies,
  KAFKA_MIN_IN_SYNC: copies,
}

export function readTopicLayout(
  env: z.output<z.ZodObject<Omit<typeof KAFKA_ENVIRONMENT, 'KAFKA_BROKERS'>>>,
): TopicLayout {
  const { KAFKA_PARTITIONS: partitions, KAFKA_REPLICATION: replication, KAFKA_MIN_IN_SYNC: minInSync } = env
  if (minInSync !== undefined && minInSync > (replication ?? 3))
    throw new SettingError(
      'KAFKA_MIN_IN_SYNC is more than the copies there are (KAFKA_REPLICATION): nothing could be written',
    )
  return { partitions, replication, minInSync }
}
