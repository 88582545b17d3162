import { Admin } from '@platformatic/kafka'
import { createBreaker } from './breaker.ts'
import { isConnectionError } from './errors.ts'

/** What is asked of the cluster itself; the rest is in kafka.ts. */

export interface Cluster {
  readonly brokers: readonly string[]
  readonly clientId: string
}

export interface Topic {
  readonly name: string
  readonly partitions: number
  /** Keeps only the newest message of each key, for ever. */
  readonly compacted?: boolean
}

export const base = ({ brokers, clientId }: Cluster) => ({
  clientId,
  bootstrapBrokers: [...brokers],
  connectTimeout: 2000,
  // Of a broker that hangs: longer than it may keep a fetch (`maxWaitTime`) or a rebalance waiting.
  requestTimeout: 15_000,
  retries: 3,
  retryDelay: 200,
})

/** One for each client: they fail one by one, and what they do with it is theirs. */
export const kafkaBreaker = () => createBreaker({ name: 'Kafka', isFailure: isConnectionError, failures: 3 })

export async function withAdmin<T>(cluster: Cluster, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin(base(cluster))
  try {
    return await work(admin)
  } finally {
    await admin.close().catch(() => undefined)
  }
}

/** Creates the topics that do not exist. The cluster's own default decides how often they are replicated. */
export function ensureTopics(cluster: Cluster, topics: readonly Topic[]): Promise<void> {
  return withAdmin(cluster, async (admin) => {
    const existing = new Set(await admin.listTopics())
    for (const { name, partitions, compacted } of topics) {
      if (existing.has(name)) continue
      const configs = compacted ? [{ name: 'cleanup.policy', value: 'compact' }] : []
      // -1: as many replicas as the cluster says.
      await admin
        .createTopics({ topics: [name], partitions, replicas: -1, configs })
        .catch((error: unknown) => {
          if (!saysTopicExists(error)) throw error
        })
    }
  })
}

/** Two processes may create a topic at once; the later one hears that it exists. */
function saysTopicExists(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const parts: unknown[] = error instanceof AggregateError ? error.errors : []
  return ('apiId' in error && error.apiId === 'TOPIC_ALREADY_EXISTS') || parts.some(saysTopicExists)
}

/** Offset after the last message of the only partition of a topic. */
export const endOffset = (cluster: Cluster, topic: string): Promise<bigint> =>
  withAdmin(cluster, async (admin) => {
    const [listed] = await admin.listOffsets({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
    })
    return listed?.partitions[0]?.offset ?? 0n
  })
