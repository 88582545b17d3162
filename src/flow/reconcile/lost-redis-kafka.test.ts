import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test'
import { createBackground, newTopics, until } from '../../../test/support/events.ts'
import { type Claim, type Flow, startFlow } from '../../../test/support/flow.ts'
import { testKafka } from '../../../test/support/kafka.ts'
import { loseFolder } from '../../../test/support/redis-faults.ts'
import { systemClock } from '../../platform/clock.ts'
import { createKafkaEventLog, createRelay } from '../events/events.ts'
import { orderConsumer } from '../orders/consumer.ts'
import { createReconcile } from './reconcile.ts'

// The full profile: events leave the outbox for Kafka, and Redis is lost before SQL has them.

setDefaultTimeout(60_000)
const kafka = await testKafka()
const brokers = kafka?.brokers ?? []

let flow: Flow
let background = createBackground()
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())
beforeEach(() => {
  background = createBackground()
})
afterEach(() => background.end())

describe.skipIf(kafka === undefined)('with what Redis has lost in Kafka', () => {
  test('an item is not rebuilt until the workers have brought it to SQL, nor while Kafka can not be asked', async () => {
    const { app, server } = flow
    const topics = newTopics()
    const on = { redis: app.redis, clock: systemClock, topics, group: topics.orders, drainMs: 300 }
    const log = createKafkaEventLog({ ...on, brokers, consumer: 'worker', sessionTimeoutMs: 1500 })
    const reconcileBy = (eventLog: Pick<typeof log, 'drained'>) =>
      createReconcile({ ...app, database: app.shards.catalogue, runId: () => app.redis.runId(), eventLog })

    const item = await flow.newItem(10)
    const claims: Claim[] = []
    for (let count = 0; count < 3; count += 1) claims.push(await flow.claim(item))
    const relaying = new AbortController()
    const relay = createRelay({ ...on, brokers, consumer: 'relay' }).run(relaying.signal)
    const key = `item:{${item}}:outbox`
    await until(async () => {
      const [group] = (await app.redis.commands.xinfo('GROUPS', key).catch(() => [])) as unknown[][]
      const of = (name: string) => group?.[group.indexOf(name) + 1]
      return Number(of('entries-read')) === 3 && Number(of('pending')) === 0
    })
    relaying.abort()
    await relay

    const before = app.redis.runId()
    await server.kill9()
    await loseFolder(server)
    await server.restart()
    await until(() => ![undefined, before].includes(app.redis.runId()))

    const away = createKafkaEventLog({ ...on, brokers: ['127.0.0.1:1'], consumer: 'away' })
    expect(await reconcileBy(away).item(item)).toMatchObject({ outcome: 'in_motion' })
    await away.close()
    expect(await reconcileBy(log).item(item)).toMatchObject({ outcome: 'in_motion' })
    expect(await app.inventory.stock(item)).toBeUndefined()

    background.consume(log, orderConsumer(app))
    await until(async () => (await reconcileBy(log).item(item)).outcome === 'repaired')
    expect(await flow.counts(item)).toEqual({ total: 10, available: 7, held: 3, sold: 0 })
    for (const { order_id } of claims)
      expect(await app.inventory.findClaim(item, order_id)).toMatchObject({ order_id })
    expect(await reconcileBy(log).item(item)).toMatchObject({ outcome: 'clean' })
  })
})
