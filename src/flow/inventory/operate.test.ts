import { afterAll, beforeAll, expect, test } from 'bun:test'
import { claimOf, dump, itemOf, keyOf, watchScript } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import adoptSource from './adopt.lua' with { type: 'text' }
import { createInventory, type Inventory, type ItemChange, type LoadItem } from './inventory.ts'
import lowerSource from './lower.lua' with { type: 'text' }
import loadSource from './load.lua' with { type: 'text' }
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
  lower: watchScript(lowerSource),
}
const load = (item: LoadItem) => watched.load.during(redis.commands, item.item_id, () => inventory.load(item))
const setState = (item_id: string, change: ItemChange) =>
  watched.set_state.during(redis.commands, item_id, () => inventory.setState(item_id, change))
const adopt = (item_id: string, epoch: number, checkedRunId?: string) =>
  watched.adopt.during(redis.commands, item_id, () => inventory.adopt(item_id, epoch, checkedRunId))
const found = (item_id: string) => dump(redis.commands, item_id)
const fence = (item_id: string) =>
  redis.commands.hset(keyOf(item_id, 'stock'), 'run_id', 'of another process')

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

const lower = (item_id: string, units: number) =>
  watched.lower.during(redis.commands, item_id, () => inventory.lower(item_id, units))
const countsOf = async (item_id: string) => {
  const { total = 0, available, held, sold } = (await inventory.stock(item_id)) ?? {}
  return { total, available, held, sold }
}

test('lower takes units back as far as they are not taken, and never adds any', async () => {
  await load(itemOf('lower', { total: 10 }))
  for (const buyer of ['a', 'b', 'c'])
    await inventory.claim(claimOf('lower', { order_id: `of-${buyer}`, user_id: buyer }))
  await inventory.settle('lower', 'of-a')
  expect(await lower('lower', 8)).toBe('lowered')
  expect(await countsOf('lower')).toEqual({ total: 8, available: 5, held: 2, sold: 1 })
  const before = await found('lower')
  for (const units of [8, 9, 100]) expect(await lower('lower', units)).toBe('kept')
  expect(await found('lower')).toEqual(before)
  expect(await lower('lower', 3)).toBe('lowered')
  expect((await inventory.claim(claimOf('lower', { order_id: 'of-d', user_id: 'd' }))).kind).toBe('held_out')
})

test('lower below what is taken leaves nothing and fences, until it fits', async () => {
  await load(itemOf('over', { total: 10 }))
  for (const buyer of ['a', 'b', 'c'])
    await inventory.claim(claimOf('over', { order_id: `of-${buyer}`, user_id: buyer }))
  expect(await lower('over', 2)).toBe('oversold')
  expect(await countsOf('over')).toEqual({ total: 3, available: 0, held: 3, sold: 0 })
  expect((await inventory.claim(claimOf('over', { order_id: 'of-d', user_id: 'd' }))).kind).toBe('fenced')
  const before = await found('over')
  expect(await lower('over', 2)).toBe('kept')
  expect(await found('over')).toEqual(before)
  await inventory.release('over', 'of-c')
  expect((await inventory.claim(claimOf('over', { order_id: 'of-d', user_id: 'd' }))).kind).toBe('fenced')
  expect(await lower('over', 2)).toBe('lowered')
  expect(await countsOf('over')).toEqual({ total: 2, available: 0, held: 2, sold: 0 })
  expect((await inventory.stock('over'))?.run_id).toBe('')
  expect(await lower('nothing', 2)).toBe('unloaded')
  for (const units of [-1, 1.5, Number.NaN])
    expect(inventory.lower('over', units)).rejects.toThrow(RangeError)
})

test('fence sets an empty run_id for the epoch that was seen', async () => {
  await load(itemOf('fence'))
  expect(await inventory.fence('fence', 7)).toBe('moved_on')
  expect(await inventory.fence('fence', 1)).toBe('fenced')
  expect((await inventory.claim(claimOf('fence'))).kind).toBe('fenced')
  expect(await adopt('fence', 2)).toBe('adopted')
  expect((await inventory.claim(claimOf('fence'))).kind).toBe('reserved')
  expect(await inventory.fence('nothing', 1)).toBe('unloaded')
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

test.each(['load', 'set_state', 'adopt'] as const)('the header of %s.lua is true', (name) =>
  watched[name].expectHeaderTrue(),
)
