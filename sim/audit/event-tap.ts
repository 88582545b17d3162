import { parseEntry } from '../../src/flow/events/events.ts'
import { itemKeys } from '../../src/flow/inventory/keys.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import { sleep } from '../clock.ts'
import type { SeenEvent } from './evidence.ts'
import { ownersOf, placeOf, type Sampled } from './owners.ts'

/** Reads along in the outboxes of some items, as a stranger to every consumer group. */
export interface EventTap {
  readonly events: readonly SeenEvent[]
  stop(): Promise<void>
}

const BLOCK_MS = 500
type Entry = readonly [id: string, fields: readonly string[]]

/**
 * Entries are deleted once SQL has them, but whoever waits for them is handed each as it is added. What is added while
 * Redis is away from us is missed: there may have been more events than these, never fewer.
 */
export async function startEventTap(redis: RedisConnection, items: readonly Sampled[]): Promise<EventTap> {
  const events: SeenEvent[] = []
  let stopped = false
  // One that waits holds up all that is sent after it; in a cluster two may not even be waited for together.
  const taps = items.flatMap(ownersOf).map(async ({ item_id, owner, part }) => {
    const blocking = await redis.duplicate()
    const key = itemKeys(owner).outbox
    let last = '0'
    const reading = (async () => {
      while (!stopped) {
        const reply = (await blocking.commands
          .call('XREAD', 'BLOCK', BLOCK_MS, 'STREAMS', key, last)
          .catch(() => sleep(100))) as [string, Entry[]][] | null | undefined
        for (const [outbox_id, fields] of (reply ?? []).flatMap(([, entries]) => entries)) {
          last = outbox_id
          const { type = '', order_id = '' } = parseEntry(fields) ?? {}
          events.push({ item_id, outbox_id: placeOf(part, outbox_id), type, order_id })
        }
      }
    })()
    return { blocking, reading }
  })
  const all = await Promise.all(taps)
  return {
    events,
    stop: async () => {
      stopped = true
      await Promise.race([Promise.all(all.map(({ reading }) => reading)), sleep(2 * BLOCK_MS)])
      for (const { blocking } of all) blocking.commands.disconnect()
    },
  }
}
