import type { ItemId } from '../../contracts/ids.ts'
import type { RedisCommands } from '../../platform/redis.ts'
import type { Delivery, ItemBacklog } from './delivery.ts'
import { ITEMS_KEY, type OutboxEntry, outboxKey, toRecord } from './entry.ts'

/** Where an entry is, without what it says. */
export type EntryPlace = Pick<OutboxEntry, 'item_id' | 'outbox_id'>

export const placeOf = ({ outbox_id, event }: Delivery): EntryPlace => ({ item_id: event.item_id, outbox_id })

/** An entry as Redis answers it; no fields where it was deleted while it was pending. */
export type RawEntry = [id: string, fields: string[] | null]

/** Tells the group that these were taken care of; they stay in the stream. */
export async function acknowledge(redis: RedisCommands, group: string, places: readonly EntryPlace[]) {
  await Promise.all(byItem(places).map(([item, ids]) => redis.xack(outboxKey(item), group, ...ids)))
}

/** Takes entries off the outbox: SQL has confirmed their effect. Repeating it changes nothing. */
export async function confirm(redis: RedisCommands, places: readonly EntryPlace[]): Promise<void> {
  await Promise.all(byItem(places).map(([item, ids]) => redis.xdel(outboxKey(item), ...ids)))
}

/**
 * Both at once: an entry that was acknowledged and not taken off would stay in the outbox for ever if the worker died in
 * between, and one taken off first would come back to it empty.
 */
export async function acknowledgeAndConfirm(
  redis: RedisCommands,
  group: string,
  places: readonly EntryPlace[],
): Promise<void> {
  await Promise.all(
    byItem(places).map(async ([item, ids]) => {
      const key = outboxKey(item)
      const replies = await redis
        .multi()
        .xack(key, group, ...ids)
        .xdel(key, ...ids)
        .exec()
      for (const [error] of replies ?? []) if (error) throw error
    }),
  )
}

/** Entries left in all outboxes. */
export async function countEntries(redis: RedisCommands): Promise<number> {
  const items = await redis.smembers(ITEMS_KEY)
  const lengths = await Promise.all(items.map((item) => redis.xlen(outboxKey(item))))
  return lengths.reduce((sum, length) => sum + length, 0)
}

/** Each outbox: how long, and how old its oldest entry. */
export async function measureEntries(redis: RedisCommands): Promise<ItemBacklog[]> {
  const now = await timeMs(redis)
  const items = (await redis.smembers(ITEMS_KEY)).sort()
  return Promise.all(
    items.map(async (item_id) => {
      const key = outboxKey(item_id)
      const [outbox, first] = await Promise.all([redis.xlen(key), redis.xrange(key, '-', '+', 'COUNT', 1)])
      const oldest = first[0]?.[0].split('-')[0]
      return {
        item_id,
        outbox,
        oldest_s: oldest === undefined ? null : Math.max(0, now - Number(oldest)) / 1000,
      }
    }),
  )
}

/** Entries of all outboxes that the group has handed to a consumer and that are not done. */
export async function countPending(redis: RedisCommands, group: string): Promise<number> {
  const items = await redis.smembers(ITEMS_KEY)
  const counts = await Promise.all(
    items.map(async (item) => {
      const groups = (await redis
        .xinfo('GROUPS', outboxKey(item))
        .catch((error: unknown) => (isNoSuchKey(error) ? [] : Promise.reject(error as Error)))) as unknown[][]
      const of = groups.map((fields) => toRecord(fields.map(String))).find((one) => one?.['name'] === group)
      return Number(of?.['pending'] ?? 0)
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

const isNoSuchKey = (error: unknown) => error instanceof Error && error.message.includes('no such key')

async function timeMs(redis: RedisCommands): Promise<number> {
  const [seconds, micros] = (await redis.time()).map(Number) as [number, number]
  return seconds * 1000 + micros / 1000
}

/** Pages of the entries that have been in an outbox for `ageMs` by the clock of Redis, oldest first. */
export async function* oldEntries(
  redis: RedisCommands,
  ageMs: number,
  pageSize: number,
): AsyncGenerator<OutboxEntry[]> {
  const until = Math.floor((await timeMs(redis)) - ageMs)
  for (const item of await redis.smembers(ITEMS_KEY)) {
    for (let from = '-'; ;) {
      const page = entriesOf(item, await redis.xrange(outboxKey(item), from, until, 'COUNT', pageSize))
      if (page.length > 0) yield page
      const last = page.at(-1)
      if (last === undefined || page.length < pageSize) break
      from = `(${last.outbox_id}`
    }
  }
}

/** Puts an event back into an outbox that exists. False where there is none. */
export async function putBack(redis: RedisCommands, item: ItemId, fields: Readonly<Record<string, string>>) {
  const id = await redis.call('XADD', outboxKey(item), 'NOMKSTREAM', '*', ...Object.entries(fields).flat())
  return id !== null
}

export const entriesOf = (item: ItemId, entries: readonly RawEntry[]): OutboxEntry[] =>
  entries.map(([id, fields]) => ({ item_id: item, outbox_id: id, fields: fields ?? [] }))

function byItem(places: readonly EntryPlace[]): [ItemId, string[]][] {
  const ids = new Map<ItemId, string[]>()
  for (const { item_id, outbox_id } of places) {
    const known = ids.get(item_id)
    if (known === undefined) ids.set(item_id, [outbox_id])
    else known.push(outbox_id)
  }
  return [...ids]
}
