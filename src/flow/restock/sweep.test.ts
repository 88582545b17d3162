import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Claim, type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { keyOf } from '../../../test/support/inventory.ts'
import { type Around, connectionLost, watchShards } from '../../../test/support/sql.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { createOrders, type Orders } from '../orders/orders.ts'
import { createRestock, type RestockParts } from './restock.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

const sweeping = (change: Partial<RestockParts>) => createRestock({ ...flow.app, ...change })
const inventoryWith = (change: Partial<Inventory>): Inventory => ({ ...flow.app.inventory, ...change })
const ordersOn = (around: Around): Orders => createOrders({ shards: watchShards(flow.app.shards, around) })
const pay = ({ user_id, order_id }: Claim) =>
  flow.app.shards.of(user_id).transaction((sql) => flow.app.orders.pay(sql, user_id, order_id))
const restockedEvents = async (item: string) =>
  (await flow.outbox(item))
    .filter(({ event }) => event.type === 'Restocked')
    .map(({ event }) => event.order_id)
const sweep = () => flow.app.restock.sweep()

describe('a hold that is due', () => {
  test.each([
    ['PENDING', 'FAILED', { available: 2, held: 0, sold: 0 }],
    ['PAID', 'PAID', { available: 1, held: 0, sold: 1 }],
    ['FAILED', 'FAILED', { available: 2, held: 0, sold: 0 }],
  ] as const)('of a %s order ends as SQL says', async (before, after, counts) => {
    const item = await flow.newItem(2)
    const claimed = await flow.pending(item)
    if (before === 'PAID') await pay(claimed)
    if (before === 'FAILED') await flow.app.orders.fail(claimed.user_id, claimed.order_id, 'declined')
    await flow.expire(claimed)
    await sweep()
    expect((await flow.row(claimed)).status).toBe(after)
    expect(await flow.counts(item)).toEqual({ total: 2, ...counts })
    expect(await restockedEvents(item)).toEqual(after === 'PAID' ? [] : [claimed.order_id])
    await sweep()
    expect(await flow.counts(item)).toEqual({ total: 2, ...counts })
  })

  test('of no row yet is buried first; its event comes late and resurrects nothing', async () => {
    const item = await flow.newItem(2)
    const claimed = await flow.claim(item, { quantity: 2 })
    await flow.expire(claimed)
    const order: string[] = []
    await sweeping({
      inventory: inventoryWith({
        release: async (...call) => {
          order.push((await flow.row(claimed)).status)
          return flow.app.inventory.release(...call)
        },
      }),
    }).sweep()
    expect(order).toEqual(['FAILED'])
    const row = await flow.row(claimed)
    expect(row).toMatchObject({
      failure_reason: 'hold_expired',
      quantity: 2,
      amount: 2 * PRICE,
      claim_seq: 1,
    })
    await flow.deliver(item)
    expect(await flow.row(claimed)).toEqual(row)
    expect(await flow.counts(item)).toEqual({ total: 2, available: 2, held: 0, sold: 0 })
    await flow.claim(item)
  })

  test('whose event wins the race for the row ends as that row says', async () => {
    const item = await flow.newItem(2)
    const claimed = await flow.claim(item)
    await flow.expire(claimed)
    const { orders } = flow.app
    await sweeping({
      orders: {
        ...orders,
        bury: async (...call) => {
          await flow.deliver(item) // the row is written between our look and our tombstone
          return orders.bury(...call)
        },
      },
    }).sweep()
    expect(await flow.row(claimed)).toMatchObject({ status: 'FAILED', failure_reason: 'hold_expired' })
    expect(await flow.counts(item)).toEqual({ total: 2, available: 2, held: 0, sold: 0 })
  })

  test('whose buyer pays between our look and our decision is sold, not released', async () => {
    const item = await flow.newItem(2)
    const claimed = await flow.pending(item)
    await flow.expire(claimed)
    const { orders } = flow.app
    await sweeping({
      orders: {
        ...orders,
        fail: async (...call) => {
          await pay(claimed)
          return orders.fail(...call)
        },
      },
    }).sweep()
    expect((await flow.row(claimed)).status).toBe('PAID')
    expect(await flow.counts(item)).toEqual({ total: 2, available: 1, held: 0, sold: 1 })
  })
})

