import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { type Claim, type Flow, startFlow } from '../../../test/support/flow.ts'
import { keyOf } from '../../../test/support/inventory.ts'
import { createReconcile, type ReconcileParts } from './reconcile.ts'

// What happens to an item between reconciliation's looks and its repair. Each test forces one order of steps.

let flow: Flow
let item: string
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())
beforeEach(async () => {
  item = await flow.newItem(10)
})

const reconcilingWith = (change: Partial<ReconcileParts>) => {
  const { app } = flow
  return createReconcile({
    ...app,
    database: app.shards.catalogue,
    runId: () => app.redis.runId(),
    ...change,
  })
}
/** Runs `meanwhile` once, right before the item is rebuilt. */
const beforeRebuild = (meanwhile: () => Promise<unknown>) => {
  const { inventory } = flow.app
  return reconcilingWith({
    inventory: {
      ...inventory,
      rebuild: async (truth) => {
        await meanwhile()
        return inventory.rebuild(truth)
      },
    },
  })
}
const drift = (by: number) => flow.app.redis.commands.hincrby(keyOf(item, 'stock'), 'available', by)
const pay = ({ user_id, order_id }: Claim) =>
  flow.app.shards.of(user_id).transaction((sql) => flow.app.orders.pay(sql, user_id, order_id))
const expectSound = async () => {
  for (const outcome of [
    (await flow.app.reconcile.item(item)).outcome,
    (await flow.app.reconcile.item(item)).outcome,
  ])
    expect(['repaired', 'clean']).toContain(outcome)
  expect(await flow.app.reconcile.item(item)).toMatchObject({ outcome: 'clean', drift: 0 })
}

test('what moves while it is looked at is looked at again, and is no drift', async () => {
  const { app } = flow
  let looks = 0
  const orders = {
    ...app.orders,
    forItem: async (id: string) => {
      // Bought and sold after the look at Redis, before the look at SQL.
      if (looks++ === 0) {
        const claimed = await flow.pending(item)
        await pay(claimed)
        await app.inventory.settle(item, claimed.order_id)
      }
      return app.orders.forItem(id)
    },
  }
  expect(await reconcilingWith({ orders }).item(item)).toMatchObject({ outcome: 'clean', drift: 0 })
  expect(looks).toBe(2)
})

test('a claim in between is not lost', async () => {
  await flow.pending(item)
  await drift(1)
  let claimed: Claim | undefined
  const run = await beforeRebuild(async () => (claimed = await flow.claim(item))).item(item)
  expect(run).toMatchObject({ outcome: 'in_motion' })
  expect(await flow.app.inventory.findClaim(item, claimed?.order_id ?? '')).toBeDefined()
  await expectSound()
  expect(await flow.counts(item)).toEqual({ total: 10, available: 8, held: 2, sold: 0 })
})

test('a claim in between is not lost either where SQL knows of later claims than Redis', async () => {
  const lost = await flow.pending(item)
  const { commands } = flow.app.redis
  // As after a fail-over that lost the last claims: their rows are there, the counter is behind them.
  await flow.app.shards
    .of(lost.user_id)
    .query('update orders set claim_seq = 50 where id = $1', [lost.order_id])
  await commands.zrem(keyOf(item, 'holds'), lost.order_id)
  await commands.hdel(keyOf(item, 'claims'), lost.order_id)
  await commands.hset(keyOf(item, 'stock'), { available: 10, held: 0 })
  let claimed: Claim | undefined
  await beforeRebuild(async () => (claimed = await flow.claim(item))).item(item)
  expect(await flow.app.inventory.findClaim(item, claimed?.order_id ?? '')).toBeDefined()
  await expectSound()
  expect(await flow.counts(item)).toEqual({ total: 10, available: 8, held: 2, sold: 0 })
})

test('a release in between is not undone, and not done twice', async () => {
  const claimed = await flow.pending(item)
  await drift(1)
  await beforeRebuild(() => flow.app.restock.cancel(claimed.user_id, claimed.order_id)).item(item)
  expect(await flow.app.inventory.findClaim(item, claimed.order_id)).toBeUndefined()
  await expectSound()
  expect(await flow.counts(item)).toEqual({ total: 10, available: 10, held: 0, sold: 0 })
  const restocked = (await flow.outbox(item)).filter(({ event }) => event.type === 'Restocked')
  expect(restocked).toHaveLength(1)
})

