import type { Admin } from '@platformatic/kafka'
import { systemClock } from './clock.ts'
import { type Cluster, endOffsets, withAdmin } from './kafka-admin.ts'

export interface Progress {
  readonly group: string
  readonly topic: string
  /** How long to wait for the group, in milliseconds; what is produced meanwhile is not waited for. */
  readonly withinMs: number
}

const LOOK_AGAIN_MS = 50

/** Whether the group has committed everything that is in the topic when this is asked. Throws without a broker. */
export async function groupCaughtUp(
  cluster: Cluster,
  { group, topic, withinMs }: Progress,
): Promise<boolean> {
  return withAdmin(cluster, async (admin) => {
    const ends = await endOffsets(admin, topic)
    for (const deadline = systemClock.now() + withinMs; ; await systemClock.sleep(LOOK_AGAIN_MS)) {
      const committed = await committedOffsets(admin, group, topic)
      if ([...ends].every(([partition, end]) => (committed.get(partition) ?? 0n) >= end)) return true
      if (systemClock.now() >= deadline) return false
    }
  })
}

/** Messages in the topic that the group has not committed. Throws without a broker. */
export function groupLag(cluster: Cluster, group: string, topic: string): Promise<number> {
  return withAdmin(cluster, async (admin) => {
    const ends = await endOffsets(admin, topic)
    const committed = await committedOffsets(admin, group, topic)
    const behind = (partition: number, end: bigint) => Number(end - (committed.get(partition) ?? 0n))
    return [...ends].reduce((lag, [partition, end]) => lag + Math.max(0, behind(partition, end)), 0)
  })
}

export interface GroupMember {
  /** The worker's name, where it has one. */
  readonly name: string
  readonly partitions: readonly number[]
}

export interface TopicPartition {
  readonly partition: number
  /** Messages the group has not committed. */
  readonly behind: number
  /** Number of the broker that leads it. */
  readonly leader: number
  readonly copies: number
  /** Copies that have everything. */
  readonly inSync: number
}

export interface GroupState {
  /** Those that take part, by name. */
  readonly members: readonly GroupMember[]
  readonly partitions: readonly TopicPartition[]
}

/** Who reads a topic, how far each partition is, and where it is kept. Throws while the cluster does not tell. */
export function groupState(cluster: Cluster, group: string, topic: string): Promise<GroupState> {
  return withAdmin(cluster, async (admin) => {
    const { topics } = await admin.metadata({ topics: [topic] })
    const ends = await endOffsets(admin, topic)
    const committed = await committedOffsets(admin, group, topic)
    const described = (await admin.describeGroups({ groups: [group] })).get(group)
    return {
      members: [...(described?.members.values() ?? [])]
        .map(({ groupInstanceId, clientId, assignments }) => ({
          name: groupInstanceId ?? clientId,
          partitions: assignments?.get(topic)?.partitions.toSorted((a, b) => a - b) ?? [],
        }))
        .toSorted((a, b) => a.name.localeCompare(b.name)),
      partitions: [...(topics.get(topic)?.partitions ?? [])].map(({ leader, replicas, isr }, partition) => ({
        ...{ partition, leader, copies: replicas.length, inSync: isr.length },
        behind: Math.max(0, Number((ends.get(partition) ?? 0n) - (committed.get(partition) ?? 0n))),
      })),
    }
  })
}

/** A partition of which nothing was ever committed is missing or -1. */
async function committedOffsets(admin: Admin, group: string, topic: string): Promise<Map<number, bigint>> {
  const groups = await admin.listConsumerGroupOffsets({ groups: [group] })
  const found = groups[0]?.topics.find(({ name }) => name === topic)
  return new Map(
    found?.partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
  )
}
