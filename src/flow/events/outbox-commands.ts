import { ownerOf, readOwner } from '../../contracts/parts.ts'
import type { RedisCommands } from '../../platform/redis.ts'
import type { Delivery, ItemBacklog } from './delivery.ts'
import { ITEMS_KEY, type OutboxEntry, outboxKey, toRecord } from './entry.ts'

/** Where an entry is, without what it says. */
export type EntryPlace = Pick<OutboxEntry, 'owner' | 'outbox_id'>

export const placeOf = (delivery: Delivery): EntryPlace => ({
  owner: ownerOf(delivery.event.item_id, delivery.part),
  outbox_id: delivery.outbox_id,
})

/** An entry as Redis answers it; no fields where it was deleted while it was pending. */
export type RawEntry = [id: string, fields: string[] | null]

/** Tells the group that these were taken care of; they stay in the stream. */
export async function acknowledge(redis: RedisCommands, group: string, places: readonly EntryPlace[]) {
  await Promise.all(byOwner(places).map(([owner, ids]) => redis.xack(outboxKey(owner), group, ...ids)))
}

/** Takes entries off the outbox: SQL has confirmed their effect. Repeating it changes nothing. */
export async function confirm(redis: RedisCommands, places: readonly EntryPlace[]): Promise<void> {
  await Promise.all(byOwner(places).map(([owner, ids]) => redis.xdel(outboxKey(owner), ...ids)))
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
    byOwner(places).map(async ([owner, ids]) => {
      const key = outboxKey(owner)
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
  const owners = await redis.smembers(ITEMS_KEY)
  const lengths = await Promise.all(owners.map((owner) => redis.xlen(outboxKey(owner))))
  return lengths.reduce((sum, length) => sum + length, 0)
}

/** The outbox of each item, its parts together: how long, and how old its oldest entry. */
export async function measureEntries(redis: RedisCommands): Promise<ItemBacklog[]> {
  const now = await timeMs(redis)
  const owners = (await redis.smembers(ITEMS_KEY)).sort()
  const measured = await Promise.all(
    owners.map(async (owner) => {
      const key = outboxKey(owner)
      const [outbox, first] = await Promise.all([redis.xlen(key), redis.xrange(key, '-', '+', 'COUNT', 1)])
      const oldest = first[0]?.[0].split('-')[0]
      const age_s = oldest === undefined ? null : Math.max(0, now - Number(oldest)) / 1000
      return { item_id: readOwner(owner).item_id, outbox, age_s }
    }),
  )
  return [...Map.groupBy(measured, ({ item_id }) => item_id)].map(([item_id, outboxes]) => {
    const ages = outboxes.flatMap(({ age_s }) => age_s ?? [])
    return {
      item_id,
      outbox: outboxes.reduce((sum, { outbox }) => sum + outbox, 0),
      oldest_s: ages.length === 0 ? null : Math.max(...ages),
    }
  })
}

/** Entries of all outboxes that the group has handed to a consumer and that are not done. */
export async function countPending(redis: RedisCommands, group: string): Promise<number> {
  const owners = await redis.smembers(ITEMS_KEY)
  const counts = await Promise.all(
    owners.map(async (owner) => {
      const groups = (await redis
        .xinfo('GROUPS', outboxKey(owner))
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
  for (const owner of await redis.smembers(ITEMS_KEY)) {
    for (let from = '-'; ;) {
      const page = entriesOf(owner, await redis.xrange(outboxKey(owner), from, until, 'COUNT', pageSize))
      if (page.length > 0) yield page
      const last = page.at(-1)
      if (last === undefined || page.length < pageSize) break
      from = `(${last.outbox_id}`
    }
  }
}

/** Puts an event back into an outbox that exists. False where there is none. */
export async function putBack(redis: RedisCommands, owner: string, fields: Readonly<Record<string, string>>) {
  const id = await redis.call('XADD', outboxKey(owner), 'NOMKSTREAM', '*', ...Object.entries(fields).flat())
  return id !== null
}

export const entriesOf = (owner: string, entries: readonly RawEntry[]): OutboxEntry[] =>
  entries.map(([id, fields]) => ({ owner, outbox_id: id, fields: fields ?? [] }))

function byOwner(places: readonly EntryPlace[]): [string, string[]][] {
  const ids = new Map<string, string[]>()
  for (const { owner, outbox_id } of places) {
    const known = ids.get(owner)
    if (known === undefined) ids.set(owner, [outbox_id])
    else known.push(outbox_id)
  }
  return [...ids]
}