describe('an overdue order', () => {
  test('fails, its unit is back with an event, its hold not waited for', async () => {
    const item = await flow.newItem(2)
    const [late, other] = [await flow.pending(item), await flow.pending(item)]
    await flow.lapse(late)
    const done = await sweep()
    expect(done).toEqual({ failed: 1, released: 0, settled: 0 })
    expect(await flow.row(late)).toMatchObject({ status: 'FAILED', failure_reason: 'payment_timeout' })
    expect((await flow.row(other)).status).toBe('PENDING')
    expect(await restockedEvents(item)).toEqual([late.order_id])
    expect(await flow.counts(item)).toEqual({ total: 2, available: 1, held: 1, sold: 0 })
  })

  test('whose release fails has its unit back with the next sweep, once', async () => {
    const item = await flow.newItem(2)
    const claimed = await flow.pending(item)
    await flow.lapse(claimed)
    await sweeping({
      inventory: inventoryWith({ release: () => Promise.reject(new Error('Redis is away')) }),
    }).sweep()
    expect((await flow.row(claimed)).status).toBe('FAILED')
    expect(await flow.counts(item)).toMatchObject({ available: 1, held: 1 })
    await sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 2, held: 0 })
    await sweep()
    expect(await restockedEvents(item)).toEqual([claimed.order_id])
    await flow.deliver(item)
    await sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 2, held: 0 })
    expect(await restockedEvents(item)).toEqual([])
  })
})

describe('nothing ends early', () => {
  /** Sweeps until the item is free again, and answers what `clock` said when that was seen first. */
  const sweptUntilFree = async (item: string, clock: () => Promise<number>) => {
    const began = performance.now()
    for (;;) {
      const swept = await sweep()
      if (swept.failed + swept.released > 0) return clock()
      expect(await flow.counts(item)).toMatchObject({ held: 1 })
      if (performance.now() - began > 5000) throw new Error('it never ends')
    }
  }

  test('a hold', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.claim(item, { hold_ms: 300, pay_ms: 300 })
    const hold = await flow.app.inventory.findClaim(item, claimed.order_id)
    const endedAt = await sweptUntilFree(item, async () => {
      const [seconds, micros] = await flow.app.redis.commands.time()
      return Number(seconds) * 1000 + Number(micros) / 1000
    })
    expect(endedAt).toBeGreaterThanOrEqual(hold?.deadline ?? Infinity)
    expect(await flow.row(claimed)).toMatchObject({ failure_reason: 'hold_expired' })
  })

  test('a payment window', async () => {
    const item = await flow.newItem(1)
    const claimed = await flow.pending(item, { pay_ms: 300 })
    const endedAt = await sweptUntilFree(item, async () => {
      const { rows } = await flow.app.shards.catalogue.query<{ now: Date }>('select now() as now')
      return rows[0]?.now.getTime() ?? 0
    })
    const { pay_by, failure_reason } = await flow.row(claimed)
    expect(endedAt).toBeGreaterThanOrEqual(pay_by)
    expect(failure_reason).toBe('payment_timeout')
  })
})

test('two sweeps at once end each hold once', async () => {
  const item = await flow.newItem(60)
  const claims = await Promise.all(Array.from({ length: 60 }, () => flow.claim(item)))
  await flow.deliver(item)
  for (const [n, claimed] of claims.entries()) {
    if (n % 3 === 0) await pay(claimed)
    if (n % 3 === 1) await flow.lapse(claimed)
    await flow.expire(claimed)
  }
  await Promise.all([sweep(), sweep(), sweep()])
  expect(await flow.counts(item)).toEqual({ total: 60, available: 40, held: 0, sold: 20 })
  const restocked = await restockedEvents(item)
  expect(restocked).toHaveLength(40)
  expect(new Set(restocked).size).toBe(40)
})

