import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startTestCluster, type TestCluster } from '../../../test/support/redis-cluster.ts'
import { eventually } from '../../../test/support/stripe.ts'
import type { Sale } from '../../flow/catalogue/catalogue.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import { createLog } from '../../platform/telemetry.ts'
import { createCounter, readCounts } from './counting.ts'
import { liveKeys } from './keys.ts'
import { createSampler } from './sampler.ts'
import { createSamples } from './samples.ts'

let cluster: TestCluster
let redis: RedisConnection
beforeAll(async () => {
  cluster = await startTestCluster()
  redis = await connectRedis({ url: cluster.url })
}, 60_000)
afterAll(async () => {
  await redis.close()
  await cluster.stop()
})

test('a master that is away takes only its own sales with it', async () => {
  const runIdOf = (id: string) => redis.runId(liveKeys.samples(id))
  const owner = redis.runId(liveKeys.sampler)
  const named = Array.from({ length: 100 }, (_, n) => `sale-${n}`)
  const near = named.find((id) => runIdOf(id) === owner) ?? ''
  const far = named.find((id) => runIdOf(id) !== owner) ?? ''
  const sales = [far, near].map(
    (id) => ({ id, state: 'open', opens_at: 0, ends_at: null, hold_s: 1, checkout_cap: null }) as Sale,
  )
  const catalogue = { sales: async () => sales, products: async () => [], product: async () => undefined }
  const line = {
    serving: 1,
    tail: 3,
    entered: 1,
    in_checkout: 0,
    rate: 5,
    now: 1,
    opens_at: 0,
    state: 'open',
  } as const
  const samples = createSamples(redis)
  const [clock, log] = [systemClock, createLog('silent', 'test')]
  const sampler = createSampler({
    ...{ redis, clock, catalogue, samples, log },
    inventory: { stock: async () => undefined },
    waitingRoom: { lines: async () => [line as never] },
    tallies: {
      ask: () => undefined,
      counted: () => undefined,
      eventLog: () => ({ waiting: 0, oldest_s: 0, dead_letters: 0 }),
    },
  })
  const counter = createCounter({ redis, catalogue, clock })
  const answerBoth = () => [far, near].forEach((id) => counter.answered(`/api/queue/${id}`, 200))
  answerBoth()
  await counter.flush()
  await sampler.round()
  for (const id of [far, near])
    expect((await samples.last(id))?.sample).toMatchObject({ requests: 1, queue: { depth: 2 } })

  const runIds = await Promise.all(
    cluster.nodes.map(async ({ url }) => {
      const one = await connectRedis({ url })
      const id = one.runId()
      await one.close()
      return id
    }),
  )
  const gone = cluster.nodes[runIds.indexOf(runIdOf(far))]
  await gone?.kill9()
  await eventually(() => runIdOf(far) === undefined, 10_000)
  answerBoth()
  await counter.flush()
  await systemClock.sleep(1005 - (Date.now() % 1000))
  expect(await sampler.round().then(String, (error: unknown) => String(error instanceof Error))).toBe('true')
  expect((await samples.last(near))?.sample).toMatchObject({ requests: 2 })

  // It is back before it takes writes; until then what was counted is kept.
  await gone?.restart()
  const isWritten = async () => {
    await counter.flush().catch(() => undefined)
    return (await readCounts(redis, far).catch(() => undefined))?.requests === 2
  }
  await eventually(isWritten, 20_000)
}, 60_000)
