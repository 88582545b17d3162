import type { Clock } from '../../platform/clock.ts'
import type { RedisCommands, RedisConnection } from '../../platform/redis.ts'
import { ITEMS_KEY, type OutboxEntry, outboxKey } from './entry.ts'
import { acknowledge, entriesOf, type RawEntry } from './outbox-commands.ts'

export interface OutboxReader {
  /**
   * Entries of all items and their parts, about `max` of each at most; none when there were none for a moment. First what
   * this consumer was given before and did not acknowledge, then what a dead consumer left, then new ones.
   * After a throw the next call starts with the first again, so an answer lost on the way is not missed.
   */
  read(max: number): Promise<OutboxEntry[]>
  close(): Promise<void>
}

export interface OutboxReaderOptions {
  readonly redis: RedisConnection
  readonly clock: Clock
  readonly group: string
  /** Stable over restarts and unique among the group's live consumers. */
  readonly consumer: string
  /** An entry given to another consumer so long ago is taken over from it, in milliseconds. */
  readonly takeOverAfterMs: number
}

/** Longest wait for new entries; an item that appears meanwhile is seen after it. */
const BLOCK_MS = 200
/** Waited when no item has an outbox yet. */
const IDLE_MS = 50
const HUNG_AFTER_MS = 5000

/** Reads the outboxes of all items through a consumer group. Never creates a stream, only its group. */
export async function openOutbox(options: OutboxReaderOptions): Promise<OutboxReader> {
  const { redis, clock, group, consumer, takeOverAfterMs } = options
  const blocking = await redis.duplicate()
  const grouped = new Set<string>()
  /** How far our own pending entries were read, per item; undefined when all were. They stay pending until they are done. */
  let ownPending: Map<string, string> | undefined = new Map()
  let lookForDeadAt = clock.now()

  let known: string[] = []
  /** Those whose server is there: of a cluster one master may be away, and that must not keep the others' events back. */
  const reachable = async (): Promise<string[]> => {
    if (!redis.isCluster) return redis.commands.smembers(ITEMS_KEY)
    if (redis.runId(ITEMS_KEY) !== undefined) known = await redis.commands.smembers(ITEMS_KEY)
    return known.filter((item) => redis.runId(outboxKey(item)) !== undefined)
  }

  const itemsWithGroup = async () => {
    const items = await reachable()
    await Promise.all(
      items.map(async (item) => {
        if (!grouped.has(item) && (await createGroup(redis.commands, item, group))) grouped.add(item)
      }),
    )
    return items.filter((item) => grouped.has(item))
  }

  /** `>` is what nobody was given yet; an id, what we were given after it and have not acknowledged. */
  const readGroup = async (items: string[], max: number, from: (item: string) => string) => {
    if (!redis.isCluster) return readTogether(items, max, from, ownPending === undefined)
    // Items are on different servers, and one that blocks would hold up the others.
    const found = (await Promise.all(items.map((item) => readTogether([item], max, from, false)))).flat()
    if (found.length === 0 && ownPending === undefined) await clock.sleep(IDLE_MS)
    return found
  }

  const readTogether = async (
    items: string[],
    max: number,
    from: (item: string) => string,
    mayBlock: boolean,
  ) => {
    const block = mayBlock ? ['BLOCK', BLOCK_MS] : []
    const reply = blocking.commands.call(
      ...(['XREADGROUP', 'GROUP', group, consumer, 'COUNT', max, ...block, 'STREAMS'] as const),
      ...items.map(outboxKey),
      ...items.map(from),
    )
    return streamsOf(await orHung(reply, blocking, clock), items)
  }

  const takeOver = async (items: string[], max: number): Promise<OutboxEntry[]> => {
    const claimed = await Promise.all(
      items.map(async (item) => {
        const range = [group, consumer, takeOverAfterMs, '0-0', 'COUNT', max] as const
        const reply = (await redis.commands.call('XAUTOCLAIM', outboxKey(item), ...range)) as [
          string,
          RawEntry[],
        ]
        return entriesOf(item, reply[1])
      }),
    )
    return claimed.flat()
  }

  /** Entries deleted while they were pending have no fields any more: only the group still remembers them. */
  const forgetDeleted = async (read: OutboxEntry[]): Promise<OutboxEntry[]> => {
    const gone = read.filter((entry) => entry.fields.length === 0)
    await acknowledge(redis.commands, group, gone)
    return read.filter((entry) => entry.fields.length > 0)
  }

  const readNext = async (max: number): Promise<OutboxEntry[]> => {
    const items = await itemsWithGroup()
    if (items.length === 0) {
      await clock.sleep(IDLE_MS)
      return []
    }
    const read = ownPending
    if (read !== undefined) {
      const own = await readGroup(items, max, (item) => read.get(item) ?? '0')
      for (const { owner, outbox_id } of own) read.set(owner, outbox_id)
      if (own.length > 0) return forgetDeleted(own)
      ownPending = undefined
    }
    if (clock.now() >= lookForDeadAt) {
      const left = await takeOver(items, max)
      if (left.length > 0) return left
      lookForDeadAt = clock.now() + takeOverAfterMs / 2
    }
    return readGroup(items, max, () => '>')
  }

  return {
    read: async (max) => {
      try {
        return await readNext(max)
      } catch (error) {
        ownPending = new Map()
        // A group may be gone with its stream (item removed, Redis emptied).
        grouped.clear()
        throw error
      }
    },
    close: () => blocking.close(),
  }
}

/** False where the item has no outbox yet. Groups start at the first entry: nothing was taken care of before. */
async function createGroup(redis: RedisCommands, item: string, group: string): Promise<boolean> {
  try {
    await redis.xgroup('CREATE', outboxKey(item), group, '0')
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    if (message.startsWith('BUSYGROUP')) return true
    if (message.includes('requires the key to exist')) return false
    throw error
  }
}

function streamsOf(reply: unknown, items: readonly string[]): OutboxEntry[] {
  const streams = (reply ?? []) as [key: string, entries: RawEntry[]][]
  const itemOf = new Map(items.map((item) => [outboxKey(item), item]))
  return streams.flatMap(([key, entries]) => entriesOf(itemOf.get(key) ?? '', entries))
}

/** A blocking connection has no command timeout; a network that swallows packets must not hang it for ever. */
async function orHung(reply: Promise<unknown>, connection: RedisConnection, clock: Clock): Promise<unknown> {
  const done = new AbortController()
  const hung = clock.sleep(BLOCK_MS + HUNG_AFTER_MS, done.signal).then(() => {
    if (done.signal.aborted) return undefined
    connection.commands.disconnect(true)
    throw new Error('Redis does not answer a blocking read')
  })
  try {
    return await Promise.race([reply, hung])
  } finally {
    done.abort()
  }
}
