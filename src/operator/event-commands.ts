import { TOPICS, WORKERS } from '../flow/events/events.ts'
import type { Env } from '../platform/config.ts'
import { isConnectionError, SettingError } from '../platform/errors.ts'
import { type GroupState, groupState } from '../platform/kafka-progress.ts'
import { readRunFile } from '../platform/servers/data-dir.ts'

/**
 * What `doorbuster events` prints: who works off the order log, how far each partition is and where it is kept, in the
 * Kafka of KAFKA_BROKERS or of what runs in the data folder. Throws SettingError where there is none, or it does not answer.
 */
export async function eventLines(dataDir: string, env: Env): Promise<string[]> {
  const given = (env['KAFKA_BROKERS'] ?? '').split(',').filter(Boolean)
  const brokers = given.length > 0 ? given : (readRunFile(dataDir)?.kafka_brokers ?? [])
  if (brokers.length === 0)
    throw new SettingError(
      'No Kafka is known here: start the full profile, or name its brokers in KAFKA_BROKERS',
    )
  const cluster = { brokers, clientId: 'doorbuster-events' }
  const state = await groupState(cluster, WORKERS, TOPICS.orders).catch((error: unknown) => {
    if (isConnectionError(error))
      throw new SettingError(`Kafka at ${brokers.join(', ')} does not tell: ${(error as Error).message}`)
    throw error
  })
  return linesOf(state)
}

export function linesOf({ members, partitions }: GroupState): string[] {
  const lag = partitions.reduce((sum, { behind }) => sum + behind, 0)
  const short = partitions.filter(({ inSync, copies }) => inSync < copies)
  const idle = members.filter((member) => member.partitions.length === 0)
  const workerOf = (partition: number) =>
    members.find((member) => member.partitions.includes(partition))?.name ?? 'nobody'
  return [
    `${TOPICS.orders}: ${count(lag, 'event')} behind, ${count(partitions.length, 'partition')}, ${count(members.length, 'order worker')}`,
    ...partitions.map(
      ({ partition, behind, leader, copies, inSync }) =>
        `  ${partition}: ${behind} behind, read by ${workerOf(partition)}, led by broker ${leader}, ${inSync} of ${copies} copies in sync`,
    ),
    ...(short.length === 0
      ? []
      : [`${count(short.length, 'partition')} without all copies: a broker is away or behind`]),
    ...(idle.length === 0
      ? []
      : [
          `${idle.map(({ name }) => name).join(', ')} without a partition: give KAFKA_PARTITIONS at least as many as there are workers`,
        ]),
  ]
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`
