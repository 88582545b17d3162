import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Claim, type Flow, startFlow } from '../../../test/support/flow.ts'
import { dump, keyOf } from '../../../test/support/inventory.ts'
import { createReconcile } from './reconcile.ts'

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
const found = () => dump(flow.app.redis.commands, item)
const expectFenced = async () =>
  expect(await flow.claim(item).catch((error: Error) => error.message)).toBe('claim is fenced')
const runs = async () => (await flow.app.reconcile.runs(50)).filter(({ item_id }) => item_id === item)

describe('a whole item', () => {
  test('is clean with orders in every state, is left as it is, and every run is recorded', async () => {
    await everyState()
    const before = await found()
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
    expect(await reconcile()).toMatchObject({ outcome: 'clean' })
    expect(await found()).toEqual(before)
    expect((await runs()).map(({ outcome }) => outcome)).toEqual(['clean', 'clean'])
    expect((await runs())[0]?.report).toMatchObject({
      sold: 2,
      pending: 1,
      unsettled: 1,
      rowless: 2,
      missing: 0,
    })
  })

  test('raises no alarm while it is bought, paid, settled and released', async () => {
    item = await flow.newItem(500)
    let buying = true
    const traffic = async (n: number) => {
      while (buying) {
        const claimed = await flow.claim(item)
        await flow.deliver(item)
        await (n % 2 === 0 ? pay(claimed) : fail(claimed))
        // An order in fast succession never rests; one that does lets the reader in.
        await flow.app.clock.sleep(10)
      }
    }
    const running = [0, 1, 2].map(traffic)
    const outcomes: string[] = []
    while (outcomes.length < 12) outcomes.push((await reconcile()).outcome)
    buying = false
    await Promise.all(running)
    expect(outcomes.filter((outcome) => outcome !== 'clean' && outcome !== 'in_motion')).toEqual([])
    await flow.deliver(item)
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
  }, 20_000)

  test('of no sale is refused', async () => {
    expect(await flow.app.reconcile.item('no-such-item')).toMatchObject({ outcome: 'refused' })
  })
})

describe('drift', () => {
  test.each([1, 3, -1, -4])('of %d is repaired; the second run is clean', async (drift) => {
    await everyState()
    const before = await flow.counts(item)
    await set({ available: before.available + drift })
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift })
    // A paid hold is settled by the way; nothing else is different.
    expect(await flow.counts(item)).toEqual({ ...before, held: before.held - 1, sold: before.sold + 1 })
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
  })

  test('a PENDING order that Redis has lost is held again', async () => {
    const claimed = await flow.pending(item, { quantity: 2 })
    const { commands } = flow.app.redis
    const hold = await flow.app.inventory.findClaim(item, claimed.order_id)
    await commands.zrem(keyOf(item, 'holds'), claimed.order_id)
    await commands.hdel(keyOf(item, 'claims'), claimed.order_id)
    await set({ available: 10, held: 0 })
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift: 2 })
    expect(await flow.app.inventory.findClaim(item, claimed.order_id)).toEqual(hold)
    expect(await flow.counts(item)).toEqual({ total: 10, available: 8, held: 2, sold: 0 })
  })

  test.each([3, 1])('more sold and promised than there is (%d of it paid) sells no more', async (paid) => {
    const claims = await Promise.all([1, 2, 3].map(() => flow.pending(item)))
    for (const claimed of claims.slice(0, paid)) await pay(claimed)
    await flow.app.catalogue.setUnits(item, 2)
    expect(await reconcile()).toMatchObject({
      outcome: 'oversold',
      drift: 7,
      report: { sold: paid, oversold: 1 },
    })
    const counts = { total: 3, available: 0, held: 3 - paid, sold: paid }
    expect(await flow.counts(item)).toEqual(counts)
    await expectFenced()
    const before = await found()
    expect(await reconcile()).toMatchObject({ outcome: 'oversold', drift: 0 })
    expect(await found()).toEqual(before)
    expect((await runs())[0]).toMatchObject({ outcome: 'oversold' })
  })

  test('a promise that ends makes it fit again, and it sells on only with what is left', async () => {
    const [first, second] = [await flow.pending(item), await flow.pending(item)]
    await flow.app.catalogue.setUnits(item, 1)
    expect(await reconcile()).toMatchObject({ outcome: 'oversold', report: { oversold: 1 } })
    await fail(first)
    await expectFenced()
    expect(await reconcile()).toMatchObject({ outcome: 'repaired' })
    expect(await flow.counts(item)).toEqual({ total: 1, available: 0, held: 1, sold: 0 })
    await fail(second)
    expect(await reconcile()).toMatchObject({ outcome: 'clean' })
    await flow.claim(item)
  })

  test('units that a count did not find are taken back, those it found too many are added; then clean', async () => {
    await everyState()
    const { held, sold } = await flow.counts(item)
    await flow.app.catalogue.setUnits(item, 8)
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift: 2 })
    expect(await flow.counts(item)).toEqual({ total: 8, available: 8 - held - sold, held, sold })
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
    await flow.app.catalogue.setUnits(item, 12)
    expect(await reconcile()).toMatchObject({ outcome: 'repaired', drift: -4 })
    expect(await flow.counts(item)).toMatchObject({ total: 12, available: 12 - held - sold })
    expect(await reconcile()).toMatchObject({ outcome: 'clean', drift: 0 })
    await flow.claim(item)
  })
})

