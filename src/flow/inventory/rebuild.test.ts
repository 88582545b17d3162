import { afterAll, beforeAll, expect, test } from 'bun:test'
import { claimOf, dump, itemOf, keyOf, watchScript } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import { createInventory, type Inventory, type LoadItem, type RebuildItem } from './inventory.ts'
import rebuildSource from './rebuild.lua' with { type: 'text' }

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

const watched = watchScript(rebuildSource)
const rebuild = (item: RebuildItem) =>
  watched.during(redis.commands, item.item_id, () => inventory.rebuild(item))
const load = (item: LoadItem) => inventory.load(item)
const found = (item_id: string) => dump(redis.commands, item_id)
const fence = (item_id: string) =>
  redis.commands.hset(keyOf(item_id, 'stock'), 'run_id', 'of another process')
/** The truth as reconciliation would gather it from an item that is whole. */
const truthOf = async (item_id: string, change: Partial<RebuildItem> = {}): Promise<RebuildItem> => {
  const stock = await inventory.stock(item_id)
  if (!stock) throw new Error(`${item_id} is not loaded`)
  const holds = await inventory.holds(item_id)
  return { ...itemOf(item_id), ...stock, run_id: redis.runId() ?? '', holds, orders: [], ...change }
}

test('rebuild of a whole item changes its epoch and run_id only; done again it changes nothing', async () => {
  await load(itemOf('same'))
  const odd = claimOf('same', { user_id: 'odd "user": ü', limit: 5, quantity: 2 })
  const sold = claimOf('same')
  const freed = claimOf('same')
  for (const request of [odd, sold, freed]) await inventory.claim(request)
  await inventory.settle('same', sold.order_id)
  await inventory.release('same', freed.order_id)
  await fence('same')
  const before = await found('same')
  const orders = [sold, { ...freed, quantity: 0 }]
  const truth = await truthOf('same', { orders })
  expect(await rebuild(truth)).toBe('rebuilt')
  expect(await found('same')).toEqual({
    ...before,
    stock: { ...(before['stock'] as object), epoch: '2', run_id: redis.runId() },
  })
  const after = await found('same')
  expect(await rebuild(truth)).toBe('moved_on')
  expect(await found('same')).toEqual(after)
  expect((await inventory.claim(sold)).kind).toBe('repeated')
  expect(await inventory.claim(freed)).toEqual({ kind: 'repeated', quantity: 0 })
})

test('rebuild writes an item that is gone, and its holds end as they would have', async () => {
  await load(itemOf('lost', { total: 5 }))
  const requests = [claimOf('lost', { quantity: 2 }), claimOf('lost')]
  for (const request of requests) await inventory.claim(request)
  const truth = await truthOf('lost', { epoch: 0, sold: 2, orders: [claimOf('lost', { quantity: 2 })] })
  for (const name of ['stock', 'buyers', 'holds', 'claims']) await redis.commands.del(keyOf('lost', name))
  await redis.commands.srem('items', 'lost')
  expect(await rebuild(truth)).toBe('rebuilt')
  expect(await inventory.stock('lost')).toMatchObject({ total: 5, available: 0, held: 3, sold: 2, seq: 2 })
  expect(await inventory.holds('lost')).toEqual([...truth.holds])
  expect(await inventory.items()).toContain('lost')
  expect(await inventory.release('lost', requests[0]?.order_id ?? '')).toBe('released')
  expect(await inventory.settle('lost', requests[1]?.order_id ?? '')).toBe('settled')
  expect(await inventory.stock('lost')).toMatchObject({ total: 5, available: 2, held: 0, sold: 3 })
})

test('does_not_fit: more sold and held than there is changes nothing', async () => {
  await load(itemOf('over', { total: 3 }))
  await inventory.claim(claimOf('over', { quantity: 2 }))
  const before = await found('over')
  expect(await rebuild(await truthOf('over', { sold: 2 }))).toBe('does_not_fit')
  expect(await found('over')).toEqual(before)
})

