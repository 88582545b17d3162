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

/** A partition of which nothing was ever committed is missing or -1. */
async function committedOffsets(admin: Admin, group: string, topic: string): Promise<Map<number, bigint>> {
  const groups = await admin.listConsumerGroupOffsets({ groups: [group] })
  const found = groups[0]?.topics.find(({ name }) => name === topic)
  return new Map(
    found?.partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
  )
}
