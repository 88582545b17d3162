import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TEST_KAFKA_JARS, testKafka } from '../../test/support/kafka.ts'
import { connectConsumer, connectProducer, ensureTopics, type KafkaRecord, readTopic } from './kafka.ts'
import { groupState } from './kafka-progress.ts'
import { startKafka } from './servers/kafka.ts'
import { isRunning } from './servers/os-process.ts'
import { freePort } from './servers/ports.ts'

setDefaultTimeout(60_000)
const kafka = await testKafka()
const cluster = { brokers: kafka?.brokers ?? [], clientId: 'test' }

describe.skipIf(kafka === undefined)('the Kafka client under Bun', () => {
  test('creates topics once, also when two ask at the same time', async () => {
    const wanted = [{ name: `topic-${crypto.randomUUID()}`, partitions: 6 }]
    await Promise.all([ensureTopics(cluster, wanted), ensureTopics(cluster, wanted)])
    await ensureTopics(cluster, wanted)
    const producer = connectProducer(cluster)
    await producer.send([{ topic: wanted[0]?.name ?? '', key: 'a', value: '1' }])
    await producer.close()
  })

  test('keeps one key on one partition in order, and spreads keys', async () => {
    const topic = await newTopic(6)
    const sent = Array.from({ length: 120 }, (_, n) => ({ topic, key: `user-${n % 12}`, value: String(n) }))
    await produce(sent)
    const consumer = await connectConsumer({ ...cluster, topic, group: topic })
    const records = await collect(consumer, 120)
    await consumer.close()
    const partitions = new Map<string, Set<number>>()
    for (const { key, partition } of records)
      partitions.set(key, (partitions.get(key) ?? new Set()).add(partition))
    expect([...partitions.values()].every((one) => one.size === 1)).toBe(true)
    expect(new Set(records.map((record) => record.partition)).size).toBeGreaterThan(1)
    for (const key of partitions.keys()) {
      const values = records.filter((record) => record.key === key).map((record) => Number(record.value))
      expect(values).toEqual(values.toSorted((a, b) => a - b))
    }
  })

  test('goes on from what was committed, and gives the rest again', async () => {
    const topic = await newTopic(1)
    await produce(Array.from({ length: 10 }, (_, n) => ({ topic, key: 'a', value: String(n) })))
    const first = await connectConsumer({ ...cluster, topic, group: topic })
    await first.commit((await collect(first, 10)).slice(0, 4))
    await first.close()
    const second = await connectConsumer({ ...cluster, topic, group: topic })
    const rest = await collect(second, 6)
    await second.close()
    expect(rest.map((record) => record.value)).toEqual(['4', '5', '6', '7', '8', '9'])
  })

  test('shares partitions between two members and hands them over when one leaves', async () => {
    const topic = await newTopic(6)
    const [one, two] = await Promise.all([
      connectConsumer({ ...cluster, topic, group: topic }),
      connectConsumer({ ...cluster, topic, group: topic }),
    ])
    const keys = Array.from({ length: 60 }, (_, n) => `user-${n}`)
    const seen = { one: new Set<string>(), two: new Set<string>() }
    // Until both are settled members, what is sent may reach either: send until both get some.
    while (seen.one.size === 0 || seen.two.size === 0) {
      await produce(keys.map((key) => ({ topic, key, value: 'x' })))
      const [a, b] = await Promise.all([one.next(1000, 500), two.next(1000, 500)])
      await Promise.all([one.commit(a), two.commit(b)])
      for (const record of a) seen.one.add(record.key)
      for (const record of b) seen.two.add(record.key)
    }
    await two.close()
    await produce(keys.map((key) => ({ topic, key, value: 'last' })))
    const last = new Set<string>()
    while (last.size < keys.length)
      for (const record of await one.next(1000, 500)) if (record.value === 'last') last.add(record.key)
    await one.close()
    expect(last.size).toBe(keys.length)
  })

  test('a member commits nothing it has read before the group was formed anew, and nothing of others', async () => {
    const topic = await newTopic(2)
    const keys = Array.from({ length: 40 }, (_, n) => `user-${n}`)
    await produce(keys.map((key) => ({ topic, key, value: 'x' })))
    const group = { ...cluster, topic, group: topic }
    const one = await connectConsumer({ ...group, instanceId: 'one' })
    const before = await collect(one, keys.length)
    await one.commit(before)
    const two = await connectConsumer({ ...group, instanceId: 'two' })
    // Nothing of this is committed, so that all of it is given again to whoever comes next.
    await produce(keys.map((key) => ({ topic, key, value: 'y' })))
    const { members } = await groupState(cluster, topic, topic)
    const mine = members.find(({ name }) => name === 'one')?.partitions[0] ?? -1
    let after: KafkaRecord[] = []
    while (after.length === 0)
      after = (await one.next(1000, 1000)).filter(({ partition }) => partition === mine)
    const lag = async () => (await groupState(cluster, topic, topic)).partitions.map(({ behind }) => behind)
    const all = await lag()
    await one.commit(before.map((record) => ({ ...record, offset: 0n })))
    await one.commit(after.map((record) => ({ ...record, partition: 1 - mine, offset: 0n })))
    expect(await lag()).toEqual(all)
    await one.commit(after)
    expect((await lag())[mine]).toBeLessThan(all[mine] ?? 0)
    await Promise.all([one.close(), two.close()])
  })

  test('a commit that the group refuses is not made up for when the member has joined again', async () => {
    const topic = await newTopic(1)
    await produce(Array.from({ length: 10 }, (_, n) => ({ topic, key: 'a', value: String(n) })))
    // Its next heartbeat, which would tell it, is 5 s away.
    const member = { ...cluster, topic, group: topic, instanceId: 'one', sessionTimeoutMs: 30_000 }
    const late = await connectConsumer(member)
    const read = await collect(late, 10)
    const successor = await connectConsumer(member)
    await successor.commit(await collect(successor, 10))
    await late.commit(read.slice(0, 4))
    expect((await groupState(cluster, topic, topic)).partitions.map(({ behind }) => behind)).toEqual([0])
    await Promise.all([late.close(), successor.close()])
  })

  test('stops waiting when the signal is aborted', async () => {
    const topic = await newTopic(1)
    const consumer = await connectConsumer({ ...cluster, topic, group: topic })
    const stop = new AbortController()
    const waiting = consumer.next(10, 60_000, stop.signal)
    stop.abort()
    expect(await waiting).toEqual([])
    await consumer.close()
  })

  test('reads a whole topic, tombstones included', async () => {
    const topic = await newTopic(1)
    expect(await readTopic(cluster, topic)).toEqual([])
    await produce([
      { topic, key: 'a', value: '1' },
      { topic, key: 'a', value: null },
    ])
    const records = await readTopic(cluster, topic)
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      ['a', '1'],
      ['a', null],
    ])
  })

  test('reads all partitions of a topic to their ends', async () => {
    const topic = await newTopic(3)
    await produce(Array.from({ length: 2500 }, (_, n) => ({ topic, key: `user-${n}`, value: 'x' })))
    const records = await readTopic(cluster, topic)
    expect(new Set(records.map(({ key }) => key)).size).toBe(2500)
  })
})

