import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { v7 as uuidv7 } from 'uuid'
import { type TestDatabases, testDatabases } from '../../../test/support/postgres.ts'
import { type Statement, watchShards } from '../../../test/support/sql.ts'
import type { OrderCreated, Restocked } from '../../contracts/events.ts'
import type { Shards } from '../../platform/postgres.ts'
import { connectShards } from '../../platform/shards/shards.ts'
import { createOrders, type Orders, STATEMENTS } from './orders.ts'

let databases: TestDatabases
let shards: Shards
let orders: Orders
const statements: Statement[] = []
beforeAll(async () => {
  databases = await testDatabases(2)
  shards = connectShards(databases.urls)
  orders = createOrders({ shards: watchShards(shards, (statement) => void statements.push(statement)) })
})
afterAll(async () => {
  await shards.close()
  await databases.drop()
})

let users = 0
const created = (change: Partial<OrderCreated> = {}): OrderCreated => ({
  type: 'OrderCreated',
  version: 1,
  order_id: uuidv7(),
  user_id: `user-${++users}`,
  item_id: 'tv',
  sale_id: 'sale',
  quantity: 1,
  timestamp: 1_700_000_000_000,
  amount: 1999,
  currency: 'EUR',
  claim_seq: 1,
  pay_by: 4_000_000_000_000,
  hold_expires_at: 4_000_000_300_000,
  ...change,
})
const restockedOf = ({ order_id, user_id, item_id, sale_id, quantity }: OrderCreated): Restocked => ({
  ...{ type: 'Restocked', version: 1, order_id, user_id, item_id, sale_id, quantity },
  timestamp: 1_700_000_001_000,
})
const tombstoneOf = ({ type: _type, version: _version, timestamp, ...event }: OrderCreated) => ({
  ...event,
  claimed_at: timestamp,
})
const find = ({ user_id, order_id }: OrderCreated) => orders.find(user_id, order_id)
const restockedAt = async ({ user_id, order_id }: OrderCreated) => {
  const found = await shards
    .of(user_id)
    .query<{ restocked_at: Date | null }>('select restocked_at from orders where id = $1', [order_id])
  return found.rows[0]?.restocked_at?.getTime() ?? null
}
/** Runs it and answers the statements it took. */
const watched = async (work: () => Promise<unknown>) => {
  statements.length = 0
  await work()
  return [...statements]
}
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('insert', () => {
  test('writes a large batch by several statements at once; what comes twice in it is written once', async () => {
    const once = Array.from({ length: 1500 }, (_, n) =>
      created({ user_id: `large-${n}`, timestamp: 1_700_000_000_000 + n * 7 + 1 }),
    )
    // In the other order the second time: statements that had the same order would lock each other out.
    const ran = await watched(() => orders.insert([...once, ...once.toReversed()]))
    expect(ran.filter(({ shard }) => shard === 0)).toHaveLength(STATEMENTS)
    const { rows } = await shards.catalogue.query<{ found: number }>(
      `select count(*) as found from orders where user_id like 'large-%'`,
    )
    expect(rows[0]?.found).toBe(once.filter(({ user_id }) => shards.numberOf(user_id) === 0).length)
    for (const event of once.slice(0, 40))
      expect(await find(event)).toMatchObject({ claimed_at: event.timestamp })
  })

  test('writes a batch with one statement per shard, every row of a buyer on that buyer’s shard', async () => {
    const batch = Array.from({ length: 300 }, (_, n) => created({ user_id: `one-${n % 100}` }))
    const ran = await watched(() => orders.insert(batch))
    expect(ran.map(({ shard }) => shard).sort()).toEqual([0, 1])
    for (const event of batch) expect(await find(event)).toMatchObject({ status: 'PENDING' })
    for (const [shard, database] of shards.all.entries()) {
      const { rows } = await database.query<{ user_id: string }>(
        `select user_id from orders where user_id like 'one-%'`,
      )
      expect(rows.length).toBe(batch.filter(({ user_id }) => shards.numberOf(user_id) === shard).length)
      for (const { user_id } of rows) expect(shards.numberOf(user_id)).toBe(shard)
    }
  })

  test('keeps what the event says', async () => {
    const event = created({ quantity: 3, amount: 5997, currency: 'JPY', claim_seq: 77 })
    await orders.insert([event])
    const { order_id, user_id, item_id, sale_id, quantity, amount, currency, claim_seq } = event
    expect(await find(event)).toEqual({
      ...{ order_id, user_id, item_id, sale_id, quantity, amount, currency, claim_seq },
      status: 'PENDING',
      failure_reason: null,
      claimed_at: event.timestamp,
      pay_by: event.pay_by,
      hold_expires_at: event.hold_expires_at,
    })
  })

  test('is idempotent: on repeats, within one batch, and it never puts a decided order back', async () => {
    const event = created()
    await orders.insert([event, event, { ...event, quantity: 2 }])
    await orders.insert([event])
    expect(await orders.of(event.user_id)).toHaveLength(1)
    expect(await find(event)).toMatchObject({ quantity: 1 })
    await shards.of(event.user_id).transaction((sql) => orders.pay(sql, event.user_id, event.order_id))
    await orders.insert([event])
    expect(await find(event)).toMatchObject({ status: 'PAID' })
  })

  test('of an event that comes after its tombstone changes nothing', async () => {
    const event = created()
    await orders.bury(tombstoneOf(event), 'hold_expired')
    await orders.insert([event])
    expect(await find(event)).toMatchObject({ status: 'FAILED', failure_reason: 'hold_expired' })
    const paying = shards
      .of(event.user_id)
      .transaction((sql) => orders.pay(sql, event.user_id, event.order_id))
    expect(await paying).toBe(false)
  })

  test('a tombstone leaves a row that came first as it is', async () => {
    const event = created()
    await orders.insert([event])
    await orders.bury(tombstoneOf(event), 'hold_expired')
    expect(await find(event)).toMatchObject({ status: 'PENDING', failure_reason: null })
  })

  test('of nothing asks nobody', async () => {
    expect(await watched(() => orders.insert([]))).toEqual([])
  })

  test('refused by a constraint leaves nothing of its shard’s batch', async () => {
    const good = created({ user_id: 'whole' })
    expect(await failure(orders.insert([good, created({ user_id: 'whole', quantity: 0 })]))).toBeInstanceOf(
      Error,
    )
    expect(await find(good)).toBeUndefined()
  })
})

