import type { Admin } from '@platformatic/kafka'
import { createBreaker } from './breaker.ts'
import { isConnectionError, SettingError } from './errors.ts'
import type { TopicLayout } from './kafka-settings.ts'

/** What is asked of the cluster itself; the rest is in kafka.ts. */

export interface Cluster {
  readonly brokers: readonly string[]
  readonly clientId: string
}

export interface Topic extends Partial<TopicLayout> {
  readonly name: string
  readonly partitions: number
  /** Keeps only the newest message of each key, for ever. */
  readonly compacted?: boolean
}

/** Loaded when it is needed: it takes longer than all the rest of a process, and the embedded profile has no Kafka. */
export const loadClient = () => import('@platformatic/kafka')

export const base = ({ brokers, clientId }: Cluster) => ({
  clientId,
  bootstrapBrokers: [...brokers],
  connectTimeout: 2000,
  // Of a broker that hangs: longer than it may keep a fetch (`maxWaitTime`) or a rebalance waiting.
  requestTimeout: 15_000,
  retries: 3,
  retryDelay: 200,
  // Until a new leader, or a new partition, is known where nothing has failed.
  metadataMaxAge: 2000,
})

/** One for each client: they fail one by one, and what they do with it is theirs. */
export const kafkaBreaker = () => createBreaker({ name: 'Kafka', isFailure: isConnectionError, failures: 3 })

export async function withAdmin<T>(cluster: Cluster, work: (admin: Admin) => Promise<T>): Promise<T> {
  const { Admin } = await loadClient()
  const admin = new Admin(base(cluster))
  try {
    return await work(admin)
  } finally {
    await admin.close().catch(() => undefined)
  }
}

/** Copies of each message, where nobody says how many. */
const USUAL_COPIES = 3

/**
 * Creates the topics that do not exist, and gives those that have too few partitions more. What an existing topic lacks
 * and only an operator can change is told, a sentence each. Throws while there are too few brokers for the copies asked for.
 */
export function ensureTopics(
  cluster: Cluster,
  topics: readonly Topic[],
  tell: (message: string) => void = () => undefined,
): Promise<void> {
  return withAdmin(cluster, async (admin) => {
    const { brokers } = await admin.metadata({ topics: [] })
    // One that is away for a moment has its address in the settings still.
    const nodes = Math.max(brokers.size, cluster.brokers.length)
    for (const topic of topics) {
      const replicas = topic.replication ?? Math.min(USUAL_COPIES, nodes)
      const found = await describeTopic(admin, topic.name)
      if (found === undefined) await create(admin, topic, replicas)
      else if (found !== 'leaderless') {
        await grow(admin, topic, found.partitions)
        if (found.copies < replicas)
          tell(
            `The Kafka topic ${topic.name} has ${found.copies} of the ${replicas} copies asked for (KAFKA_REPLICATION): give it more with kafka-reassign-partitions`,
          )
      }
    }
  })
}

/**
 * Undefined: there is no such topic. `leaderless`: there is, and of one of its partitions too few copies are there to say
 * more. The client can list all topics only while each of them, anybody's, has all its leaders; so each of ours is asked for.
 */
async function describeTopic(
  admin: Admin,
  name: string,
): Promise<{ partitions: number; copies: number } | 'leaderless' | undefined> {
  try {
    const { topics } = await admin.metadata({ topics: [name], forceUpdate: true, retries: 0 })
    const known = topics.get(name)
    if (known === undefined) return undefined
    const copies = known.partitions.map(({ replicas }) => replicas.length)
    return { partitions: known.partitionsCount, copies: Math.min(...copies) }
  } catch (error) {
    if (says(error, 'LEADER_NOT_AVAILABLE')) return 'leaderless'
    if (String(error).includes(`Unknown topic ${name}`)) return undefined
    throw error
  }
}

async function create(admin: Admin, topic: Topic, replicas: number): Promise<void> {
  const { name, partitions, compacted, minInSync = replicas < 3 ? 1 : 2 } = topic
  if (minInSync > replicas)
    throw new SettingError(
      `KAFKA_MIN_IN_SYNC is ${minInSync}, and the Kafka topic ${name} would have ${replicas} of these copies: nothing could be written`,
    )
  const configs = [
    { name: 'min.insync.replicas', value: String(minInSync) },
    ...(compacted ? [{ name: 'cleanup.policy', value: 'compact' }] : []),
  ]
  await admin.createTopics({ topics: [name], partitions, replicas, configs }).catch((error: unknown) => {
    // Two processes may create a topic at once; the later one hears that it exists.
    if (!says(error, 'TOPIC_ALREADY_EXISTS')) throw error
  })
}

/** Events of one buyer may then be in two partitions and overtake each other, which SQL does not mind. */
async function grow(admin: Admin, { name, partitions }: Topic, existing: number): Promise<void> {
  if (existing >= partitions) return
  await admin.createPartitions({ topics: [{ name, count: partitions }] }).catch((error: unknown) => {
    // Another process was faster.
    if (!says(error, 'INVALID_PARTITIONS')) throw error
  })
}

function says(error: unknown, what: string): boolean {
  if (!(error instanceof Error)) return false
  const parts: unknown[] = error instanceof AggregateError ? error.errors : []
  return ('apiId' in error && error.apiId === what) || parts.some((part) => says(part, what))
}

/** Of each partition of a topic the offset after its last message. Throws where the cluster does not tell all of them. */
export async function endOffsets(admin: Admin, topic: string): Promise<Map<number, bigint>> {
  const { topics } = await admin.metadata({ topics: [topic] })
  const count = topics.get(topic)?.partitionsCount ?? 0
  const partitions = Array.from({ length: count }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp: -1n,
  }))
  // Each broker answers for the partitions it leads.
  const listed = await admin.listOffsets({ topics: [{ name: topic, partitions }] })
  const known = listed.filter(({ name }) => name === topic).flatMap((one) => one.partitions)
  const ends = new Map(known.map(({ partitionIndex, offset }) => [partitionIndex, offset]))
  if (ends.size === 0 || ends.size < count) throw new Error(`Kafka does not tell where ${topic} ends`)
  return ends
}
