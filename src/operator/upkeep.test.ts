import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Claim, type Flow, startFlow } from '../../test/support/flow.ts'
import { paying } from '../../test/support/paying.ts'
import { eventually } from '../../test/support/stripe.ts'
import { keepClean, type UpkeepParts } from './upkeep.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

/** Runs the cleanup worker's loop while `work` goes on. */
async function whileKeptClean(
  work: () => Promise<void>,
  { reconcileIntervalS = 3600, ...change }: Partial<UpkeepParts> & { reconcileIntervalS?: number } = {},
): Promise<void> {
  const stop = new AbortController()
  const parts = { ...flow.app, ...change }
  const running = keepClean(parts, { sweepIntervalS: 0.02, reconcileIntervalS }, stop.signal)
  await work()
  stop.abort()
  await running
}
const free = (item: string) => async () => (await flow.counts(item)).held === 0
const lapsed = async (item: string): Promise<Claim> => {
  const claimed = await flow.pending(item)
  await flow.lapse(claimed)
  return claimed
}

test('overdue orders end, and their payments are closed, without anybody asking', async () => {
  const item = await flow.newItem(2)
  const payment = await paying(flow, item).starting(await lapsed(item))
  await flow.rest()
  await whileKeptClean(async () => {
    await eventually(free(item))
    await flow.rest()
    await eventually(() => flow.stripe.entry(payment.order_id)[0]?.status === 'canceled')
  })
  expect(await flow.counts(item)).toMatchObject({ available: 2, sold: 0 })
})

test('a payment provider that hangs holds up no sweep', async () => {
  const item = await flow.newItem(2)
  const hanging = Promise.withResolvers<number>()
  await whileKeptClean(
    async () => {
      for (let round = 0; round < 3; round += 1) {
        await lapsed(item)
        await eventually(free(item))
      }
      hanging.resolve(0)
    },
    { payments: { repair: () => hanging.promise } },
  )
  expect(await flow.counts(item)).toMatchObject({ available: 2 })
})

test('what fails is tried again', async () => {
  const item = await flow.newItem(2)
  await lapsed(item)
  let failures = 0
  const restock = {
    sweep: () => (++failures <= 3 ? Promise.reject(new Error('SQL is away')) : flow.app.restock.sweep()),
  }
  await whileKeptClean(() => eventually(free(item)), { restock })
  expect(failures).toBeGreaterThan(3)
})

test('items are compared with SQL every interval', async () => {
  const item = await flow.newItem(5)
  await flow.app.redis.commands.hincrby(`item:{${item}}:stock`, 'available', 2)
  await whileKeptClean(() => eventually(async () => (await flow.counts(item)).available === 5), {
    reconcileIntervalS: 0.05,
  })
})

test('the fence of a restarted Redis is lifted', async () => {
  const item = await flow.newItem(5)
  const claimed = await flow.pending(item)
  await flow.server.kill9()
  await flow.server.restart()
  await eventually(() => flow.app.redis.runId() !== undefined)
  expect(await flow.app.reconcile.fenced()).toContain(item)
  await whileKeptClean(() => eventually(async () => (await flow.app.reconcile.fenced()).length === 0))
  await flow.claim(item)
  expect(await flow.app.inventory.findClaim(item, claimed.order_id)).toBeDefined()
  expect(await flow.counts(item)).toMatchObject({ available: 3, held: 2 })
})

test('an emptied Redis is furnished again: stock, holds, waiting rooms', async () => {
  const item = await flow.newItem(5)
  const claimed = await flow.pending(item)
  await flow.app.redis.commands.flushall()
  await whileKeptClean(async () => {
    await eventually(async () => (await flow.app.reconcile.fenced()).length === 0)
    await eventually(async () => (await flow.app.redis.commands.exists(`queue:{sale-${item}}`)) === 1)
  })
  expect(await flow.counts(item)).toEqual({ total: 5, available: 4, held: 1, sold: 0 })
  expect(await flow.app.inventory.findClaim(item, claimed.order_id)).toBeDefined()
})

test('an emptied Redis sells nothing where SQL has sold more than there is', async () => {
  const item = await flow.newItem(3)
  for (const claimed of [await flow.pending(item), await flow.pending(item), await flow.pending(item)])
    await flow.app.shards
      .of(claimed.user_id)
      .transaction((sql) => flow.app.orders.pay(sql, claimed.user_id, claimed.order_id))
  await flow.app.shards.catalogue.query('update products set units = 2 where id = $1', [item])
  await eventually(async () => (await flow.app.catalogue.product(item))?.units === 2)
  await flow.app.redis.commands.flushall()
  const looked = async () =>
    (await flow.app.reconcile.runs(1000)).filter((run) => run.item_id === item && run.outcome === 'oversold')
      .length
  let sweeps = 0
  const restock = { sweep: () => (sweeps++, flow.app.restock.sweep()) }
  await whileKeptClean(() => eventually(() => sweeps > 5), { restock })
  expect(await flow.app.inventory.stock(item)).toMatchObject({ available: 0, sold: 3, total: 3, run_id: '' })
  expect(await looked()).toBe(1) // once an interval, not with every sweep
  await flow.app.shards.catalogue.query('update products set units = 3 where id = $1', [item])
  await eventually(async () => (await flow.app.catalogue.product(item))?.units === 3)
})

test('a waiting room that could not be put back is put back with the next round', async () => {
  const item = await flow.newItem(3)
  await flow.app.redis.commands.flushall()
  let failures = 0
  const { waitingRoom } = flow.app
  const failing: UpkeepParts['waitingRoom'] = {
    ...waitingRoom,
    create: (...sale) =>
      ++failures <= 2 ? Promise.reject(new Error('Redis is away')) : waitingRoom.create(...sale),
  }
  await whileKeptClean(
    () => eventually(async () => (await flow.app.redis.commands.exists(`queue:{sale-${item}}`)) === 1),
    { waitingRoom: failing },
  )
})

test('stops when it is told to, after what is under way', async () => {
  let finished = false
  const begun = Promise.withResolvers<void>()
  const restock = {
    sweep: async () => {
      begun.resolve()
      await flow.app.clock.sleep(50)
      finished = true
      return { failed: 0, released: 0, settled: 0 }
    },
  }
  await whileKeptClean(() => begun.promise, { restock })
  expect(finished).toBe(true)
})
