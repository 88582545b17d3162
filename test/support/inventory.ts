import { expect } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import { type ClaimRequest, type LoadItem, outboxKey } from '../../src/flow/inventory/inventory.ts'
import type { RedisCommands } from '../../src/platform/redis.ts'
import { argumentsRead, parseHeader } from './lua-header.ts'

/** Keys of an item as the scripts take them; spelled out here so that a test does not repeat the code's mistake. */
export const KEY_TYPES = {
  stock: 'hash',
  buyers: 'hash',
  holds: 'zset',
  claims: 'hash',
  outbox: 'stream',
} as const
export type KeyName = keyof typeof KEY_TYPES
export const keyOf = (item_id: string, name: string): string => `item:{${item_id}}:${name}`

export const itemOf = (item_id: string, change: Partial<LoadItem> = {}): LoadItem => ({
  item_id,
  sale_id: 'sale-1',
  total: 10,
  state: 'open',
  opens_at: 0,
  ends_at: null,
  ...change,
})

let orders = 0
/** A claim of one unit by a buyer of its own, held for an hour. */
export const claimOf = (item_id: string, change: Partial<ClaimRequest> = {}): ClaimRequest => {
  const number = ++orders
  return {
    item_id,
    order_id: `order-${number}`,
    user_id: `user-${number}`,
    quantity: 1,
    limit: 2,
    amount: 1999,
    currency: 'EUR',
    hold_ms: 3_600_000,
    pay_ms: 1_800_000,
    ...change,
  }
}

export type Dump = Record<string, unknown>

/** Everything Redis holds of an item, by the name of its keys. A key that is not there is not in it. */
export async function dump(commands: RedisCommands, item_id: string): Promise<Dump> {
  const found: Dump = {}
  const prefix = keyOf(item_id, '')
  for (const key of await commands.keys(`${prefix}*`)) {
    const type = await commands.type(key)
    const read: Record<string, () => Promise<unknown>> = {
      hash: () => commands.hgetall(key),
      zset: () => commands.zrange(key, 0, '-1', 'WITHSCORES'),
      stream: () => commands.xrange(key, '-', '+'),
      string: () => commands.get(key),
    }
    found[key.slice(prefix.length)] = await read[type]?.()
  }
  return found
}

/** Events in the outbox, oldest first, each value as text. */
export async function eventsOf(commands: RedisCommands, item_id: string) {
  const entries = await commands.xrange(outboxKey(item_id), '-', '+')
  return entries.map(([, [name, text = '{}', ...more]]) => {
    if (name !== 'event' || more.length > 0) throw new Error(`not an entry as the scripts write it: ${name}`)
    const event = JSON.parse(text) as Record<string, string | number>
    return Object.fromEntries(Object.entries(event).map(([field, value]) => [field, String(value)]))
  })
}

/** Watches calls of one script and then holds its header to what was seen. */
export function watchScript(source: string) {
  const words = new Set<string>()
  const changed = new Set<string>()
  const events = new Set<string>()
  return {
    /** Runs the call and notes its answers, the keys it changed and the events it wrote. */
    async during<Answer>(commands: RedisCommands, item_id: string, call: () => Promise<Answer>) {
      const before = await dump(commands, item_id)
      const known = (await eventsOf(commands, item_id).catch(() => [])).length
      const answer = await call()
      const after = await dump(commands, item_id)
      for (const word of wordsOf(answer)) words.add(word)
      for (const name of Object.keys({ ...before, ...after }))
        if (!isDeepStrictEqual(before[name], after[name])) changed.add(name)
      const written = (await eventsOf(commands, item_id).catch(() => [])).slice(known)
      for (const event of written) events.add(event['type'] ?? '')
      return answer
    },
    /** Every promise of the header was seen, and nothing it does not promise. */
    expectHeaderTrue() {
      const header = parseHeader(source)
      expect(header.keys).toEqual(Object.keys(KEY_TYPES))
      for (const name of argumentsRead(source)) expect(header.argv).toContain(name)
      expect(argumentsRead(source)).not.toBeEmpty()
      expect([...words].sort()).toEqual([...header.results].sort())
      expect([...changed].sort()).toEqual([...header.writes].sort())
      expect([...events].sort()).toEqual([...header.events].sort())
    },
  }
}

function wordsOf(answer: unknown): string[] {
  if (typeof answer === 'string') return [answer]
  if (Array.isArray(answer))
    return answer.length > 0 && hasKind(answer[0]) ? answer.flatMap(wordsOf) : ['rows']
  return hasKind(answer) ? [answer.kind] : []
}

const hasKind = (value: unknown): value is { kind: string } =>
  typeof value === 'object' && value !== null && 'kind' in value
