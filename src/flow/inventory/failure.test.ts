import { afterEach, beforeEach, expect, test } from 'bun:test'
import { claimOf, dump, itemOf } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import {
  createInventory,
  type Inventory,
  InventoryUnavailable,
  InventoryUnknown,
  outboxKey,
} from './inventory.ts'

let server: TestRedis
let redis: RedisConnection
let other: RedisConnection
let inventory: Inventory
beforeEach(async () => {
  server = await startTestRedis({ appendfsync: 'always' })
  redis = await connectRedis({ url: server.url, commandTimeoutMs: 100 })
  other = await connectRedis({ url: server.url })
  inventory = createInventory({ redis })
  await inventory.load(itemOf('item'))
})
afterEach(async () => {
  await Promise.all([redis.close(), other.close()])
  await server.stop()
})

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
const until = async (condition: () => boolean) => {
  while (!condition()) await systemClock.sleep(5)
}
const reconnected = () => until(() => redis.runId() !== undefined)

test('a restarted server keeps the data and is fenced until the item is adopted', async () => {
  const before = claimOf('item')
  await inventory.claim(before)
  const kept = await dump(other.commands, 'item')
  const first = redis.runId()
  await server.kill9()
  await server.restart()
  await reconnected()
  expect(redis.runId()).not.toBe(first)

  expect(await inventory.claim(claimOf('item'))).toEqual({ kind: 'fenced' })
  expect(await inventory.claim(before)).toEqual({ kind: 'fenced' })
  expect(await dump(redis.commands, 'item')).toEqual(kept)
  expect(await inventory.adopt('item', 1)).toBe('adopted')
  expect((await inventory.claim(claimOf('item'))).kind).toBe('reserved')
  expect((await inventory.claim(before)).kind).toBe('repeated')
})

test('a SCRIPT FLUSH is not noticed', async () => {
  await inventory.claim(claimOf('item'))
  await other.commands.script('FLUSH')
  const requests = Array.from({ length: 130 }, () => claimOf('item'))
  const outcomes = await Promise.all(requests.map((request) => inventory.claim(request)))
  const reserved = outcomes.map(({ kind }) => kind === 'reserved')
  expect(reserved).toEqual(requests.map((_, index) => index < 9))
})

test('unknown: an answer that comes too late; asking again tells what became of it', async () => {
  await inventory.claim(claimOf('item'))
  await other.commands.client('PAUSE', 60_000, 'WRITE')
  const request = claimOf('item')
  expect(await errorOf(inventory.claim(request))).toBeInstanceOf(InventoryUnknown)
  await other.commands.client('UNPAUSE')
  expect(await inventory.claim(request)).toMatchObject({
    kind: 'repeated',
    quantity: 1,
    hold: { claim_seq: 2 },
  })
})

test('unknown: a connection cut while the claim is under way', async () => {
  await inventory.claim(claimOf('item'))
  await other.commands.client('PAUSE', 60_000, 'WRITE')
  const lost = errorOf(inventory.claim(claimOf('item')))
  // The claim leaves at the end of this turn.
  await new Promise((resolve) => setImmediate(resolve))
  await server.kill9()
  expect(await lost).toBeInstanceOf(InventoryUnknown)
  await server.restart()
  await reconnected()
})

test('unavailable: no connection, nothing is sent or kept for later', async () => {
  await server.kill9()
  await until(() => redis.runId() === undefined)
  expect(await errorOf(inventory.claim(claimOf('item')))).toBeInstanceOf(InventoryUnavailable)
  expect(await errorOf(inventory.settle('item', 'order-1'))).toBeInstanceOf(InventoryUnavailable)
  await server.restart()
  await reconnected()
  expect(await inventory.stock('item')).toMatchObject({ available: 10, held: 0, seq: 0 })
})

test('a full memory refuses claims before the first write, and keeps no hold from ending', async () => {
  const [paid, failed] = [claimOf('item'), claimOf('item')]
  await Promise.all([paid, failed].map((request) => inventory.claim(request)))
  const before = await dump(other.commands, 'item')
  await other.commands.config('SET', 'maxmemory', '1')
  const refused = [claimOf('item'), claimOf('item')].map((one) => errorOf(inventory.claim(one)))
  for (const error of await Promise.all(refused)) expect(error).toBeInstanceOf(InventoryUnavailable)
  expect(await dump(other.commands, 'item')).toEqual(before)
  expect(await inventory.settle('item', paid.order_id)).toBe('settled')
  expect(await inventory.release('item', failed.order_id)).toBe('released')
  expect(await inventory.stock('item')).toMatchObject({ available: 9, held: 0, sold: 1 })
  await other.commands.config('SET', 'maxmemory', '0')
  expect(await inventory.claim(failed)).toEqual({ kind: 'repeated', quantity: 0 })
})

test('under load, scripts flushed again and again are loaded again unseen', async () => {
  let flushing = true
  const flusher = (async () => {
    for (; flushing; await systemClock.sleep(1)) await other.commands.script('FLUSH')
  })()
  const outcomes: string[] = []
  for (let round = 0; round < 60; round += 1) {
    const requests = Array.from({ length: 20 }, () => claimOf('item'))
    for (const { kind } of await Promise.all(requests.map((request) => inventory.claim(request))))
      outcomes.push(kind)
    const [first] = await inventory.holds('item')
    if (first !== undefined) await inventory.release('item', first.order_id)
  }
  flushing = false
  await flusher
  expect(new Set(outcomes)).toEqual(new Set(['reserved', 'held_out']))
  expect(outcomes.filter((kind) => kind === 'reserved')).toHaveLength(10 + 59)
})

test('an outbox that takes no event leaves claim and release without any change', async () => {
  const request = claimOf('item')
  await inventory.claim(request)
  const last = '18446744073709551615-18446744073709551615'
  await other.commands.xadd(outboxKey('item'), last, 'type', 'none may follow')
  const before = await dump(other.commands, 'item')
  const refused = [inventory.claim(claimOf('item')), inventory.release('item', request.order_id)].map(errorOf)
  for (const error of await Promise.all(refused))
    expect(String(error)).toContain('exhausted the last possible ID')
  expect(await dump(other.commands, 'item')).toEqual(before)
})
