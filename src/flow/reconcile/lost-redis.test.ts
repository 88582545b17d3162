import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Claim, type Flow, startFlow } from '../../../test/support/flow.ts'
import { keyOf } from '../../../test/support/inventory.ts'
import { eventually } from '../../../test/support/stripe.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())
let item: string
beforeEach(async () => {
  item = await flow.newItem(10)
})

const reconcile = () => flow.app.reconcile.item(item)
const pay = async ({ user_id, order_id }: Claim, settle = true) => {
  await flow.app.shards.of(user_id).transaction((sql) => flow.app.orders.pay(sql, user_id, order_id))
  if (settle) await flow.app.inventory.settle(item, order_id)
}
const fail = async ({ user_id, order_id }: Claim, release = true) => {
  await flow.app.orders.fail(user_id, order_id, 'declined')
  if (release) await flow.app.inventory.release(item, order_id)
}
/** One order in every state there is, and what the stock then says. */
const everyState = async () => {
  const [paid, unsettled, failed, unreleased, pending] = [
    await flow.pending(item),
    await flow.pending(item),
    await flow.pending(item),
    await flow.pending(item),
    await flow.pending(item, { quantity: 2 }),
  ]
  await pay(paid)
  await pay(unsettled, false)
  await fail(failed)
  await fail(unreleased, false)
  await flow.deliver(item)
  return { paid, unsettled, failed, unreleased, pending, rowless: await flow.claim(item) }
}
const set = (fields: Record<string, string | number>) =>
  flow.app.redis.commands.hset(keyOf(item, 'stock'), fields)
/** The connection is to another process than before; what is left of the old one is no connection any more. */
const connected = (before: string | undefined) =>
  eventually(() => ![undefined, before].includes(flow.app.redis.runId()))

