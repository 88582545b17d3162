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
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBackground, putEvents, until } from '../../../test/support/events.ts'
import { TEST_KAFKA_JARS, testKafka } from '../../../test/support/kafka.ts'
import { startTestRedis } from '../../../test/support/redis.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectRedis } from '../../platform/redis.ts'
import { type KafkaServer, startKafka } from '../../platform/servers/kafka.ts'
import { createKafkaEventLog, createRelay, type Delivery, type EventLog } from './events.ts'

// A broker of this file's own is lost while events keep coming: nothing is lost, nothing spins, order is kept.

setDefaultTimeout(120_000)
const available = (await testKafka()) !== undefined
const server = await startTestRedis({ appendfsync: 'always' })
const redis = await connectRedis({ url: server.url })
afterAll(async () => {
  await redis.close()
  await server.stop()
}, 120_000)

describe.skipIf(!available)('Kafka away', () => {
  let dataDir: string
  let kafka: KafkaServer
  const port = () => Number(kafka.brokers[0]?.split(':')[1])
  const lose = async () => {
    await kafka.nodes[0].kill()
    await kafka.stop()
  }
  const heal = async () => {
    kafka = await startKafka({ dataDir, jarsDir: TEST_KAFKA_JARS, port: port() })
  }
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-kafka-'))
    kafka = await startKafka({ dataDir, jarsDir: TEST_KAFKA_JARS })
  }, 120_000)
  afterAll(async () => {
    await kafka.stop()
    await rm(dataDir, { recursive: true, force: true })
  }, 120_000)

  let background = createBackground()
  let attempts: string[] = []
  let got: Delivery[] = []
  let log: EventLog
  beforeEach(async () => {
    await redis.commands.flushall()
    background = createBackground()
    ;[attempts, got] = [[], []]
    const common = { redis, clock: systemClock, brokers: kafka.brokers, takeOverAfterMs: 400 }
    const onRetry = (what: string) => void attempts.push(what)
    const relay = createRelay({
      ...common,
      consumer: 'relay-1',
      republishAfterMs: 2000,
      onRetry,
      batchSize: 64,
    })
    background.run(relay.run(background.signal))
    log = createKafkaEventLog({ ...common, consumer: 'worker-1', sessionTimeoutMs: 1500 })
    background.consume(log, async (batch) => {
      got.push(...batch)
      return []
    })
  }, 120_000)
  afterEach(() => background.end())

  /** Each event once, in the order of the first time it came. */
  const firsts = () => [...new Set(got.map(({ event }) => event.order_id))]
  const backlogOf = async (item: string) =>
    (await log.inspect()).items.find(({ item_id }) => item_id === item)

  test('for a while: the backlog is shown, the relay waits, and all of it comes in order afterwards', async () => {
    const early = await putEvents(redis, 'tv', 5)
    await until(() => firsts().length === early.length)
    await until(async () => (await backlogOf('tv'))?.outbox === 0)
    await lose()
    const sent: string[] = []
    for (let round = 0; round < 20; round += 1) {
      sent.push(...(await putEvents(redis, 'tv', 20)).map(({ order_id }) => order_id))
      await systemClock.sleep(150)
    }
    const { items, consumer_lag } = await log.inspect()
    expect(consumer_lag).toBeNull()
    expect(items).toEqual([{ item_id: 'tv', outbox: 400, oldest_s: expect.any(Number) as number }])
    expect(items[0]?.oldest_s).toBeWithin(2, 60)
    // It tries at growing intervals, with one batch in hand and the next one read; the others it has not touched.
    const relayed = attempts.filter((what) => what === 'bring events to Kafka').length
    expect(relayed).toBeWithin(1, 20)
    const [group] = (await redis.commands.xinfo('GROUPS', 'item:{tv}:outbox')) as unknown[][]
    expect(Number(group?.[group.indexOf('pending') + 1])).toBeLessThanOrEqual(2 * 64)

    await heal()
    await until(() => firsts().length === early.length + sent.length)
    await until(async () => (await backlogOf('tv'))?.outbox === 0)
    // Those of one buyer stay on one partition, and in their order.
    const users = Map.groupBy(got, ({ event }) => event.user_id)
    for (const [, deliveries] of users) {
      const order = [...new Set(deliveries.map(({ event }) => event.order_id))].filter((id) =>
        sent.includes(id),
      )
      expect(order).toEqual(sent.filter((id) => order.includes(id)))
    }
    expect(users.size).toBe(20)
    await until(async () => (await log.inspect()).consumer_lag === 0)
  })

  test('that comes back without its data is filled again from the outbox', async () => {
    const sent = await putEvents(redis, 'tv', 10)
    await until(() => firsts().length === sent.length)
    await lose()
    await rm(join(dataDir, 'kafka', 'data'), { recursive: true, force: true })
    const more = await putEvents(redis, 'tv', 10)
    await heal()
    await until(() => firsts().length === sent.length + more.length)
    await until(async () => (await backlogOf('tv'))?.outbox === 0)
  })
})