describe('while it never rests', () => {
  /** Reconciles while something is bought between any two looks. */
  const restless = () => {
    const { app } = flow
    const orders = {
      ...app.orders,
      forItem: async (id: string) => {
        await flow.claim(item).catch(() => undefined)
        return app.orders.forItem(id)
      },
    }
    const database = app.shards.catalogue
    return createReconcile({ ...app, orders, database, runId: () => app.redis.runId() }).item(item)
  }

  test('units that are gone are taken back at once', async () => {
    item = await flow.newItem(50)
    await flow.pending(item)
    await flow.app.catalogue.setUnits(item, 20)
    expect(await restless()).toMatchObject({ outcome: 'in_motion' })
    const { total, available } = await flow.counts(item)
    expect([total, available < 20]).toEqual([20, true])
  })

  test('an item that certainly shows too many is fenced, comes to rest, and is repaired', async () => {
    item = await flow.newItem(50)
    const claimed = await flow.pending(item)
    await flow.app.redis.commands.zrem(keyOf(item, 'holds'), claimed.order_id)
    await flow.app.redis.commands.hdel(keyOf(item, 'claims'), claimed.order_id)
    await set({ available: 50, held: 0 })
    expect(await restless()).toMatchObject({ outcome: 'repaired', drift: 1 })
    expect(await flow.app.inventory.findClaim(item, claimed.order_id)).toBeDefined()
    const { total, available, held } = await flow.counts(item)
    expect(total).toBe(available + held)
    await flow.claim(item)
  })

  test('one that shows too few, or the right number, is left alone', async () => {
    item = await flow.newItem(50)
    await flow.pending(item)
    expect(await restless()).toMatchObject({ outcome: 'in_motion' })
    await flow.app.redis.commands.hincrby(keyOf(item, 'stock'), 'available', -3)
    expect(await restless()).toMatchObject({ outcome: 'in_motion' })
    await flow.claim(item)
  })
})

test('an item in trouble is told of, and the others are reconciled all the same', async () => {
  const other = await flow.newItem(3)
  await flow.app.redis.commands.del(keyOf(item, 'stock'))
  await flow.app.redis.commands.set(keyOf(item, 'outbox'), 'broken')
  const all = await flow.app.reconcile.all()
  const outcomeOf = (id: string) => all.find(({ item_id }) => item_id === id)?.outcome
  expect(outcomeOf(item)).toBe('refused')
  expect(outcomeOf(other)).toBe('clean')
  await flow.app.redis.commands.del(keyOf(item, 'outbox'))
})
