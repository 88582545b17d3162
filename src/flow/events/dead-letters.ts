import { ownerOf, readOwner } from '../../contracts/parts.ts'
import { type KafkaProducer, readTopic } from '../../platform/kafka.ts'
import type { RedisCommands } from '../../platform/redis.ts'
import type { DeadLetter, Rejection, Replay } from './delivery.ts'
import { type OutboxEntry, parseJson, toFields, toRecord } from './entry.ts'
import { putBack } from './outbox-commands.ts'

/** Where dead letters are kept. Adding one twice keeps one. */
export interface DeadLetters {
  add(letters: readonly DeadLetter[]): Promise<void>
  /** All of them, oldest first. */
  list(): Promise<DeadLetter[]>
  remove(id: string): Promise<void>
}

const STREAM = 'events:dead_letters'

/** The embedded profile keeps them in one Redis stream. */
export function redisDeadLetters(redis: RedisCommands): DeadLetters {
  const stored = async () =>
    (await redis.xrange(STREAM, '-', '+')).map(([entry, fields]) => ({
      entry,
      letter: JSON.parse(toRecord(fields)?.['letter'] ?? 'null') as DeadLetter,
    }))
  return {
    add: async (letters) => {
      for (const letter of letters) await redis.xadd(STREAM, '*', 'letter', JSON.stringify(letter))
    },
    list: async () => {
      const byId = new Map<string, DeadLetter>()
      for (const { letter } of await stored()) if (!byId.has(letter.id)) byId.set(letter.id, letter)
      return [...byId.values()]
    },
    remove: async (id) => {
      const entries = (await stored()).filter(({ letter }) => letter.id === id).map(({ entry }) => entry)
      if (entries.length > 0) await redis.xdel(STREAM, ...entries)
    },
  }
}

/** The full profile keeps them in a compacted topic of one partition, under their id. */
export function kafkaDeadLetters(
  cluster: { readonly brokers: readonly string[]; readonly clientId: string },
  producer: KafkaProducer,
  topic: string,
): DeadLetters {
  return {
    add: (letters) =>
      producer.send(letters.map((letter) => ({ topic, key: letter.id, value: JSON.stringify(letter) }))),
    list: async () => {
      const byId = new Map<string, DeadLetter>()
      for (const { key, value } of await readTopic(cluster, topic)) {
        if (value === null) byId.delete(key)
        else if (!byId.has(key)) byId.set(key, JSON.parse(value) as DeadLetter)
      }
      return [...byId.values()]
    },
    remove: (id) => producer.send([{ topic, key: id, value: null }]),
  }
}

/** Puts the event back into the outbox it came from, first of all: a crash in between replays it twice. */
export async function replayDeadLetter(
  redis: RedisCommands,
  deadLetters: DeadLetters,
  id: string,
): Promise<Replay> {
  const letter = (await deadLetters.list()).find((one) => one.id === id)
  if (letter === undefined) return 'unknown'
  if (!(await putBack(redis, ownerOf(letter.item_id, letter.part), letter.fields))) return 'no_outbox'
  await deadLetters.remove(id)
  return 'replayed'
}

export function letterOfRejection({ delivery, reason }: Rejection, at: number): DeadLetter {
  const { outbox_id, event } = delivery
  return letterOf(
    { owner: ownerOf(event.item_id, delivery.part), outbox_id, fields: toFields(event) },
    reason,
    at,
  )
}

export function letterOf({ owner, outbox_id, fields }: OutboxEntry, reason: string, at: number): DeadLetter {
  return { id: `${owner}:${outbox_id}`, ...readOwner(owner), outbox_id, reason, fields: fieldsOf(fields), at }
}

/** Those of the event, where there is one. */
function fieldsOf(fields: readonly string[]): Record<string, string> {
  const record = toRecord(fields)
  const event = parseJson(record?.['event'] ?? '')
  if (typeof event !== 'object' || event === null) return record ?? { unreadable: JSON.stringify(fields) }
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}