describe.skipIf(kafka === undefined)('the local broker', () => {
  const folders: string[] = []
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })

  test('keeps its data over a kill, stops what was left over, and both clients find it again', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-kafka-'))
    folders.push(dataDir)
    const port = await freePort()
    const options = { dataDir, jarsDir: TEST_KAFKA_JARS, port }
    const before = await startKafka(options)
    const own = { brokers: before.brokers, clientId: 'test' }
    await ensureTopics(own, [{ name: 'kept', partitions: 1 }])
    const producer = connectProducer(own)
    await producer.send([{ topic: 'kept', key: 'a', value: 'before' }])
    const consumer = await connectConsumer({ ...own, topic: 'kept', group: 'kept', instanceId: 'one' })
    await consumer.commit(await collect(consumer, 1))

    // Nobody stopped it: the next start finds the process by its pid file and ends it.
    const after = await startKafka(options)
    expect(isRunning(before.nodes[0].pid)).toBe(false)
    await untilSent(() => producer.send([{ topic: 'kept', key: 'a', value: 'after' }]))
    // The consumer has found the broker again by itself, or it says that it is lost and another goes on.
    const survived = await consumer.next(1, 2000).catch(() => [])
    await consumer.close()
    const again = await connectConsumer({ ...own, topic: 'kept', group: 'kept', instanceId: 'one' })
    const records = survived.length > 0 ? survived : await collect(again, 1)
    expect(records.map((record) => record.value)).toEqual(['after'])
    await again.close()
    await producer.close()
    const second = { dataDir: join(dataDir, 'other'), jarsDir: TEST_KAFKA_JARS, port }
    const refused = await startKafka(second).then(String, String)
    expect(refused).toContain(`Port ${port} is taken`)
    await after.stop()
    expect(after.nodes[0].running()).toBe(false)
  })
})

test('brokers do not start on the data of another number of them', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-kafka-'))
  for (const id of [1, 2, 3]) {
    const data = join(dataDir, 'kafka', `broker-${id}`, 'data')
    await mkdir(data, { recursive: true })
    await writeFile(join(data, 'meta.properties'), 'cluster.id=x')
  }
  const refused = await startKafka({ dataDir, nodes: 1, jarsDir: TEST_KAFKA_JARS }).then(String, String)
  expect(refused).toContain(
    'are those of 3 Kafka brokers: start with --kafka-brokers 3, or empty with --fresh',
  )
  await rm(dataDir, { recursive: true, force: true })
})

async function newTopic(partitions: number): Promise<string> {
  const name = `topic-${crypto.randomUUID()}`
  await ensureTopics(cluster, [{ name, partitions }])
  return name
}

async function produce(messages: Parameters<ReturnType<typeof connectProducer>['send']>[0]): Promise<void> {
  const producer = connectProducer(cluster)
  await producer.send(messages)
  await producer.close()
}

async function collect(
  consumer: { next(max: number, waitMs: number): Promise<KafkaRecord[]> },
  count: number,
): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = []
  while (records.length < count) records.push(...(await consumer.next(1000, 1000)))
  return records
}

async function untilSent(send: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send()
    } catch (error) {
      if (attempt === 20) throw error
    }
  }
}
