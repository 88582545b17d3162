import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Claim, type Flow, startFlow } from '../../../test/support/flow.ts'
import { keyOf } from '../../../test/support/inventory.ts'
import { PAGE } from '../../../test/support/paying.ts'
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
const sweep = () => flow.app.restock.sweep()

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
    await flow.app.payments.start(await flow.row(claimed), 'stripe', PAGE)
    await flow.lapse(claimed)
    const never = new Promise<never>(() => undefined)
    await sweeping({ payments: { finish: () => never } }).sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 3, held: 0 })
    await flow.rest()
    await flow.app.payments.repair(500)
    expect(flow.stripe.entry(claimed.order_id)).toMatchObject([{ status: 'canceled' }])
  })
})
