import { afterAll, afterEach, setDefaultTimeout, test } from 'bun:test'
import { createBackground, newTopics, putEvents, recorder, until } from '../../../test/support/events.ts'
import { testKafka } from '../../../test/support/kafka.ts'
import { startTestRedis } from '../../../test/support/redis.ts'
import { systemClock } from '../../platform/clock.ts'
import { groupState } from '../../platform/kafka-progress.ts'
import { connectRedis } from '../../platform/redis.ts'
import { createKafkaEventLog, createRelay, type Handler } from './events.ts'

// Workers come and go, and the offsets of what they gave each other stay where they belong.

setDefaultTimeout(60_000)
const kafka = await testKafka()
const server = await startTestRedis()
const redis = await connectRedis({ url: server.url })
const background = createBackground()
afterEach(() => background.end())
afterAll(async () => {
  await redis.close()
  await server.stop()
})

test.skipIf(kafka === undefined)('a worker does not move back what others have read since', async () => {
  const topics = newTopics()
  const common = { redis, clock: systemClock, brokers: kafka?.brokers ?? [], topics }
  const state = () => groupState({ brokers: common.brokers, clientId: 'test' }, topics.orders, topics.orders)
  /** Events in these partitions whose offsets are not committed. */
  const behind = async (partitions: readonly number[] = [0, 1, 2, 3, 4, 5]) => {
    const now = (await state()).partitions
    return partitions.reduce((sum, partition) => sum + (now[partition]?.behind ?? 0), 0)
  }
  const nothingBehind = async () => (await behind()) === 0
  const { seen, handler } = recorder()
  const work = (consumer: string, given: Handler, signal?: AbortSignal) =>
    background.consume(
      createKafkaEventLog({ ...common, group: topics.orders, consumer, sessionTimeoutMs: 1500 }),
      given,
      signal,
    )
  const relay = createRelay({ ...common, consumer: 'relay-1', takeOverAfterMs: 400 })
  background.run(relay.run(background.signal))

  // The first has read all partitions, then gives half of them away.
  let gate = Promise.resolve()
  work('first', (batch) => gate.then(() => handler(batch)))
  await putEvents(redis, 'tv', 60)
  await until(() => seen.size === 60)
  await until(nothingBehind)
  const leaves = new AbortController()
  const second = work('second', handler, AbortSignal.any([leaves.signal, background.signal]))
  const shared = async () => (await state()).members.map((one) => one.partitions)
  await until(async () => (await shared()).every(({ length }) => length === 3))

  // A fetch that was under way meanwhile, 500 ms at most, would bring what is the second's.
  await systemClock.sleep(700)

  // It commits last, when the second is through with its own.
  const open = Promise.withResolvers<void>()
  gate = open.promise
  await putEvents(redis, 'tv', 60)
  const [own, theirs] = await shared()
  await until(async () => seen.size + (await behind(own)) >= 120 && (await behind(theirs)) === 0)
  open.resolve()
  await until(() => seen.size === 120)
  await until(nothingBehind)

  // Alone again, and one partition has something new.
  leaves.abort()
  await second.consuming
  await until(async () => (await shared())[0]?.length === 6)
  await putEvents(redis, 'tv', 1)
  await until(() => seen.size === 121)
  await until(nothingBehind)
})
