import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Flow, startFlow } from '../../../test/support/flow.ts'
import { keyOf } from '../../../test/support/inventory.ts'

let flow: Flow
let item: string
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())
beforeEach(async () => {
  item = await flow.newItem(10)
})
const report = async () => {
  const found = await flow.app.driftReport(item)
  if (found === undefined) throw new Error('no report')
  return found
}
const reconcile = () => flow.app.reconcile.item(item)
const age = (days: number) =>
  flow.app.shards.catalogue.query(
    `update reconcile_runs set started_at = started_at - make_interval(days => $2) where item_id = $1`,
    [item, days],
  )
const recorded = async () =>
  (await flow.app.reconcile.runs(1000))
    .filter(({ item_id }) => item_id === item)
    .map(({ outcome }) => outcome)

describe('the report of an item', () => {
  test('tells what SQL, Redis and the outbox each say', async () => {
    const paid = await flow.pending(item, { quantity: 2 })
    await flow.app.orders.pay(flow.app.shards.of(paid.user_id), paid.user_id, paid.order_id)
    await flow.app.inventory.settle(item, paid.order_id)
    await flow.pending(item)
    await flow.claim(item)
    expect(await report()).toMatchObject({
      item_id: item,
      units: 10,
      sql: {
        PAID: { orders: 1, units: 2 },
        PENDING: { orders: 1, units: 1 },
        FAILED: { orders: 0, units: 0 },
      },
      redis: { total: 10, available: 6, held: 2, sold: 2, holds: { orders: 2, units: 2 }, fenced: false },
      outbox: 1,
      drift: -1, // the claim under way
      oversold: 0,
      last_run: null,
      since: null,
    })
    expect((await report()).event_log.backlog).toBeGreaterThanOrEqual(1)
    await flow.deliver(item)
    expect(await report()).toMatchObject({ outbox: 0, drift: 0 })
    expect(await flow.app.driftReport('no-such-item')).toBeUndefined()
  })

  test('tells since when there is trouble, and what was repaired last', async () => {
    await reconcile()
    await flow.app.redis.commands.hincrby(keyOf(item, 'stock'), 'available', 2)
    expect(await report()).toMatchObject({ drift: 2, since: null, last_run: { outcome: 'clean' } })
    await reconcile()
    const repaired = await report()
    expect(repaired).toMatchObject({ drift: 0, last_repair: { outcome: 'repaired', drift: 2 } })
    expect(repaired.since).toBe(repaired.last_run?.started_at ?? 0)
    await reconcile()
    expect(await report()).toMatchObject({ since: null, last_repair: { drift: 2 } })

    await flow.pending(item)
    await flow.pending(item)
    await flow.app.catalogue.setUnits(item, 1)
    await reconcile()
    const { since } = await report()
    await reconcile()
    expect(await report()).toMatchObject({ oversold: 1, since, redis: { fenced: true } })
  })

  test('of an item that Redis has lost has nothing to say of Redis', async () => {
    await flow.app.redis.commands.del(keyOf(item, 'stock'))
    expect(await report()).toMatchObject({ redis: null, drift: 0 })
  })
})

test('runs that found nothing are forgotten after a day, the others after three months, the latest never', async () => {
  await reconcile()
  await flow.app.redis.commands.hincrby(keyOf(item, 'stock'), 'available', 1)
  await reconcile()
  await reconcile()
  expect(await recorded()).toEqual(['clean', 'repaired', 'clean'])
  await flow.app.reconcile.all()
  expect(await recorded()).toHaveLength(4)
  await age(2)
  await flow.app.reconcile.all()
  expect(await recorded()).toEqual(['clean', 'repaired'])
  await age(100)
  await flow.app.reconcile.all()
  expect(await recorded()).toEqual(['clean'])
  expect((await flow.app.reconcile.latest()).find(({ item_id }) => item_id === item)?.outcome).toBe('clean')
})
