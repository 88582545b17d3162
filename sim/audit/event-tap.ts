import { itemKeys } from '../../src/flow/inventory/keys.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import { sleep } from '../clock.ts'
import type { SeenEvent } from './evidence.ts'

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
export async function startEventTap(redis: RedisConnection, items: readonly string[]): Promise<EventTap> {
  const events: SeenEvent[] = []
  const blocking = await redis.duplicate()
  const last = new Map(items.map((item) => [item, '0']))
  let stopped = false
  const reading = (async () => {
    while (!stopped) {
      const keys = items.map((item) => itemKeys(item).outbox)
      const from = items.map((item) => last.get(item) ?? '0')
      const reply = (await blocking.commands
        .call('XREAD', 'BLOCK', BLOCK_MS, 'STREAMS', ...keys, ...from)
        .catch(() => sleep(100))) as [string, Entry[]][] | null | undefined
      for (const [key, entries] of reply ?? []) {
        const item_id = items[keys.indexOf(key)] ?? ''
        for (const [outbox_id, fields] of entries) {
          last.set(item_id, outbox_id)
          const field = (name: string) => fields[fields.indexOf(name) + 1] ?? ''
          events.push({ item_id, outbox_id, type: field('type'), order_id: field('order_id') })
        }
      }
    }
  })()
  return {
    events,
    stop: async () => {
      stopped = true
      await Promise.race([reading, sleep(2 * BLOCK_MS)])
      blocking.commands.disconnect()
    },
  }
}
