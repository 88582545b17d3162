import { afterAll, afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import {
  createBackground,
  newTopics,
  putEvents,
  recorder,
  runUntilKilled,
  until,
} from '../../../test/support/events.ts'
import { testKafka } from '../../../test/support/kafka.ts'
import { startTestRedis } from '../../../test/support/redis.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectProducer } from '../../platform/kafka.ts'
import { connectRedis } from '../../platform/redis.ts'
import { createKafkaEventLog, createRelay, type RelayOptions, type Topics } from './events.ts'
import { createTopics } from './topics.ts'

setDefaultTimeout(30_000)
const server = await startTestRedis()
const redis = await connectRedis({ url: server.url })
const kafka = await testKafka()
const brokers = kafka?.brokers ?? []
afterAll(async () => {
  await redis.close()
  await server.stop()
})

describe.skipIf(kafka === undefined)('relay', () => {
  let background = createBackground()
  beforeEach(async () => {
    await redis.commands.flushall()
    background = createBackground()
  })
  afterEach(() => background.end())

  const common = { redis, clock: systemClock, brokers, takeOverAfterMs: 400 }
  const relay = (topics: Topics, options: Partial<RelayOptions> = {}) =>
    createRelay({ ...common, consumer: 'relay-1', topics, ...options })
  const consumeAll = (topics: Topics) => {
    const { seen, handler } = recorder()
    const log = createKafkaEventLog({ ...common, topics, group: topics.orders, consumer: 'worker-1' })
    background.consume(log, handler)
    return { seen, log }
  }

  for (const successor of ['relay-1', 'relay-2'])
    test(`killed between Kafka's acknowledgement and its own: ${successor} publishes again`, async () => {
      const topics = newTopics()
      const sent = await putEvents(redis, 'tv', 20)
      await runUntilKilled({ role: 'relay', redisUrl: server.url, consumer: 'relay-1', brokers, topics })
      expect(await pending()).toBe(20)
      background.run(relay(topics, { consumer: successor }).run(background.signal))
      // Only after this is anything confirmed: what comes twice was published twice.
      await until(async () => (await pending()) === 0)
      const { seen, log } = consumeAll(topics)
      await until(async () => (await log.backlog()) === 0)
      expect([...seen.keys()].toSorted()).toEqual(sent.map((event) => event.order_id).toSorted())
      expect(Math.max(...[...seen.values()].map((one) => one.times))).toBeGreaterThan(1)
    })

  test("stops after the batch under way, which is then Kafka's", async () => {
    const topics = newTopics()
    await putEvents(redis, 'tv', 5)
    const stop = new AbortController()
    await relay(topics, { onPublished: async () => stop.abort() }).run(stop.signal)
    expect(await pending()).toBe(0)
    expect(await redis.commands.xlen('item:{tv}:outbox')).toBe(5)
    const { seen, log } = consumeAll(topics)
    await until(async () => (await log.backlog()) === 0)
    expect(seen.size).toBe(5)
  })

  test('a message that is no event of ours is set aside and blocks nothing', async () => {
    const topics = newTopics()
    await createTopics({ brokers, clientId: 'test' }, topics)
    const producer = connectProducer({ brokers, clientId: 'test' })
    const foreign = ['no json', '{}', '{"outbox_id":"1-0","event":{"type":"OrderCreated"}}', null]
    await producer.send(foreign.map((value) => ({ topic: topics.orders, key: 'user-0', value })))
    await producer.close()
    const sent = await putEvents(redis, 'tv', 5)
    background.run(relay(topics).run(background.signal))
    const { seen, log } = consumeAll(topics)
    await until(async () => (await log.backlog()) === 0)
    expect(seen.size).toBe(sent.length)
    const letters = await log.deadLetters(10)
    expect(letters.map((letter) => letter.fields['value'])).toEqual(foreign.map((value) => value ?? ''))
    expect(await log.replay(letters[0]?.id ?? '')).toBe('no_outbox')
  })

  test('publishes again what SQL has not confirmed in time', async () => {
    const sent = await putEvents(redis, 'tv', 20)
    const stop = new AbortController()
    await relay(newTopics(), { onPublished: async () => stop.abort() }).run(stop.signal)
    expect(await pending()).toBe(0)
    // Those topics are lost; the group has acknowledged everything, yet the outbox still holds it.
    const topics = newTopics()
    background.run(relay(topics, { republishAfterMs: 100 }).run(background.signal))
    const { seen, log } = consumeAll(topics)
    await until(async () => (await log.backlog()) === 0)
    expect([...seen.keys()].toSorted()).toEqual(sent.map((event) => event.order_id).toSorted())
  })
})

/** Entries given to a relay that it has not acknowledged. */
async function pending(): Promise<number> {
  const [count] = (await redis.commands.xpending('item:{tv}:outbox', 'relay')) as [number]
  return count
}
