import type { Consumer, Message, MessagesStream } from '@platformatic/kafka'
import { systemClock } from './clock.ts'
import { base, type Cluster, endOffsets, kafkaBreaker, loadClient, withAdmin } from './kafka-admin.ts'

export { ensureTopics, kafkaBreaker } from './kafka-admin.ts'

/** With kafka-admin.ts the only file that knows the Kafka client. What was found about it: docs/decisions/0001-kafka-client.md. */

export interface KafkaMessage {
  readonly topic: string
  /** Messages with one key go to one partition, in order. */
  readonly key: string
  /** null is a tombstone: on a compacted topic it removes what was stored under the key. */
  readonly value: string | null
}

export interface KafkaRecord extends KafkaMessage {
  readonly partition: number
  readonly offset: bigint
  readonly leaderEpoch: number
  /** The group is formed anew whenever a member comes or goes: which time this was read. */
  readonly generation: number
}

export interface KafkaProducer {
  /** Resolves when all in-sync replicas have every message. On rejection some may have been written. */
  send(messages: readonly KafkaMessage[]): Promise<void>
  close(): Promise<void>
}

export interface KafkaConsumer {
  /**
   * Up to `max` records, as soon as there are any; none when `waitMs` passed or the signal was aborted.
   * Throws when the broker or the membership of the group was lost: close it and connect another, which
   * goes on from the committed offsets.
   */
  next(max: number, waitMs: number, signal?: AbortSignal): Promise<KafkaRecord[]>
  /**
   * Commits that everything up to and including these records is done. What was read before the group was formed anew is
   * left out: it is given again from where it was committed, to us or to the partition's new owner, who may be further by now.
   */
  commit(records: readonly KafkaRecord[]): Promise<void>
  /** Leaves the group, so that its partitions go to the others at once. */
  close(): Promise<void>
}

export interface ConsumerOptions extends Cluster {
  readonly group: string
  readonly topic: string
  /** Stable and unique among the group's live members: a restarted process then takes over at once. */
  readonly instanceId?: string
  /** A member not heard of for so long is dead; its partitions go to the others. */
  readonly sessionTimeoutMs?: number
}

/** An idempotent producer with acks=all. Its partitions are those the Java client would choose. */
export function connectProducer(cluster: Cluster): KafkaProducer {
  const create = async () => {
    const { compatibilityPartitioner, ProduceAcks, Producer, stringSerializers } = await loadClient()
    return new Producer<string, string | null, string, string>({
      ...base(cluster),
      // An idempotent producer retries for ever unless told otherwise; the caller wants to hear of failures.
      retries: 3,
      idempotent: true,
      acks: ProduceAcks.ALL,
      partitioner: compatibilityPartitioner,
      serializers: {
        ...stringSerializers,
        value: (value) => (value === null ? undefined : Buffer.from(value ?? '')),
      },
    })
  }
  let producer: ReturnType<typeof create> | undefined
  const breaker = kafkaBreaker()
  return {
    send: async (messages) => {
      if (messages.length === 0) return
      const created = await (producer ??= create())
      await breaker.run(() => created.send({ messages: [...messages] }))
    },
    close: async () => (await producer)?.close(),
  }
}

