import { afterAll, beforeAll, expect, test } from 'bun:test'
import { claimOf, dump, itemOf, keyOf, watchScript } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import adoptSource from './adopt.lua' with { type: 'text' }
import {
  createInventory,
  type Inventory,
  type ItemChange,
  type LoadItem,
  type RebuildItem,
} from './inventory.ts'
import loadSource from './load.lua' with { type: 'text' }
import rebuildSource from './rebuild.lua' with { type: 'text' }
import setStateSource from './set_state.lua' with { type: 'text' }

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

const watched = {
  load: watchScript(loadSource),
  set_state: watchScript(setStateSource),
  adopt: watchScript(adoptSource),
  rebuild: watchScript(rebuildSource),
}
const load = (item: LoadItem) => watched.load.during(redis.commands, item.item_id, () => inventory.load(item))
const setState = (item_id: string, change: ItemChange) =>
  watched.set_state.during(redis.commands, item_id, () => inventory.setState(item_id, change))
const adopt = (item_id: string, epoch: number, checkedRunId?: string) =>
  watched.adopt.during(redis.commands, item_id, () => inventory.adopt(item_id, epoch, checkedRunId))
const rebuild = (item: RebuildItem) =>
  watched.rebuild.during(redis.commands, item.item_id, () => inventory.rebuild(item))
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

test('load creates the item once, all available, and lists it', async () => {
  expect(await load(itemOf('new', { total: 7, opens_at: 5, ends_at: 9, state: 'paused' }))).toBe('loaded')
  const run_id = redis.runId() ?? ''
  expect(await found('new')).toEqual({
    stock: {
      ...{ total: '7', available: '7', held: '0', sold: '0', seq: '0', epoch: '1', run_id },
      ...{ state: 'paused', opens_at: '5', ends_at: '9', sale_id: 'sale-1' },
    },
  })
  expect(await inventory.stock('new')).toEqual({
    ...{ total: 7, available: 7, held: 0, sold: 0, seq: 0, epoch: 1, run_id },
    ...{ state: 'paused', opens_at: 5, ends_at: 9, sale_id: 'sale-1' },
  })
  const before = await found('new')
  expect(await load(itemOf('new', { total: 99 }))).toBe('exists')
  expect(await found('new')).toEqual(before)
  expect(await inventory.items()).toEqual(['new'])
})

test('load does not sell anew what a damaged item left, but takes the empty outbox of a quick relay', async () => {
  await load(itemOf('damaged'))
  await inventory.claim(claimOf('damaged'))
  for (const gone of ['stock', 'holds', 'claims', 'buyers']) {
    await redis.commands.del(keyOf('damaged', gone))
    const before = await found('damaged')
    expect(await load(itemOf('damaged'))).toBe('exists')
    expect(await found('damaged')).toEqual(before)
  }
  await redis.commands.xgroup('CREATE', keyOf('quick', 'outbox'), 'relay', '0', 'MKSTREAM')
  expect(await load(itemOf('quick'))).toBe('loaded')
})

test('an item that can not be meant is refused before anything is written', async () => {
  const bad: Partial<LoadItem>[] = [
    ...['A', 'a}b', '', '-a'].map((item_id) => ({ item_id })),
    ...[-1, 1.5, NaN].map((total) => ({ total })),
    { opens_at: -1 },
    { ends_at: 0.5 },
    { state: 'shut' as 'open' },
  ]
  const keys = await redis.commands.dbsize()
  for (const change of bad)
    expect(await inventory.load(itemOf('bad', change)).catch((error: unknown) => error)).toBeInstanceOf(
      RangeError,
    )
  expect(await redis.commands.dbsize()).toBe(keys)
})

test('set_state changes what is named and nothing else; repeating it changes nothing', async () => {
  await load(itemOf('operate'))
  const before = (await found('operate'))['stock'] as object
  const changes: [ItemChange, object][] = [
    [{ state: 'paused' }, { state: 'paused' }],
    [
      { opens_at: 5, ends_at: 9 },
      { opens_at: '5', ends_at: '9' },
    ],
    [{ ends_at: null }, { ends_at: '' }],
    [{}, {}],
  ]
  let expected = before
  for (const [change, fields] of changes) {
    expected = { ...expected, ...fields }
    for (const repeat of ['once', 'again']) {
      expect([repeat, await setState('operate', change)]).toEqual([repeat, 'changed'])
      expect(await found('operate')).toEqual({ stock: expected })
    }
  }
  const bad = inventory.setState('operate', { opens_at: NaN })
  expect(await bad.catch((error: unknown) => error)).toBeInstanceOf(RangeError)
  expect(await setState('nowhere', { state: 'open' })).toBe('unloaded')
  expect(await found('nowhere')).toEqual({})
})

test('adopt lifts the fence once for the epoch that was checked', async () => {
  await load(itemOf('adopt'))
  await fence('adopt')
  expect((await inventory.claim(claimOf('adopt'))).kind).toBe('fenced')
  expect(await adopt('adopt', 2)).toBe('moved_on')
  expect(await adopt('adopt', 1, 'a server replaced since')).toBe('moved_on')
  expect((await inventory.claim(claimOf('adopt'))).kind).toBe('fenced')
  expect(await adopt('adopt', 1, redis.runId())).toBe('adopted')
  expect(await inventory.stock('adopt')).toMatchObject({ epoch: 2, run_id: redis.runId() as string })
  expect((await inventory.claim(claimOf('adopt'))).kind).toBe('reserved')
  const before = await found('adopt')
  expect(await adopt('adopt', 1)).toBe('moved_on')
  expect(await found('adopt')).toEqual(before)
  expect(await adopt('nowhere', 0)).toBe('unloaded')
})

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

test.each(['load', 'set_state', 'adopt', 'rebuild'] as const)('the header of %s.lua is true', (name) =>
  watched[name].expectHeaderTrue(),
)
