import { afterAll, beforeAll, expect, test } from 'bun:test'
import { claimOf, dump, eventsOf, itemOf } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import { type ClaimRequest, createInventory, type Inventory, type LoadItem } from './inventory.ts'
import { claimScript } from './scripts.ts'

let server: TestRedis
let redis: RedisConnection
let inventory: Inventory
beforeAll(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
  inventory = createInventory({ redis })
})
afterAll(async () => {
  await redis.close()
  await server.stop()
})

const load = (item_id: string, change: Partial<LoadItem> = {}) => inventory.load(itemOf(item_id, change))

test('claims of one turn travel in one call, at most 64 of them', async () => {
  await load('calls', { total: 200 })
  await redis.commands.config('RESETSTAT')
  await Promise.all(Array.from({ length: 130 }, () => inventory.claim(claimOf('calls'))))
  const stats = await redis.commands.info('commandstats')
  const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, number]) => Number(number))
  expect(calls.reduce((sum, number) => sum + number, 0)).toBe(3)
})

test('100 buyers at once for 30 units: 30 get one, in their order', async () => {
  await load('rush', { total: 30 })
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => inventory.claim(claimOf('rush'))))
  const reserved = outcomes.map(({ kind }) => kind === 'reserved')
  expect(reserved).toEqual(Array.from({ length: 100 }, (_, index) => index < 30))
  expect(await inventory.stock('rush')).toMatchObject({ total: 30, available: 0, held: 30, sold: 0, seq: 30 })
  expect(await eventsOf(redis.commands, 'rush')).toHaveLength(30)
})

test('a user id may hold any character', async () => {
  await load('odd', { total: 100 })
  const ids = [
    'a b',
    'a:b',
    ' order-1:5 ',
    'ü 🛒',
    `'"\\`,
    'line\nbreak',
    '%d+ %S',
    '{x}',
    'nul\u0000l',
    '-',
    '0',
  ]
  for (const user_id of ids) {
    const request = claimOf('odd', { user_id, limit: 1 })
    const other = claimOf('odd', { user_id, limit: 1 })
    expect((await inventory.claim(request)).kind).toBe('reserved')
    expect((await inventory.claim(request)).kind).toBe('repeated')
    expect((await inventory.claim(other)).kind).toBe('limit_reached')
    expect(await inventory.findClaim('odd', request.order_id)).toMatchObject({ user_id, quantity: 1 })
    expect(await inventory.release('odd', request.order_id)).toBe('released')
    expect((await eventsOf(redis.commands, 'odd')).at(-1)?.['user_id']).toBe(user_id)
    expect((await inventory.claim(other)).kind).toBe('reserved')
  }
})

test('a request that can not be meant is refused alone, before it is sent', async () => {
  await load('strict')
  const before = await dump(redis.commands, 'strict')
  const bad: Partial<ClaimRequest>[] = [
    ...[0, -1, 1.5, NaN, Infinity, 1e300].map((quantity) => ({ quantity })),
    ...[-1, 0.5].map((amount) => ({ amount })),
    ...['', 'a b', 'a:1', 'ü'].map((order_id) => ({ order_id })),
    ...['', '\ud800'].map((user_id) => ({ user_id })),
    { currency: 'eur' },
    { hold_ms: -1 },
    { pay_ms: 1e13 },
  ]
  for (const change of bad) {
    const outcome = inventory.claim(claimOf('strict', change))
    expect(await outcome.catch((error: unknown) => error)).toBeInstanceOf(RangeError)
  }
  expect(await dump(redis.commands, 'strict')).toEqual(before)
})

test('the script itself refuses bad terms, wherever in the batch, and writes nothing', async () => {
  await load('terms')
  const before = await dump(redis.commands, 'terms')
  const requests = [claimOf('terms'), claimOf('terms', { quantity: -1 })]
  const input = { item_id: 'terms', run_id: redis.runId() ?? '', requests }
  const outcome = await claimScript.run(redis.commands, input).catch(String)
  expect(outcome).toContain('terms are not valid')
  expect(await dump(redis.commands, 'terms')).toEqual(before)
})