test('moved_on: a claim that came after the truth was read is not wiped out', async () => {
  await load(itemOf('late'))
  const truth = await truthOf('late')
  await inventory.claim(claimOf('late'))
  const before = await found('late')
  expect(await rebuild(truth)).toBe('moved_on')
  expect(await rebuild(await truthOf('late', { epoch: 5 }))).toBe('moved_on')
  expect(await rebuild(await truthOf('late', { run_id: 'a server replaced since' }))).toBe('moved_on')
  expect(await found('late')).toEqual(before)
})

test('moved_on: with `seen`, no change of the stock since is written over', async () => {
  const changes: Record<string, (order_id: string) => Promise<unknown>> = {
    claim: () => inventory.claim(claimOf('seen-claim')),
    settle: (order_id) => inventory.settle('seen-settle', order_id),
    release: (order_id) => inventory.release('seen-release', order_id),
    pause: () => inventory.setState('seen-pause', { state: 'paused' }),
    end: () => inventory.setState('seen-end', { ends_at: 4_000_000_000_000 }),
    adopt: () => inventory.adopt('seen-adopt', 1),
    vanish: () => redis.commands.del(keyOf('seen-vanish', 'stock')),
    break: () => redis.commands.hset(keyOf('seen-break', 'stock'), 'available', 'ten'),
  }
  for (const [name, change] of Object.entries(changes)) {
    const item_id = `seen-${name}`
    await load(itemOf(item_id))
    const held = claimOf(item_id)
    await inventory.claim(held)
    const seen = await inventory.stock(item_id)
    // The truth knows of later claims than the stock, so its seq alone would let a claim be lost.
    const truth = { ...(await truthOf(item_id, { seq: 100 })), seen }
    await change(held.order_id)
    const before = await found(item_id)
    expect([name, await rebuild(truth)]).toEqual([name, 'moved_on'])
    expect(await found(item_id)).toEqual(before)
  }
  await load(itemOf('seen-same', { ends_at: 4_000_000_000_000 }))
  const seen = await inventory.stock('seen-same')
  expect(await rebuild({ ...(await truthOf('seen-same', { seq: 100 })), seen })).toBe('rebuilt')
})

test('rebuild takes an item whose stock can not be read, whatever its epoch, and raises that', async () => {
  await load(itemOf('damaged'))
  const truth = await truthOf('damaged', { epoch: 0 })
  await redis.commands.hdel(keyOf('damaged', 'stock'), 'state')
  await redis.commands.hset(keyOf('damaged', 'stock'), 'epoch', 7)
  expect(await rebuild(truth)).toBe('rebuilt')
  expect(await inventory.stock('damaged')).toMatchObject({ available: 10, epoch: 8 })
  expect(await rebuild(truth)).toBe('moved_on')
})

test('rebuild replaces keys of another type, but not an outbox whose events are not known', async () => {
  await load(itemOf('types'))
  const truth = await truthOf('types')
  await redis.commands.set(keyOf('types', 'stock'), 'broken')
  await redis.commands.set(keyOf('types', 'holds'), 'broken')
  expect(await rebuild(truth)).toBe('rebuilt')
  expect(await inventory.stock('types')).toMatchObject({ available: 10, epoch: 2 })
  await redis.commands.set(keyOf('types', 'outbox'), 'broken')
  const before = await found('types')
  expect(await rebuild({ ...truth, epoch: 2 })).toBe('unloaded')
  expect(await found('types')).toEqual(before)
})

test('rebuild takes an item larger than a call takes arguments', async () => {
  const item = itemOf('large', { total: 100_000 })
  const orders = Array.from({ length: 70_000 }, (_, n) => ({
    order_id: `o-${n}`,
    user_id: `u-${n}`,
    quantity: 1,
  }))
  const truth = {
    ...item,
    sold: 70_000,
    seq: 70_000,
    epoch: 0,
    run_id: redis.runId() ?? '',
    holds: [],
    orders,
  }
  expect(await inventory.rebuild(truth)).toBe('rebuilt')
  expect(await inventory.stock('large')).toMatchObject({ available: 30_000, sold: 70_000 })
  expect(await redis.commands.hlen(keyOf('large', 'buyers'))).toBe(70_000)
})

test('the header of rebuild.lua is true', () => watched.expectHeaderTrue())