/** Joins the group and reads from its committed offsets, from the start of the topic where there are none. */
export async function connectConsumer(options: ConsumerOptions): Promise<KafkaConsumer> {
  const { group, topic, instanceId, sessionTimeoutMs = 6000 } = options
  const { Consumer, stringDeserializers } = await loadClient()
  const consumer = new Consumer({
    ...base(options),
    groupId: group,
    ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: sessionTimeoutMs * 2,
    heartbeatInterval: Math.max(100, sessionTimeoutMs / 6),
    autocommit: false,
    maxWaitTime: 500,
    deserializers: stringDeserializers,
  })
  let failure: Error | undefined
  let wake = () => undefined as void
  const fail = (error: Error) => {
    failure ??= error
    wake()
  }
  // A rejoin that failed ends the heartbeats but not the stream: both must end the consumer.
  consumer.on('error', fail)
  consumer.on('consumer:heartbeat:stalled', () =>
    fail(new Error(`Kafka group ${group}: no heartbeat gets through`)),
  )
  // New partitions are given to nobody until the group is formed anew.
  let partitions: number | undefined
  consumer.on('client:metadata', ({ topics }) => {
    const now = topics.get(topic)?.partitionsCount
    if (partitions !== undefined && now !== undefined && now > partitions)
      fail(new Error(`Kafka group ${group}: ${topic} has got more partitions, joining again`))
    partitions ??= now
  })
  let stream: MessagesStream<string, string, string, string>
  try {
    stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' })
  } catch (error) {
    await closeQuietly(consumer)
    throw error
  }
  stream.on('error', fail)
  stream.on('close', () => fail(new Error(`Kafka group ${group}: the stream was closed`)))
  stream.on('readable', () => wake())

  return {
    next: async (max, waitMs, signal) => {
      const deadline = systemClock.now() + waitMs
      for (;;) {
        if (failure !== undefined) throw failure
        const records = take(stream, max)
        const left = deadline - systemClock.now()
        if (records.length > 0 || left <= 0 || signal?.aborted) return records
        const woken = new AbortController()
        wake = () => woken.abort()
        await systemClock.sleep(left, signal ? AbortSignal.any([signal, woken.signal]) : woken.signal)
      }
    },
    commit: async (records) => {
      const ours = consumer.assignments?.find((one) => one.topic === topic)?.partitions ?? []
      const last = new Map<number, KafkaRecord>()
      for (const record of records)
        // A fetch that was under way when the group was formed anew brings what is no longer ours.
        if (record.generation === consumer.generationId && ours.includes(record.partition))
          last.set(record.partition, record)
      const offsets = [...last.values()].map(({ partition, offset, leaderEpoch }) => ({
        topic,
        partition,
        offset: offset + 1n,
        leaderEpoch,
      }))
      if (offsets.length === 0) return
      // Refused because the group was formed anew, the client joins and commits what is here once more: nothing by then.
      const forget = () => void offsets.splice(0)
      consumer.once('consumer:group:join', forget)
      await consumer.commit({ offsets }).finally(() => consumer.off('consumer:group:join', forget))
    },
    close: () => closeQuietly(consumer),
  }
}

/** Everything that is in a small topic when this is asked, in order within each partition. */
export async function readTopic(cluster: Cluster, topic: string): Promise<KafkaRecord[]> {
  const reader = await connectConsumer({ ...cluster, topic, group: `${topic}.read.${crypto.randomUUID()}` })
  try {
    const ends = await withAdmin(cluster, (admin) => endOffsets(admin, topic))
    const read = new Map<number, bigint>()
    const isRead = () => [...ends].every(([partition, end]) => (read.get(partition) ?? 0n) >= end)
    const records: KafkaRecord[] = []
    while (!isRead()) {
      const more = await reader.next(1000, 2000)
      // The records at the very end may have been compacted away.
      if (more.length === 0) break
      for (const { partition, offset } of more) read.set(partition, offset + 1n)
      records.push(...more)
    }
    return records
  } finally {
    await reader.close()
  }
}

function take(stream: MessagesStream<string, string, string, string>, max: number): KafkaRecord[] {
  const records: KafkaRecord[] = []
  while (records.length < max) {
    const message = stream.read() as Message<string, string | undefined, string, string> | null
    if (message === null) break
    const { topic, key, value, partition, offset, leaderEpoch } = message
    const { generationId: generation } = message.metadata['consumer'] as { generationId: number }
    records.push({ topic, key, value: value ?? null, partition, offset, leaderEpoch, generation })
  }
  return records
}

/** Leaving may fail when the broker is gone; the group then finds out by the session timeout. */
async function closeQuietly(consumer: Consumer<string, string, string, string>): Promise<void> {
  await consumer.close(true).catch(() => undefined)
}
