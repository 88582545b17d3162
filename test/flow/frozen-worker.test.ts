import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import {
  createKafkaEventLog,
  createRedisStreamEventLog,
  createRelay,
  type EventLog,
} from '../../src/flow/events/events.ts'
import { orderConsumer } from '../../src/flow/orders/consumer.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { projectPath } from '../../src/platform/project.ts'
import type { EventProcess } from '../support/event-process.ts'
import { createBackground, newTopics } from '../support/events.ts'
import { type Claim, type Flow, startFlow } from '../support/flow.ts'
import { keyOf } from '../support/inventory.ts'
import { testKafka } from '../support/kafka.ts'
import { eventually } from '../support/stripe.ts'

// An order worker is stopped (SIGSTOP) with a batch in hand for longer than its group waits, then goes on as if nothing
// had happened: another has done its work by then, and what it writes late changes nothing.

setDefaultTimeout(90_000)
const kafka = await testKafka()
let flow: Flow
beforeAll(async () => void (flow = await startFlow()), 120_000)
afterAll(() => flow[Symbol.asyncDispose](), 120_000)

interface Rig {
  worker(name: string): EventLog
  readonly frozen: EventProcess
}
const common = () => ({ redis: flow.app.redis, clock: systemClock, takeOverAfterMs: 400 })
const process = () => ({
  consumer: 'worker-1',
  redisUrl: flow.server.url,
  databaseUrls: flow.databases.urls,
})

const adapters: Record<string, (background: ReturnType<typeof createBackground>) => Rig> = {
  RedisStreamEventLog: () => ({
    worker: (consumer) => createRedisStreamEventLog({ ...common(), consumer }),
    frozen: { ...process(), role: 'redis-worker' },
  }),
  KafkaEventLog: (background) => {
    const topics = newTopics()
    const onKafka = { brokers: kafka?.brokers ?? [], topics, group: topics.orders }
    background.run(createRelay({ ...common(), ...onKafka, consumer: 'relay-1' }).run(background.signal))
    return {
      worker: (consumer) =>
        createKafkaEventLog({ ...common(), ...onKafka, consumer, sessionTimeoutMs: 1500 }),
      frozen: { ...process(), ...onKafka, role: 'kafka-worker' },
    }
  },
}

describe.each(Object.keys(adapters))('%s', (name) => {
  test.skipIf(name === 'KafkaEventLog' && kafka === undefined)(
    'a worker frozen with a batch in hand writes nothing twice when it goes on, and goes on',
    async () => {
      const background = createBackground()
      const rig = adapters[name]?.(background) as Rig
      const item = await flow.newItem(30)
      const script = projectPath('test/support/event-process.ts')
      const zombie = spawn(globalThis.process.execPath, [script, JSON.stringify(rig.frozen)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      try {
        const said = createInterface(zombie.stdout)[Symbol.asyncIterator]()
        const [paid, cancelled, ...others] = await claims(item, 6)
        expect((await said.next()).value).toBe('reached')
        zombie.kill('SIGSTOP')

        const stop = new AbortController()
        const { log, consuming } = background.consume(
          rig.worker('worker-2'),
          orderConsumer(flow.app),
          stop.signal,
        )
        const all = [paid, cancelled, ...others] as Claim[]
        await eventually(() => written(all), 30_000)
        await eventually(async () => (await log.backlog()) === 0, 10_000)
        // Meanwhile the orders have gone their way.
        const { user_id, order_id } = paid as Claim
        await flow.app.shards.of(user_id).transaction((sql) => flow.app.orders.pay(sql, user_id, order_id))
        await flow.app.inventory.settle(item, order_id)
        await flow.app.restock.cancel(cancelled?.user_id ?? '', cancelled?.order_id ?? '')
        await eventually(async () => (await log.backlog()) === 0, 10_000)
        const before = await flow.app.orders.forItem(item)

        zombie.kill('SIGCONT')
        expect((await said.next()).value).toBe('written')
        await systemClock.sleep(1000)
        expect(byId(await flow.app.orders.forItem(item))).toEqual(byId(before))
        expect(
          before
            .map(({ status }) => status)
            .sort()
            .join(' '),
        ).toBe('FAILED PAID PENDING PENDING PENDING PENDING')
        expect(await flow.counts(item)).toEqual({ total: 30, available: 25, held: 4, sold: 1 })
        expect(await log.deadLetters(10)).toEqual([])

        // It is a worker like any other again: alone, it does all the work.
        stop.abort()
        await consuming
        const later = await claims(item, 5)
        await eventually(() => written(later), 30_000)
        await eventually(
          async () => (await flow.app.redis.commands.xlen(keyOf(item, 'outbox'))) === 0,
          10_000,
        )
        expect((await flow.app.orders.forItem(item)).length).toBe(11)
      } finally {
        zombie.kill('SIGKILL')
        await once(zombie, 'exit')
        await background.end()
      }
    },
  )
})

const claims = (item: string, count: number): Promise<Claim[]> =>
  Promise.all(Array.from({ length: count }, () => flow.claim(item)))
const written = async (some: readonly Claim[]) => {
  const found = await Promise.all(
    some.map(({ user_id, order_id }) => flow.app.orders.find(user_id, order_id)),
  )
  return found.every((order) => order !== undefined)
}
const byId = <T extends { order_id: string }>(orders: readonly T[]) =>
  orders.toSorted((a, b) => a.order_id.localeCompare(b.order_id))