test('a sale settled in between stays settled', async () => {
  const claimed = await flow.pending(item)
  await drift(-1)
  await beforeRebuild(async () => {
    await pay(claimed)
    await flow.app.inventory.settle(item, claimed.order_id)
  }).item(item)
  expect(await flow.counts(item)).toMatchObject({ held: 0, sold: 1 })
  await expectSound()
  expect(await flow.counts(item)).toEqual({ total: 10, available: 9, held: 0, sold: 1 })
})

test('an operator’s pause in between is kept', async () => {
  await drift(1)
  await beforeRebuild(() => flow.app.inventory.setState(item, { state: 'paused' })).item(item)
  expect(await flow.app.inventory.stock(item)).toMatchObject({ state: 'paused' })
  await expectSound()
  expect(await flow.app.inventory.stock(item)).toMatchObject({ state: 'paused', available: 10 })
})

test('what SQL decides in between is carried out afterwards', async () => {
  const [paid, failed] = [await flow.pending(item), await flow.pending(item)]
  await drift(1)
  const run = await beforeRebuild(async () => {
    await pay(paid)
    await flow.app.orders.fail(failed.user_id, failed.order_id, 'declined')
  }).item(item)
  expect(run).toMatchObject({ outcome: 'repaired', drift: 1 })
  for (const claimed of [paid, failed]) await flow.expire(claimed)
  await flow.app.restock.sweep()
  expect(await flow.counts(item)).toEqual({ total: 10, available: 9, held: 0, sold: 1 })
  await expectSound()
})

test('two reconciliations at once repair once', async () => {
  await flow.pending(item)
  await drift(2)
  const epoch = (await flow.app.inventory.stock(item))?.epoch ?? 0
  const runs = await Promise.all([1, 2, 3].map(() => flow.app.reconcile.item(item)))
  expect(runs.filter(({ outcome }) => outcome === 'repaired')).toHaveLength(1)
  expect((await flow.app.inventory.stock(item))?.epoch).toBe(epoch + 1)
  expect(await flow.counts(item)).toEqual({ total: 10, available: 9, held: 1, sold: 0 })
})

test('the last events that reach SQL while a lost item is read are not forgotten', async () => {
  const claimed = await flow.claim(item)
  const { app } = flow
  await app.redis.commands.del(...['stock', 'buyers', 'holds', 'claims'].map((name) => keyOf(item, name)))
  // The worker writes the rows right after reconciliation has read SQL, or else has counted what is under way.
  const orders = {
    ...app.orders,
    forItem: async (id: string) => {
      const rows = await app.orders.forItem(id)
      await flow.deliver(item)
      return rows
    },
  }
  const inventory = {
    ...app.inventory,
    unconfirmed: async (id: string) => {
      const count = await app.inventory.unconfirmed(id)
      await flow.deliver(item)
      return count
    },
  }
  const run = await reconcilingWith({ orders, inventory }).item(item)
  expect(await app.inventory.unconfirmed(item)).toBe(0)
  expect(run).toMatchObject({ outcome: 'repaired' })
  expect(await flow.counts(item)).toEqual({ total: 10, available: 9, held: 1, sold: 0 })
  expect(await app.inventory.findClaim(item, claimed.order_id)).toBeDefined()
})

test('an item put on sale while it is taken for lost is not written over', async () => {
  const { app } = flow
  await app.redis.commands.del(keyOf(item, 'stock'))
  const sale = await app.catalogue.sale(`sale-${item}`)
  const run = await beforeRebuild(async () => {
    await app.inventory.load({
      ...{ item_id: item, sale_id: sale?.id ?? '', total: 10, state: 'open', opens_at: 0, ends_at: null },
    })
    await flow.claim(item)
  }).item(item)
  expect(run).toMatchObject({ outcome: 'in_motion' })
  expect(await flow.counts(item)).toMatchObject({ available: 9, held: 1 })
})

test('a server replaced between the look and the repair is not vouched for', async () => {
  const { app } = flow
  await flow.pending(item)
  const stock = keyOf(item, 'stock')
  for (const damage of [0, 1]) {
    await app.redis.commands.hset(stock, 'run_id', 'the server before')
    if (damage > 0) await drift(damage)
    let asked = 0
    // The first answer is that of the look, on a server that is gone at the time of the repair.
    const runId = () => (asked++ === 0 ? 'the server looked at' : app.redis.runId())
    expect(await reconcilingWith({ runId }).item(item)).toMatchObject({ outcome: 'in_motion' })
    expect(await app.redis.commands.hget(stock, 'run_id')).toBe('the server before')
  }
  await expectSound()
})
