import { afterAll, beforeAll, expect, test } from 'bun:test'
import { claimOf, dump, eventsOf, itemOf, keyOf, watchScript } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import dueSource from './due.lua' with { type: 'text' }
import { type ClaimRequest, createInventory, type Inventory } from './inventory.ts'
import releaseSource from './release.lua' with { type: 'text' }
import { dueScript } from './scripts.ts'
import settleSource from './settle.lua' with { type: 'text' }

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
  settle: watchScript(settleSource),
  release: watchScript(releaseSource),
  due: watchScript(dueSource),
}
const settle = (item_id: string, order_id: string) =>
  watched.settle.during(redis.commands, item_id, () => inventory.settle(item_id, order_id))
const release = (item_id: string, order_id: string) =>
  watched.release.during(redis.commands, item_id, () => inventory.release(item_id, order_id))
const due = (item_id: string, input: { which?: 'overdue' | 'all'; graceMs?: number; max?: number } = {}) =>
  watched.due.during(redis.commands, item_id, () =>
    dueScript.run(redis.commands, { item_id, which: 'overdue', graceMs: 0, max: 100, ...input }),
  )
const found = (item_id: string) => dump(redis.commands, item_id)
const held = async (item_id: string, change: Partial<ClaimRequest> = {}) => {
  const request = claimOf(item_id, change)
  expect((await inventory.claim(request)).kind).toBe('reserved')
  return request
}

test('claim and release leave the buyer at quantity 0, the counter and the two events, and nothing else', async () => {
  await inventory.load(itemOf('residue'))
  await held('residue', { user_id: 'neighbour' })
  const before = await found('residue')
  const request = await held('residue', { quantity: 2 })
  expect(await release('residue', request.order_id)).toBe('released')

  const { order_id, user_id } = request
  expect(await found('residue')).toEqual({
    ...before,
    stock: { ...(before['stock'] as object), seq: '2' },
    buyers: { ...(before['buyers'] as object), [user_id]: `${order_id}:0` },
    outbox: expect.arrayContaining(before['outbox'] as []) as unknown,
  })
  const [, created, restocked, ...more] = await eventsOf(redis.commands, 'residue')
  expect(more).toEqual([])
  expect(created).toMatchObject({ type: 'OrderCreated', order_id })
  expect(restocked).toEqual({
    ...{ type: 'Restocked', version: '1', order_id, user_id, item_id: 'residue', sale_id: 'sale-1' },
    ...{ quantity: '2', timestamp: expect.stringMatching(/^\d{13}$/) as string },
  })
})

test('claim and settle leave the units sold, the buyer with them, the event, and nothing else', async () => {
  await inventory.load(itemOf('sale'))
  const before = await found('sale')
  const { order_id, user_id } = await held('sale', { quantity: 2 })
  const outbox = (await found('sale'))['outbox']
  expect(await settle('sale', order_id)).toBe('settled')
  expect(await found('sale')).toEqual({
    stock: { ...(before['stock'] as object), available: '8', sold: '2', seq: '1' },
    buyers: { [user_id]: `${order_id}:2` },
    outbox,
  })
})

test('gone: a hold ends once, whichever came first, and an order that never was ends never', async () => {
  await inventory.load(itemOf('once'))
  const sold = await held('once')
  const freed = await held('once')
  await settle('once', sold.order_id)
  await release('once', freed.order_id)
  const before = await found('once')
  for (const order_id of [sold.order_id, freed.order_id, 'order-never']) {
    expect(await settle('once', order_id)).toBe('gone')
    expect(await release('once', order_id)).toBe('gone')
  }
  expect(await found('once')).toEqual(before)
})

test('release touches only its own entry among those of a buyer', async () => {
  await inventory.load(itemOf('entries'))
  const mine = { user_id: 'one buyer', limit: 9 }
  const [first, second, third] = [
    await held('entries', mine),
    await held('entries', { ...mine, quantity: 2 }),
    await held('entries', mine),
  ]
  await release('entries', second.order_id)
  const { buyers } = (await found('entries')) as { buyers: Record<string, string> }
  expect(buyers['one buyer']?.split(' ').sort()).toEqual(
    [`${first.order_id}:1`, `${second.order_id}:0`, `${third.order_id}:1`].sort(),
  )
})

test('both work while the item is paused, ended or fenced: what is paid or over does not wait', async () => {
  await inventory.load(itemOf('closed'))
  const [paid, over] = [await held('closed'), await held('closed')]
  await inventory.setState('closed', { state: 'ended' })
  await redis.commands.hset(keyOf('closed', 'stock'), 'run_id', 'of another process')
  expect(await settle('closed', paid.order_id)).toBe('settled')
  expect(await release('closed', over.order_id)).toBe('released')
})

test('due: overdue holds, earliest first, at most max, with all that cleanup needs', async () => {
  await inventory.load(itemOf('due'))
  const late = await held('due', { hold_ms: 1, user_id: 'late: one', quantity: 2 })
  const later = await held('due', { hold_ms: 2 })
  const future = await held('due')
  const overdue = async () => {
    const rows = await due('due')
    if (rows === 'unloaded') throw new Error('unloaded')
    return rows
  }
  while ((await overdue()).length < 2) await redis.commands.ping()
  const rows = await overdue()
  expect(rows.map(({ order_id }) => order_id)).toEqual([late.order_id, later.order_id])
  const created_at = rows[0]?.created_at ?? 0
  expect(rows[0]).toEqual({
    ...{ order_id: late.order_id, user_id: 'late: one', quantity: 2, claim_seq: 1, created_at },
    ...{ deadline: created_at + 1, pay_by: created_at + late.pay_ms },
  })
  expect(await inventory.due('due', 1)).toEqual(rows.slice(0, 1))
  expect(await inventory.due('due', 100, 3_000_000)).toEqual([])
  expect((await inventory.due('due', 100, -3_700_000)).map(({ order_id }) => order_id)).toContain(
    future.order_id,
  )
  expect(await due('due', { which: 'all', max: -1 })).toEqual(await inventory.holds('due'))
  expect((await inventory.holds('due')).map(({ order_id }) => order_id)).toEqual([
    ...[late.order_id, later.order_id, future.order_id],
  ])
  expect(await inventory.findClaim('due', late.order_id)).toEqual(rows[0])
})

test('an order without a hold is not found', async () => {
  await inventory.load(itemOf('find'))
  const { order_id } = await held('find')
  await settle('find', order_id)
  expect(await inventory.findClaim('find', order_id)).toBeUndefined()
  expect(await inventory.findClaim('nowhere', order_id)).toBeUndefined()
})

test('unloaded: an item that is not there is not created', async () => {
  expect(await settle('nowhere', 'order-1')).toBe('unloaded')
  expect(await release('nowhere', 'order-1')).toBe('unloaded')
  expect(await due('nowhere')).toBe('unloaded')
  expect(await inventory.due('nowhere', 10)).toEqual([])
  expect(await inventory.holds('nowhere')).toEqual([])
  expect(await found('nowhere')).toEqual({})
})

test.each(['settle', 'release', 'due'] as const)('the header of %s.lua is true', (name) =>
  watched[name].expectHeaderTrue(),
)