test('more are due than one reading takes: a sweep ends them all', async () => {
  const item = await flow.newItem(700)
  const claims = await Promise.all(Array.from({ length: 650 }, () => flow.claim(item)))
  await flow.app.redis.commands.zadd(
    keyOf(item, 'holds'),
    'XX',
    ...claims.flatMap(({ order_id }) => [1, order_id]),
  )
  await sweep()
  expect(await flow.counts(item)).toEqual({ total: 700, available: 700, held: 0, sold: 0 })
}, 20_000)

describe('trouble', () => {
  test('with one order keeps nobody else waiting', async () => {
    const item = await flow.newItem(6)
    const claims = await Promise.all([1, 2, 3, 4].map(() => flow.pending(item)))
    const [late, due] = claims as [Claim, Claim]
    for (const claimed of claims.slice(0, 2)) await flow.lapse(claimed)
    for (const claimed of claims.slice(2)) await flow.expire(claimed)
    await flow.lapse(late)
    const unlucky = new Set([late.order_id, claims[2]?.order_id])
    const { orders } = flow.app
    await sweeping({
      orders: {
        ...orders,
        fail: (user, id, reason) =>
          unlucky.has(id) ? Promise.reject(connectionLost()) : orders.fail(user, id, reason),
      },
    }).sweep()
    expect(await Promise.all(claims.map(async (claimed) => (await flow.row(claimed)).status))).toEqual([
      'PENDING',
      'FAILED',
      'PENDING',
      'FAILED',
    ])
    expect(due.order_id).not.toBe(late.order_id)
    await sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 6 })
  })

  test.each([0, 1])('with shard %d keeps the buyers of the other from nothing', async (down) => {
    const item = await flow.newItem(8)
    const claims = await Promise.all(
      [0, 0, 1, 1].map((shard) => flow.pending(item, { user_id: flow.buyerOn(shard) })),
    )
    for (const [n, claimed] of claims.entries())
      await (n % 2 === 0 ? flow.lapse(claimed) : flow.expire(claimed))
    const broken = ordersOn(({ shard }) => {
      if (shard === down) throw connectionLost()
    })
    await sweeping({ orders: broken }).sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 6, held: 2 })
    await sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 8, held: 0 })
  })

  test('with one item keeps no other waiting', async () => {
    const items = [await flow.newItem(1), await flow.newItem(1)]
    const claims = await Promise.all(items.map((item) => flow.pending(item)))
    for (const claimed of claims) await flow.expire(claimed)
    const broken = (await flow.app.inventory.items()).find((item) => items.includes(item)) ?? ''
    await sweeping({
      inventory: inventoryWith({
        due: (item, ...more) =>
          item === broken ? Promise.reject(new Error('unreadable')) : flow.app.inventory.due(item, ...more),
      }),
    }).sweep()
    const held = await Promise.all(items.map(async (item) => (await flow.counts(item)).held))
    expect(held.sort()).toEqual([0, 1])
    await sweep()
  })

  test('with many holds of one shard does not hide those of the other behind them', async () => {
    const item = await flow.newItem(600)
    const stuck = Array.from({ length: 510 }, () => flow.buyerOn(0))
    const claims = await Promise.all(stuck.map((user_id) => flow.claim(item, { user_id })))
    const free = await flow.claim(item, { user_id: flow.buyerOn(1) })
    await flow.app.redis.commands.zadd(
      keyOf(item, 'holds'),
      'XX',
      ...claims.flatMap(({ order_id }) => [1, order_id]),
      2,
      free.order_id,
    )
    const broken = ordersOn(({ shard }) => {
      if (shard === 0) throw connectionLost()
    })
    await sweeping({ orders: broken }).sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 90, held: 510 })
    expect((await flow.row(free)).status).toBe('FAILED')
  }, 20_000)

  test('with the payment provider does not keep units from coming back', async () => {
    const item = await flow.newItem(3)
    const claimed = await flow.pending(item)
    await flow.app.payments.start(await flow.row(claimed), 'stripe')
    await flow.lapse(claimed)
    const never = new Promise<never>(() => undefined)
    await sweeping({ payments: { finish: () => never } }).sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 3, held: 0 })
    await flow.rest()
    await flow.app.payments.repair(500)
    expect(flow.stripe.entry(claimed.order_id)).toMatchObject([{ status: 'canceled' }])
  })
})