describe('a Redis that was restarted', () => {
  test('with its data is fenced until it is checked, then sells on where it was', async () => {
    await everyState()
    const before = await flow.counts(item)
    const lost = flow.app.redis.runId()
    await flow.server.kill9()
    await flow.server.restart()
    await connected(lost)
    await expectRefused('fenced')
    expect(await flow.app.reconcile.fenced()).toContain(item)
    const epoch = (await flow.app.inventory.stock(item))?.epoch ?? 0
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift: 0 })
    expect(await flow.counts(item)).toEqual(before)
    expect((await flow.app.inventory.stock(item))?.epoch).toBe(epoch + 1)
    expect(await flow.app.reconcile.fenced()).not.toContain(item)
    await flow.claim(item)
    expect(await reconcile()).toMatchObject({ outcome: 'clean' })
  })

  test('with an older state has what SQL knows put back', async () => {
    const early = await flow.pending(item)
    await flow.app.redis.commands.copy(keyOf(item, 'stock'), keyOf(item, 'before'))
    const oldBuyers = await flow.app.redis.commands.hgetall(keyOf(item, 'buyers'))
    const late = [
      await flow.pending(item),
      await flow.pending(item, { quantity: 2 }),
      await flow.pending(item),
    ]
    const [sold] = late as [Claim]
    await pay(sold)
    const { commands } = flow.app.redis
    for (const name of ['holds', 'claims'])
      for (const { order_id } of late)
        await (name === 'holds'
          ? commands.zrem(keyOf(item, name), order_id)
          : commands.hdel(keyOf(item, name), order_id))
    await commands.del(keyOf(item, 'stock'), keyOf(item, 'buyers'))
    await commands.rename(keyOf(item, 'before'), keyOf(item, 'stock'))
    await commands.hset(keyOf(item, 'buyers'), oldBuyers)
    await set({ run_id: 'the server before' })
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift: 4 })
    expect(await flow.counts(item)).toEqual({ total: 10, available: 5, held: 4, sold: 1 })
    for (const { order_id } of [early, ...late.slice(1)])
      expect(await flow.app.inventory.findClaim(item, order_id)).toBeDefined()
    expect(await reconcile()).toMatchObject({ outcome: 'clean' })
    // The limit of a buyer holds over the rebuild.
    const again = flow.app.inventory.claim({
      ...{ item_id: item, order_id: 'another', user_id: sold.user_id, quantity: 1, limit: 1 },
      ...{ amount: 1, currency: 'EUR', hold_ms: 1000, pay_ms: 1000 },
    })
    expect(await again).toEqual({ kind: 'limit_reached' })
  })

  test('without its data is rebuilt from SQL', async () => {
    const { pending, unsettled } = await everyState()
    await flow.deliver(item)
    await flow.app.redis.commands.flushall()
    expect(await flow.app.reconcile.fenced()).toContain(item)
    expect(await reconcile()).toMatchObject({ outcome: 'repaired' })
    // Held: pending 2, and the row of the claim that was on its way. Sold: two. What failed is available.
    expect(await flow.counts(item)).toEqual({ total: 10, available: 5, held: 3, sold: 2 })
    expect(await flow.app.inventory.findClaim(item, pending.order_id)).toMatchObject({ quantity: 2 })
    expect(await flow.app.inventory.findClaim(item, unsettled.order_id)).toBeUndefined()
    expect(await flow.app.inventory.items()).toContain(item)
    expect(await reconcile()).toMatchObject({ outcome: 'clean' })
    const { seq = 0 } = (await flow.app.inventory.stock(item)) ?? {}
    // Claims that a worker still holds have numbers that nobody here knows: none of them is given again.
    expect(seq).toBeGreaterThan(10_000)
    await flow.claim(item)
    expect((await flow.app.inventory.stock(item))?.seq).toBe(seq + 1)
    await flow.expire(pending)
    await flow.app.restock.sweep()
    expect(await flow.counts(item)).toMatchObject({ available: 6, held: 2 })
  })

  test('with events but no stock waits until SQL has them', async () => {
    const claimed = await flow.claim(item)
    await flow.app.redis.commands.del(
      ...['stock', 'buyers', 'holds', 'claims'].map((name) => keyOf(item, name)),
    )
    expect(await reconcile()).toMatchObject({ outcome: 'in_motion' })
    expect(await flow.app.inventory.stock(item)).toBeUndefined()
    await flow.deliver(item)
    expect(await reconcile()).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toEqual({ total: 10, available: 9, held: 1, sold: 0 })
    expect(await flow.app.inventory.findClaim(item, claimed.order_id)).toBeDefined()
  }, 10_000)

  test('with a stock that can not be read is rebuilt too', async () => {
    await flow.pending(item)
    await flow.app.redis.commands.hdel(keyOf(item, 'stock'), 'available')
    await expectRefused('unloaded')
    expect(await reconcile()).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toEqual({ total: 10, available: 9, held: 1, sold: 0 })
    expect(await reconcile()).toMatchObject({ outcome: 'clean' })
  })

  test('with holds that can not be read waits for their events, and loses none', async () => {
    const claimed = await flow.claim(item)
    await flow.app.redis.commands.del(keyOf(item, 'holds'))
    await flow.app.redis.commands.set(keyOf(item, 'holds'), 'broken')
    expect(await reconcile()).toMatchObject({ outcome: 'in_motion' })
    await flow.deliver(item)
    expect(await reconcile()).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toMatchObject({ available: 9, held: 1 })
    expect(await flow.app.inventory.findClaim(item, claimed.order_id)).toBeDefined()
  }, 10_000)
})

async function expectRefused(kind: 'fenced' | 'unloaded'): Promise<void> {
  const request = { item_id: item, order_id: 'refused', user_id: 'refused', quantity: 1, limit: 1 }
  const outcome = flow.app.inventory.claim({
    ...request,
    ...{ amount: 1, currency: 'EUR', hold_ms: 1000, pay_ms: 1000 },
  })
  expect(await outcome).toEqual({ kind })
}
