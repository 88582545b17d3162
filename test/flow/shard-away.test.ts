import {
  afterAll,
  beforeAll,
  beforeEach,
  afterEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test'
import { orderConsumer } from '../../src/flow/orders/consumer.ts'
import type { Shards } from '../../src/platform/postgres.ts'
import { connectShards } from '../../src/platform/shards/shards.ts'
import { type Claim, type Flow, startFlow } from '../support/flow.ts'
import { keyOf } from '../support/inventory.ts'
import { paying } from '../support/paying.ts'
import { ownPostgres, type OwnPostgres, testDatabases, type TestDatabases } from '../support/postgres.ts'
import { eventually } from '../support/stripe.ts'

// Two shards on two real servers. The second one is lost; buyers of the first must not notice.

setDefaultTimeout(60_000)
const HERE = 0
const AWAY = 1
let flow: Flow
let server: OwnPostgres
let shards: Shards
let databases: TestDatabases
beforeAll(async () => {
  ;[server, databases] = await Promise.all([ownPostgres(), testDatabases(1)])
  shards = connectShards([databases.urls[0] ?? '', server.url], {
    statementTimeoutMs: 300,
    connectTimeoutMs: 300,
  })
  flow = await startFlow({ shards })
}, 120_000)
afterAll(async () => {
  await flow[Symbol.asyncDispose]()
  await shards.close()
  await Promise.all([server.stop(), databases.drop()])
}, 120_000)

let stopping = new AbortController()
let working: Promise<void>
beforeEach(() => {
  stopping = new AbortController()
  working = flow.app.eventLog.consume(orderConsumer(flow.app), stopping.signal)
}, 120_000)
afterEach(async () => {
  stopping.abort()
  await working
}, 120_000)

const faults = {
  'is gone': { lose: () => server.crash(), heal: () => server.restart() },
  hangs: { lose: async () => server.freeze(), heal: async () => server.thaw() },
}
const claims = (item: string, shard: number, count: number): Promise<Claim[]> =>
  Promise.all(Array.from({ length: count }, () => flow.claim(item, { user_id: flow.buyerOn(shard) })))
const written = ({ user_id, order_id }: Claim) =>
  flow.app.orders.find(user_id, order_id).then(
    (order) => order !== undefined,
    () => false,
  )
const allWritten = async (some: readonly Claim[]) => (await Promise.all(some.map(written))).every(Boolean)
const outbox = (item: string) => flow.app.redis.commands.xlen(keyOf(item, 'outbox'))

describe.each(Object.entries(faults))('a shard that %s', (_name, { lose, heal }) => {
  test('holds up no order of the others, and gets its own when it is back, each once', async () => {
    const item = await flow.newItem(200)
    await lose()
    const lost: Claim[] = []
    for (let round = 0; round < 5; round += 1) {
      const [there, here] = await Promise.all([claims(item, AWAY, 5), claims(item, HERE, 5)])
      lost.push(...there)
      await eventually(() => allWritten(here), 5000)
    }
    await eventually(async () => (await outbox(item)) === lost.length)
    await heal()
    await eventually(() => allWritten(lost), 15_000)
    await eventually(async () => (await outbox(item)) === 0)
    expect((await flow.app.orders.forItem(item)).length).toBe(50)
    expect(await flow.counts(item)).toMatchObject({ held: 50, available: 150 })
  })

  test('keeps no payment, cancellation or overdue unit of the others waiting', async () => {
    const item = await flow.newItem(20)
    const [paid, cancelled, overdue] = (await claims(item, HERE, 3)) as [Claim, Claim, Claim]
    const [stuck] = (await claims(item, AWAY, 1)) as [Claim]
    await eventually(() => allWritten([paid, cancelled, overdue, stuck]))
    await lose()
    const { starting, receive } = paying(flow, item)
    const payment = await starting(paid)
    await flow.stripe.confirm(payment.secret, { payment_method: 'pm_card_visa' })
    expect(await receive(payment.ref, 'authorised')).toBe('paid')
    expect(await flow.app.restock.cancel(cancelled.user_id, cancelled.order_id)).toMatchObject({
      kind: 'cancelled',
    })
    await flow.lapse(overdue)
    await flow.expire(stuck)
    const swept = flow.app.restock.sweep()
    await eventually(async () => (await flow.counts(item)).available === 18, 5000)
    // The hold whose shard is away stays: nobody knows whether it is paid.
    expect(await flow.counts(item)).toMatchObject({ sold: 1, held: 1 })
    await Promise.all([swept, flow.app.payments.repair(10)])
    await heal()
    await eventually(async () => {
      await flow.app.restock.sweep()
      return (await flow.counts(item)).held === 0
    }, 15_000)
    expect(await flow.row(stuck)).toMatchObject({ status: 'FAILED', failure_reason: 'hold_expired' })
    expect(await flow.counts(item)).toMatchObject({ available: 19, sold: 1 })
  })

  test('what waits for it outlives the worker: the next one brings it', async () => {
    const item = await flow.newItem(20)
    await lose()
    const [lost, here] = await Promise.all([claims(item, AWAY, 3), claims(item, HERE, 3)])
    await eventually(() => allWritten(here), 5000)
    stopping.abort()
    await working
    stopping = new AbortController()
    working = flow.app.eventLog.consume(orderConsumer(flow.app), stopping.signal)
    const more = await claims(item, HERE, 3)
    await eventually(() => allWritten(more), 5000)
    await heal()
    await eventually(() => allWritten(lost), 15_000)
    await eventually(async () => (await outbox(item)) === 0)
  })
})
