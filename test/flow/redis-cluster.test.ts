import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { InventoryUnavailable } from '../../src/flow/inventory/inventory.ts'
import { type ClusterApp, keysOf, startOnCluster } from '../support/cluster-app.ts'
import { keyOf } from '../support/inventory.ts'
import { eventually } from '../support/stripe.ts'

// The path of a claim on a real cluster of three masters, items on each of them.

setDefaultTimeout(60_000)
let { cluster, app, flow, inSql, stop } = {} as ClusterApp
beforeAll(async () => void ({ cluster, app, flow, inSql, stop } = await startOnCluster()))
afterAll(() => stop())

test('claims, sales, releases and their events, reconciled; a master that dies takes only its own items with it', async () => {
  const items: string[] = []
  let homes: string[][] = []
  const homeOf = (item: string) => homes.findIndex((keys) => keys.includes(keyOf(item, 'stock')))
  // Where an item lives is up to its name: until each master has one.
  while (items.length < 6 || new Set(items.map(homeOf)).size < 3) {
    items.push(await flow.newItem(10))
    homes = await Promise.all(cluster.nodes.map(keysOf))
  }

  for (const item of items) {
    const [sold, ended] = [await flow.claim(item), await flow.claim(item), await flow.claim(item)]
    await inSql()
    await app.shards.of(sold.user_id).transaction((sql) => app.orders.pay(sql, sold.user_id, sold.order_id))
    await app.orders.fail(ended.user_id, ended.order_id, 'declined')
    expect(await app.inventory.settle(item, sold.order_id)).toBe('settled')
    expect(await app.inventory.release(item, ended.order_id)).toBe('released')
    expect(await flow.counts(item)).toEqual({ total: 10, available: 8, held: 1, sold: 1 })
  }
  await inSql()
  const clean = await Promise.all(items.map((item) => app.reconcile.item(item)))
  expect(clean.map(({ outcome }) => outcome)).toEqual(items.map(() => 'clean'))

  // As the cleanup worker does all the time; it knows the items from then on.
  await app.restock.sweep()
  // The one that also keeps the list of items.
  const dead = homes.findIndex((keys) => keys.includes('items'))
  const [gone, left] = [true, false].map((there) => items.filter((item) => (homeOf(item) === dead) === there))
  await cluster.nodes[dead]?.kill9()
  await eventually(
    () => gone?.every((item) => app.redis.runId(keyOf(item, 'stock')) === undefined) ?? false,
    15_000,
  )
  for (const item of gone ?? [])
    expect(await flow.claim(item).catch((error: unknown) => error)).toBeInstanceOf(InventoryUnavailable)
  for (const item of left ?? []) {
    const claim = await flow.claim(item)
    await eventually(
      async () => (await app.orders.find(claim.user_id, claim.order_id))?.status === 'PENDING',
      10_000,
    )
    await flow.expire(claim)
  }
  await app.restock.sweep()
  for (const item of left ?? []) expect(await flow.counts(item)).toMatchObject({ available: 8, held: 1 })
  expect(await app.reconcile.fenced()).toEqual([])

  await cluster.nodes[dead]?.restart()
  await eventually(() => app.redis.runId() !== undefined, 15_000)
  const fenced = async () => JSON.stringify((await app.reconcile.fenced()).toSorted())
  await eventually(async () => (await fenced()) === JSON.stringify((gone ?? []).toSorted()), 15_000)
  for (const item of gone ?? []) {
    expect(await flow.claim(item).then(() => '', String)).toContain('fenced')
    expect(await app.reconcile.item(item)).toMatchObject({ outcome: 'repaired', drift: 0 })
    await flow.claim(item)
  }
  await inSql()
})
