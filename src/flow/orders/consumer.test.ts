import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { v7 as uuidv7 } from 'uuid'
import { type Claim, type Flow, startFlow } from '../../../test/support/flow.ts'
import { keyOf } from '../../../test/support/inventory.ts'
import { connectionLost, type Statement, watchShards } from '../../../test/support/sql.ts'
import { eventually } from '../../../test/support/stripe.ts'
import { type Delivery, createRedisStreamEventLog } from '../events/events.ts'
import { orderConsumer } from './consumer.ts'
import { createOrders } from './orders.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )
/** The consumer on shards whose statements are seen first. */
const consumerOn = (around: (statement: Statement) => void) => {
  const { shards, ...parts } = flow.app
  return orderConsumer({ ...parts, orders: createOrders({ shards: watchShards(shards, around) }) })
}
const deliveriesOf = async (item: string, count: number, shard?: number): Promise<Delivery[]> => {
  for (let n = 0; n < count; n += 1)
    await flow.claim(item, shard === undefined ? {} : { user_id: flow.buyerOn(shard) })
  return flow.outbox(item)
}
const rowsOf = async (item: string) =>
  (await flow.app.orders.forItem(item)).map(({ order_id }) => order_id).sort()
const idsOf = (batch: readonly Delivery[]) => batch.map(({ event }) => event.order_id).sort()

describe('a batch', () => {
  test('takes one statement per shard', async () => {
    const batch = await deliveriesOf(await flow.newItem(50), 40)
    const ran: Statement[] = []
    expect(await consumerOn((statement) => void ran.push(statement))(batch)).toEqual([])
    expect(ran.map(({ shard }) => shard).sort()).toEqual([0, 1])
  })

  test.each([
    ['a quantity of 0', { quantity: 0 }],
    ['an amount no bigint holds', { amount: 2 ** 70 }],
    ['an order id that is none', { order_id: 'not-a-uuid' }],
    ['a zero byte', { user_id: 'nul\u0000' }],
    ['a buyer too long for an index', { user_id: randomText(9000) }],
  ])('with %s rejects just that; the rest is written', async (_name, change) => {
    const item = await flow.newItem()
    const batch = await deliveriesOf(item, 6)
    const bad = batch[2] as Delivery
    const poisoned = { ...bad, event: { ...bad.event, ...change } }
    const given = batch.map((one) => (one === bad ? poisoned : one))
    const rejected = await orderConsumer(flow.app)(given)
    expect(rejected.map(({ delivery }) => delivery)).toEqual([poisoned])
    expect(rejected[0]?.reason).not.toBeEmpty()
    expect(await rowsOf(item)).toEqual(idsOf(batch.filter((one) => one !== bad)))
  })

  test('that is large finds its culprits in few statements', async () => {
    const item = await flow.newItem()
    const [first] = await deliveriesOf(item, 1)
    const batch = Array.from({ length: 600 }, (): Delivery => {
      const one = first as Delivery
      return { ...one, event: { ...one.event, order_id: crypto.randomUUID() } }
    })
    const bad = [17, 400].map((at) =>
      Object.assign(batch[at] as Delivery, { event: { ...batch[at]?.event, quantity: 0 } }),
    )
    let statements = 0
    const rejected = await consumerOn(() => void (statements += 1))(batch)
    expect(rejected.map(({ delivery }) => delivery)).toEqual(bad)
    expect(await rowsOf(item)).toEqual(idsOf(batch.filter((one) => !bad.includes(one))))
    expect(statements).toBeLessThan(60)
  })

  test.each([0, 1])('throws when shard %d is gone, and is written whole the next time', async (down) => {
    const item = await flow.newItem(20)
    const batch = await deliveriesOf(item, 20)
    const broken = consumerOn(({ shard }) => {
      if (shard === down) throw connectionLost()
    })
    expect(await failure(broken(batch))).toMatchObject({ code: 'ECONNRESET' })
    expect(await orderConsumer(flow.app)(batch)).toEqual([])
    expect(await rowsOf(item)).toEqual(idsOf(batch))
  })

  test('throws where SQL goes away while the culprit is looked for: nothing is dead-lettered by mistake', async () => {
    // All on one shard: each shard looks for its own culprits, at the same time.
    const batch = await deliveriesOf(await flow.newItem(), 4, 0)
    let statements = 0
    const handler = consumerOn(() => {
      statements += 1
      if (statements > 2) throw connectionLost()
      if (statements === 1) throw Object.assign(new Error('refused'), { code: '23514' })
    })
    expect(await failure(handler(batch))).toMatchObject({ code: 'ECONNRESET' })
  })

  test('of a claim and its release writes both, in one batch too', async () => {
    const item = await flow.newItem()
    const claimed = await flow.claim(item)
    await flow.expire(claimed)
    await flow.app.restock.sweep()
    expect((await flow.outbox(item)).map(({ event }) => event.type)).toEqual(['OrderCreated', 'Restocked'])
    expect(await flow.deliver(item)).toEqual([])
    expect(await flow.row(claimed)).toMatchObject({ status: 'FAILED', failure_reason: 'hold_expired' })
    expect(await restockedAt(claimed)).toBeGreaterThan(0)
  })
})

test('end to end: a claim becomes a row, its release is noted, the outbox is empty', async () => {
  const { app } = flow
  const item = await flow.newItem()
  const stop = new AbortController()
  const { redis, clock } = app
  const log = createRedisStreamEventLog({ redis, clock, consumer: 'worker-1' })
  const consuming = log.consume(orderConsumer(app), stop.signal)
  const bought = await Promise.all([1, 2, 3].map(() => flow.claim(item)))
  const [kept, cancelled] = bought as [Claim, Claim]
  await eventually(async () => (await app.orders.forItem(item)).length === 3)
  expect(await app.restock.cancel(cancelled.user_id, cancelled.order_id)).toMatchObject({ kind: 'cancelled' })
  await eventually(async () => (await restockedAt(cancelled)) !== null)
  await eventually(async () => (await redis.commands.xlen(keyOf(item, 'outbox'))) === 0)
  expect(await restockedAt(kept)).toBeNull()
  expect(await flow.counts(item)).toEqual({ total: 10, available: 8, held: 2, sold: 0 })
  stop.abort()
  await consuming
})

async function restockedAt({ user_id, order_id }: { user_id: string; order_id: string }) {
  const found = await flow.app.shards
    .of(user_id)
    .query<{ restocked_at: Date | null }>('select restocked_at from orders where id = $1', [order_id])
  return found.rows[0]?.restocked_at?.getTime() ?? null
}

/** Text that does not compress: an index entry of it is as long as it is. */
function randomText(length: number): string {
  let text = ''
  while (text.length < length) text += uuidv7() + crypto.randomUUID()
  return text
}
