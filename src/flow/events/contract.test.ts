import { afterAll, afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { eventLogContract, type Rig } from '../../../test/support/event-log-contract.ts'
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
import { connectRedis } from '../../platform/redis.ts'
import { createKafkaEventLog, createRedisStreamEventLog, createRelay, type Handler } from './events.ts'

setDefaultTimeout(30_000)
const server = await startTestRedis({ appendfsync: 'always' })
const redis = await connectRedis({ url: server.url })
const kafka = await testKafka()
const brokers = kafka?.brokers ?? []
afterAll(async () => {
  await redis.close()
  await server.stop()
})

beforeEach(() => redis.commands.flushall())

const TAKE_OVER_MS = 400
// Small batches, so that there are several.
const common = { redis, clock: systemClock, takeOverAfterMs: TAKE_OVER_MS, batchSize: 128 }
const put = (item: string, count: number) => putEvents(redis, item, count)
const real = {
  put,
  until,
  sleep: (ms: number) => systemClock.sleep(ms),
  takeOverMs: TAKE_OVER_MS,
  redisDies: async () => {
    await server.kill9()
    await server.restart()
    await until(() => redis.runId() !== undefined)
  },
}

const streamRig = (): Rig => ({
  ...real,
  keepsOffsets: false,
  worker: (consumer) => createRedisStreamEventLog({ ...common, consumer }),
  dies: (consumer, at) => runUntilKilled({ role: 'redis-worker', redisUrl: server.url, consumer, at }),
})

const kafkaRig = (background: ReturnType<typeof createBackground>): Rig => {
  const topics = newTopics()
  const onKafka = { brokers, topics, group: topics.orders }
  const relay = createRelay({ ...common, ...onKafka, consumer: 'relay-1', republishAfterMs: 1500 })
  background.run(relay.run(background.signal))
  return {
    ...real,
    keepsOffsets: true,
    worker: (consumer) =>
      createKafkaEventLog({ ...common, ...onKafka, consumer, sessionTimeoutMs: 1500, drainMs: 500 }),
    dies: (consumer, at) =>
      runUntilKilled({ role: 'kafka-worker', redisUrl: server.url, consumer, ...onKafka, at }),
  }
}

const ADAPTERS = [
  ['RedisStreamEventLog', true, streamRig],
  ['KafkaEventLog', kafka !== undefined, kafkaRig],
] as const
for (const [name, available, createRig] of ADAPTERS) {
  eventLogContract(name, available, createRig)

  describe.skipIf(!available)(`${name}, on a real outbox`, () => {
    let background: ReturnType<typeof createBackground>
    let rig: Rig
    beforeEach(() => {
      background = createBackground()
      rig = createRig(background)
    })
    afterEach(() => background.end())
    const consume = (consumer: string, handler: Handler) => background.consume(rig.worker(consumer), handler)

    test('sets aside what the handler rejects and what is no event; the rest goes on', async () => {
      const sent = await put('tv', 6)
      const poison = sent[2]?.order_id
      const broken = await redis.commands.xadd(
        'item:{tv}:outbox',
        '*',
        'type',
        'OrderCreated',
        'quantity',
        '-1',
      )
      const after = await put('tv', 3)
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', async (batch) => {
        await handler(batch)
        return batch
          .filter(({ event }) => event.order_id === poison)
          .map((delivery) => ({ delivery, reason: 'amount differs from the price' }))
      })
      await until(async () => (await log.backlog()) === 0)
      expect([...seen.keys()].toSorted()).toEqual([...sent, ...after].map((e) => e.order_id).toSorted())
      const letters = (await log.deadLetters(10)).toSorted((a, b) => a.reason.localeCompare(b.reason))
      expect(letters.map(({ reason, item_id }) => [reason, item_id])).toEqual([
        ['amount differs from the price', 'tv'],
        ['not an event', 'tv'],
      ])
      expect(letters[0]?.fields['order_id']).toBe(poison ?? '')
      expect(letters[1]).toMatchObject({
        id: `tv:${broken}`,
        outbox_id: broken,
        fields: { type: 'OrderCreated', quantity: '-1' },
      })
    })

    test('confirms what the handler is through with while it works on the next, and nothing more', async () => {
      const sent = await put('tv', 600)
      const { seen, handler } = recorder()
      const left: number[] = []
      const { log } = consume('worker-1', async (batch) => {
        const open = sent.length - seen.size
        // What came before is taken off meanwhile; this batch and those after it are not.
        await until(async () => (await log.backlog()) <= open)
        await systemClock.sleep(20)
        left.push((await log.backlog()) - open)
        return handler(batch)
      })
      await until(async () => (await log.backlog()) === 0)
      expect(seen.size).toBe(600)
      expect(left.length).toBeGreaterThan(4)
      expect(new Set(left)).toEqual(new Set([0]))
    })

    test('sees an item that appears while it runs', async () => {
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', handler)
      await put('tv', 1)
      await until(() => seen.size === 1)
      const later = await put('brand-new', 1)
      await until(() => seen.has(later[0]?.order_id ?? ''))
      // Known, but nothing claimed yet: no stream may be created on the way.
      await redis.commands.sadd('items', 'unclaimed')
      const [last] = await put('tv', 1)
      await until(() => seen.has(last?.order_id ?? ''))
      await until(async () => (await log.backlog()) === 0)
      expect(await redis.commands.exists('item:{unclaimed}:outbox')).toBe(0)
    })
  })
}

test('under a backlog a worker of Redis has one batch in hand and the next one read, and gives the rest to others', async () => {
  const pendingOf = async () =>
    ((await redis.commands.xpending('item:{tv}:outbox', 'orders').catch(() => [0])) as [number])[0]
  await put('tv', 600)
  const background = createBackground()
  const { seen, handler } = recorder()
  const hung = Promise.withResolvers<void>()
  background.consume(streamRig().worker('worker-1'), async (batch) => {
    await hung.promise
    return handler(batch)
  })
  await until(async () => (await pendingOf()) === 256)
  await systemClock.sleep(100)
  expect(await pendingOf()).toBe(256)
  hung.resolve()
  await until(() => seen.size === 600)
  await background.end()
  expect(await redis.commands.xlen('item:{tv}:outbox')).toBe(0)
  expect(Math.max(...[...seen.values()].map(({ times }) => times))).toBe(1)
})