describe('of', () => {
  test('reads one shard, with one statement, only this buyer’s orders, newest first', async () => {
    const mine = [1, 3, 2].map((n) => created({ user_id: 'me', timestamp: 1_700_000_000_000 + n }))
    await orders.insert([...mine, created({ user_id: 'you' })])
    const ran = await watched(async () => {
      const found = await orders.of('me')
      expect(found.map(({ claimed_at }) => claimed_at - 1_700_000_000_000)).toEqual([3, 2, 1])
    })
    expect(ran.map(({ shard }) => shard)).toEqual([shards.numberOf('me')])
  })

  test('an order is found by its buyer only', async () => {
    const event = created()
    await orders.insert([event])
    expect(await orders.find('somebody else', event.order_id)).toBeUndefined()
  })
})

describe('restocked', () => {
  test('marks FAILED orders, once, with one statement per shard', async () => {
    const batch = Array.from({ length: 20 }, () => created())
    await orders.insert(batch)
    for (const { user_id, order_id } of batch.slice(1)) await orders.fail(user_id, order_id, 'hold_expired')
    const events = batch.map(restockedOf)
    expect(await watched(() => orders.restocked(events))).toHaveLength(2)
    await orders.restocked(events.map((event) => ({ ...event, timestamp: 1_800_000_000_000 })))
    const marked = await Promise.all(batch.map(restockedAt))
    expect(marked).toEqual([null, ...batch.slice(1).map(() => 1_700_000_001_000)])
  })
})

describe('overdue and count', () => {
  test('only unpaid orders past their window are overdue, oldest first, at most so many', async () => {
    const sameShard = Array.from({ length: 200 }, (_, n) => `late-${n}`).filter(
      (user) => shards.numberOf(user) === 0,
    )
    // The first is paid in time; then the windows of all but the last close.
    const soon = Date.now() + 600_000
    const batch = sameShard
      .slice(0, 6)
      .map((user_id, n) => created({ user_id, pay_by: soon + n, item_id: 'late' }))
    await orders.insert([...batch, created({ user_id: 'early', pay_by: soon + 10, item_id: 'late' })])
    const [paid, failed] = batch as [OrderCreated, OrderCreated]
    expect(
      await shards.of(paid.user_id).transaction((sql) => orders.pay(sql, paid.user_id, paid.order_id)),
    ).toBe(true)
    for (const [n, { user_id }] of batch.entries())
      await shards
        .of(user_id)
        .query(`update orders set pay_by = $2 where user_id = $1 and item_id = 'late'`, [
          user_id,
          new Date(1000 + n),
        ])
    await orders.fail(failed.user_id, failed.order_id, 'declined')
    const overdue = await orders.overdue(0, 3)
    expect(overdue.map(({ pay_by }) => pay_by)).toEqual([1002, 1003, 1004])
  })

  test('a failed order is unreleased until its Restocked event, or until its hold is due anyway', async () => {
    const user_id = 'unreleased'
    const batch = [1, 2, 3, 4].map((n) => created({ user_id, ...(n === 4 ? { hold_expires_at: 1 } : {}) }))
    await orders.insert(batch)
    for (const { order_id } of batch.slice(1)) await orders.fail(user_id, order_id, 'declined')
    await orders.restocked([restockedOf(batch[1] as OrderCreated)])
    const found = (await Promise.all(orders.shards.map((shard) => orders.unreleased(shard, 100)))).flat()
    const mine = found.filter((order) => order.user_id === user_id)
    expect(mine.map(({ order_id }) => order_id)).toEqual([batch[2]?.order_id as string])
  })

  test('counts orders and units of an item over all shards', async () => {
    const batch = Array.from({ length: 30 }, (_, n) => created({ item_id: 'counted', quantity: 1 + (n % 3) }))
    await orders.insert(batch)
    const units = (part: OrderCreated[]) => ({
      orders: part.length,
      units: part.reduce((sum, { quantity }) => sum + quantity, 0),
    })
    for (const { user_id, order_id } of batch.slice(0, 10))
      await shards.of(user_id).transaction((sql) => orders.pay(sql, user_id, order_id))
    for (const { user_id, order_id } of batch.slice(10, 15)) await orders.fail(user_id, order_id, 'declined')
    expect(await orders.count('counted')).toEqual({
      PAID: units(batch.slice(0, 10)),
      FAILED: units(batch.slice(10, 15)),
      PENDING: units(batch.slice(15)),
    })
    expect((await orders.forItem('counted')).length).toBe(30)
  })
})
