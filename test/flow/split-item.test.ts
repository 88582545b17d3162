import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { partIndexOf, partsOf } from '../../src/contracts/parts.ts'
import { partOwner } from '../../src/flow/inventory/keys.ts'
import { PRICE, saleOf } from '../support/flow.ts'
import { type ClusterApp, keysOf, startOnCluster } from '../support/cluster-app.ts'
import { keyOf } from '../support/inventory.ts'
import { eventually } from '../support/stripe.ts'

// A hot item in three parts on three masters of a real cluster.

setDefaultTimeout(60_000)
const OF = 3
let { cluster, app, flow, inSql, stop } = {} as ClusterApp
beforeAll(async () => void ({ cluster, app, flow, inSql, stop } = await startOnCluster()))
afterAll(() => stop())

/** On which node each part is. */
async function homesOf(item: string): Promise<number[]> {
  const keys = await Promise.all(cluster.nodes.map(keysOf))
  return partsOf(item, OF).map((part) =>
    keys.findIndex((one) => one.includes(keyOf(partOwner(part), 'stock'))),
  )
}
let buyers = 0
const buyerOf = (index: number) => {
  for (;;) {
    const user = `split-${++buyers}`
    if (partIndexOf(user, OF) === index) return user
  }
}
const newSplit = async (item: string, units: number) => {
  const sale = saleOf(item, units)
  const products = sale.products.map((product) => ({ ...product, stock_parts: OF }))
  expect(
    await app.commands.createSale({ operator: 'test', reason: 'a test' }, { ...sale, products }),
  ).toEqual({
    kind: 'created',
  })
}
const claim = (item_id: string, user_id: string) =>
  app.inventory.claim({
    ...{ item_id, parts: OF, user_id, order_id: uuidv7(), quantity: 1, limit: 1 },
    ...{ amount: PRICE, currency: 'EUR', hold_ms: 600_000, pay_ms: 300_000 },
  })

test('a rush of buyers who are uneven over the parts: all units are sold, one each, from three masters', async () => {
  const [item, units] = ['hot', 90]
  await newSplit(item, units)
  expect(new Set(await homesOf(item)).size).toBe(3)

  // Five in six of them belong to the first part, which has a third of the units.
  const crowd = Array.from({ length: 240 }, (_, index) =>
    buyerOf(index % 6 === 0 ? 1 + ((index / 6) % 2) : 0),
  )
  const outcomes = await Promise.all(crowd.map((user) => claim(item, user)))
  const kinds = outcomes.map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'reserved')).toHaveLength(units)
  expect(new Set(kinds)).toEqual(new Set(['reserved', 'held_out']))
  expect(await flow.counts(item)).toEqual({ total: units, available: 0, held: units, sold: 0 })

  // The events of all parts become orders, on the shard of their buyer and with a number of their own.
  await inSql()
  const rows = await app.orders.forItem(item)
  expect(rows).toHaveLength(units)
  expect(new Set(rows.map(({ user_id }) => user_id)).size).toBe(units)
  expect(new Set(rows.map(({ claim_seq }) => claim_seq)).size).toBe(units)
  for (const { user_id, order_id } of rows.slice(0, 80)) {
    await app.shards.of(user_id).transaction((sql) => app.orders.pay(sql, user_id, order_id))
    await app.inventory.settle(item, order_id, user_id)
  }
  for (const { user_id, order_id } of rows.slice(80)) await app.restock.cancel(user_id, order_id)
  await inSql()
  expect(await flow.counts(item)).toEqual({ total: units, available: 10, held: 0, sold: 80 })
  expect(await app.reconcile.item(item)).toMatchObject({ outcome: 'clean', drift: 0 })

  // What came back to other parts reaches buyers of the third as well.
  for (let left = 10; left > 0; left -= 1) expect((await claim(item, buyerOf(2))).kind).toBe('reserved')
  await inSql()
  for (const { user_id, order_id, status } of await app.orders.forItem(item))
    if (status === 'PENDING') {
      await app.shards.of(user_id).transaction((sql) => app.orders.pay(sql, user_id, order_id))
      await app.inventory.settle(item, order_id, user_id)
    }
  expect((await claim(item, buyerOf(0))).kind).toBe('sold_out')
})

