import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Claim, type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { keyOf } from '../../../test/support/inventory.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { createRestock, type RestockParts } from './restock.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

const sweeping = (change: Partial<RestockParts>) => createRestock({ ...flow.app, ...change })
const inventoryWith = (change: Partial<Inventory>): Inventory => ({ ...flow.app.inventory, ...change })
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
