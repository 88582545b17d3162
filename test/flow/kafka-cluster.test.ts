import { afterAll, afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { scaleKafka } from '../../sim/scale/kafka.ts'
import { reportOf } from '../../sim/scale/report.ts'
import { createKafkaEventLog, createRelay, type Topics } from '../../src/flow/events/events.ts'
import { createTopics, toMessage } from '../../src/flow/events/topics.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { connectProducer } from '../../src/platform/kafka.ts'
import { withAdmin } from '../../src/platform/kafka-admin.ts'
import { DEFAULT_LAYOUT } from '../../src/platform/kafka-settings.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { createBackground, newTopics, putEvents, recorder, until as untilWithin } from '../support/events.ts'
import { testKafka } from '../support/kafka.ts'
import { startTestRedis } from '../support/redis.ts'

// Three real brokers: three copies of every event, two of them before it counts as written.

setDefaultTimeout(240_000)
const kafka = await testKafka(3)
const server = await startTestRedis()
const redis = await connectRedis({ url: server.url })
const brokers = kafka?.brokers ?? []
/** Three brokers and a busy machine. */
const until = (condition: () => boolean | Promise<boolean>) => untilWithin(condition, 60_000)
const cluster = { brokers, clientId: 'test' }
afterAll(async () => {
  await redis.close()
  await server.stop()
  // Nobody needs their data any more.
  await Promise.all((kafka?.nodes ?? []).map((node) => node.kill()))
}, 60_000)

describe.skipIf(kafka === undefined)('three brokers', () => {
  let background = createBackground()
  let retried: { what: string; error: unknown }[] = []
  beforeEach(async () => {
    await redis.commands.flushall()
    background = createBackground()
    retried = []
  })
  afterEach(() => background.end())

  const common = { redis, clock: systemClock, brokers, takeOverAfterMs: 400 }
  const onRetry = (what: string, error: unknown) => void retried.push({ what, error })
  const relay = (topics: Topics) =>
    background.run(
      createRelay({ ...common, topics, consumer: 'relay-1', onRetry, batchSize: 64 }).run(background.signal),
    )
  const work = (topics: Topics, layout = DEFAULT_LAYOUT) => {
    const { seen, handler } = recorder()
    const on = {
      layout,
      ...common,
      topics,
      group: topics.orders,
      consumer: 'worker-1',
      sessionTimeoutMs: 1500,
    }
    background.consume(createKafkaEventLog({ ...on, onRetry }), handler)
    return seen
  }
  const layoutOf = (topic: string) =>
    withAdmin(cluster, async (admin) => {
      const partitions = (await admin.metadata({ topics: [topic] })).topics.get(topic)?.partitions ?? []
      const described = await admin.describeConfigs({
        resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['min.insync.replicas'] }],
      })
      return {
        copies: partitions.map(({ replicas }) => replicas.length),
        minInSync: described[0]?.configs[0]?.value,
        leaders: new Set(partitions.map(({ leader }) => leader)).size,
      }
    })
  const inOutbox = () => redis.commands.xlen('item:{tv}:outbox')
  const [one, two] = kafka?.nodes ?? []

  test('keep three copies of a topic, two before it counts; one with fewer is told of', async () => {
    const [topics, told] = [newTopics(), [] as string[]]
    await createTopics(cluster, topics)
    expect(await layoutOf(topics.orders)).toEqual({
      copies: [3, 3, 3, 3, 3, 3],
      minInSync: '2',
      leaders: 3,
    })
    expect(await layoutOf(topics.deadLetters)).toMatchObject({ copies: [3], minInSync: '2' })
    const thin = newTopics()
    await createTopics(cluster, thin, { ...DEFAULT_LAYOUT, replication: 1 })
    await createTopics(cluster, thin, DEFAULT_LAYOUT, (message) => told.push(message))
    expect(told[0]).toStartWith(`The Kafka topic ${thin.orders} has 1 of the 3 copies asked for`)
    const never = createTopics(cluster, newTopics(), { partitions: 1, replication: 1, minInSync: 2 })
    expect(await never.catch(String)).toContain('nothing could be written')
  })

  test('a topic is given more partitions while it is read, and nothing in them waits', async () => {
    const topics = newTopics()
    const seen = work(topics, { ...DEFAULT_LAYOUT, partitions: 1 })
    const first = await putEvents(redis, 'tv', 20)
    await until(async () => (await layoutOf(topics.orders).catch(() => undefined))?.copies.length === 1)
    const producer = connectProducer(cluster)
    const send = (events: typeof first) =>
      producer.send(events.map((event) => toMessage(topics.orders, { outbox_id: '1-1', event })))
    await send(first)
    await until(() => seen.size === 20)
    await createTopics(cluster, topics, { ...DEFAULT_LAYOUT, partitions: 9 })
    await until(async () => (await layoutOf(topics.orders)).copies.length === 9)
    await producer.close()
    const fresh = connectProducer(cluster)
    const second = await putEvents(redis, 'tv', 100)
    await fresh.send(second.map((event) => toMessage(topics.orders, { outbox_id: '1-1', event })))
    await fresh.close()
    await until(() => seen.size === 120)
    expect(retried.map(({ error }) => String(error)).join()).toContain('has got more partitions')
  })

  test('a rush during which workers come and go and a broker dies: the auditor finds nothing', async () => {
    const said: string[] = []
    const options = { buyers: 150, units: 250, seconds: 16, seed: 7, json: false, keep: false }
    const parts = { say: (text: string) => void said.push(text), signal: new AbortController().signal }
    const report = reportOf({ what: 'kafka', ...options }, await scaleKafka(options, parts, kafka))
    // Where two workers take so long to start that the crowd has gone, nobody is there to sell to.
    const slow = (report.steps[1]?.at ?? 0) > options.seconds - 4
    const broken = report.broken.filter((name) => !(slow && name === 'sold_meanwhile'))
    expect({ broken, said }).toEqual({ broken: [], said })
    expect(report.findings).toHaveLength(4)
    expect(report.steps).toHaveLength(4)
    expect(report.invariants.filter(({ result }) => result === 'held').length).toBeGreaterThan(11)
  })

  test('one that is killed under traffic loses nothing; with two away nothing is acknowledged, and all of it comes later', async () => {
    const topics = newTopics()
    relay(topics)
    const seen = work(topics)
    const sent: string[] = []
    const more = async () => sent.push(...(await putEvents(redis, 'tv', 100)).map(({ order_id }) => order_id))
    const all = async () => {
      await until(() => seen.size === sent.length)
      await until(async () => (await inOutbox()) === 0)
      expect([...seen.keys()].toSorted()).toEqual(sent.toSorted())
    }
    await more()
    await all()
    // Somebody else's topic, of which the broker that dies has the only copy.
    const assignments = [{ partition: 0, brokers: [one?.id ?? 0] }]
    await withAdmin(cluster, (admin) =>
      admin.createTopics({ topics: [`foreign-${topics.orders}`], assignments }),
    )
    const killed = one?.kill()
    for (let batch = 0; batch < 10; batch += 1) {
      await more()
      await systemClock.sleep(100)
    }
    await killed
    expect(one?.running()).toBe(false)
    await all()
    expect(await smallestIsr(topics.orders)).toBe(2)
    // A process that starts now finds its topics, whatever became of others'.
    await createTopics(cluster, topics)

    // In order, so that what is left knows that it is alone.
    await two?.stop()
    retried = []
    const before = seen.size
    await more()
    await until(() => retried.some(({ error }) => wordsOf(error).includes('fewer in-sync replicas')))
    expect(seen.size).toBe(before)
    expect(await inOutbox()).toBe(100)
    await two?.start()
    await all()
  })

  const smallestIsr = (topic: string) =>
    withAdmin(cluster, async (admin) => {
      const { topics } = await admin.metadata({ topics: [topic] })
      return Math.min(...(topics.get(topic)?.partitions ?? []).map(({ isr }) => isr.length))
    }).catch(() => 0)
})

/** Of an error and all it was made of. */
const wordsOf = (error: unknown): string =>
  [String(error), ...(error instanceof AggregateError ? (error.errors as unknown[]) : []).map(wordsOf)].join()