test('a master dies and comes back empty: the others sell on, nobody is told "sold out", and its part is made anew', async () => {
  const item = 'struck'
  await newSplit(item, 30)
  const homes = await homesOf(item)
  const lost = await flow.claim(item, { parts: OF, user_id: buyerOf(1) })
  const kept = await flow.claim(item, { parts: OF, user_id: buyerOf(2) })
  await inSql()
  // On its way between two that live on, and out of the one that dies.
  const { parts } = app.inventory
  await parts.give({ item_id: item, index: 0, of: OF }, 2, 0, 2)
  const hand = await parts.give({ item_id: item, index: 1, of: OF }, 0, 0, 3)

  await flow.counts(item)
  const dead = cluster.nodes[homes[1] ?? -1]
  await dead?.kill9()
  await eventually(() => parts.runId({ item_id: item, index: 1, of: OF }) === undefined, 15_000)
  for (let units = 0; units < 10; units += 1) {
    const index = units % 2 === 0 ? 0 : 2
    expect((await claim(item, buyerOf(index))).kind).toBe('reserved')
  }
  expect(await claim(item, buyerOf(1)).catch((error: Error) => error.name)).toBe('InventoryUnavailable')
  // Those that are there have 9 more, what is on its way between them too.
  const kinds = []
  for (let turn = 0; turn < 12; turn += 1) kinds.push((await claim(item, buyerOf(0))).kind)
  expect(kinds).toEqual([...Array.from({ length: 8 }, () => 'reserved' as const), ...kinds.slice(8)])
  expect(kinds.at(-1)).toBe('held_out')
  // Also when all that those have is sold: the units of the one that is away may come back.
  for (const index of [0, 2])
    for (const { user_id, order_id } of await parts.holds({ item_id: item, index, of: OF })) {
      await eventually(async () => (await app.orders.find(user_id, order_id)) !== undefined, 10_000)
      await app.shards.of(user_id).transaction((sql) => app.orders.pay(sql, user_id, order_id))
      expect(await app.inventory.settle(item, order_id, user_id)).toBe('settled')
    }
  expect(await app.inventory.findClaim(item, kept.order_id, kept.user_id)).toBeUndefined()
  expect((await claim(item, buyerOf(0))).kind).toBe('held_out')
  // What it had may come back: whoever waits goes on waiting.
  expect(await flow.counts(item)).toEqual({ total: 30, available: 0, held: 10, sold: 20 })
  expect((await app.reconcile.item(item)).outcome).toBe('in_motion')

  await rm(join(dead?.dir ?? 'nowhere', 'appendonlydir'), { recursive: true })
  await dead?.restart()
  await eventually(async () => (await app.reconcile.fenced()).includes(item), 15_000)
  await eventually(async () => (await app.reconcile.item(item)).outcome === 'repaired', 15_000)
  await inSql()
  expect(await app.inventory.findClaim(item, lost.order_id, lost.user_id)).toBeDefined()
  if (hand.kind !== 'given') throw new Error('nothing was given')
  expect(await parts.takeIn({ item_id: item, index: 0, of: OF }, { ...hand, from: 1 })).toBe('known')
  const { total, available } = await flow.counts(item)
  expect(total).toBe(30)
  for (let units = 0; units < available; units += 1)
    expect((await claim(item, buyerOf(units % OF))).kind).toBe('reserved')
  expect((await claim(item, buyerOf(1))).kind).toBe('held_out')
  await inSql()
  expect(await app.orders.forItem(item)).toHaveLength(30)
})
