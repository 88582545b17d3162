import { expect, test } from 'bun:test'
import { connectDatabase } from '../../src/platform/postgres.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { startBuyers } from '../support/buyers.ts'
import { createCluster, type Pod, type Service, startService } from '../support/deployment.ts'
import { skipLoudly } from '../support/edge.ts'
import { testKafka } from '../support/kafka.ts'
import { readWorkloads, type Workload } from '../support/manifests.ts'
import { testDatabases } from '../support/postgres.ts'
import { startTestRedis } from '../support/redis.ts'
import { startStripeSandbox, stripeKeys } from '../support/stripe.ts'

// deploy/kubernetes/README.md, rehearsed: start step by step, roll everything under load, drain. Commands, settings, probes, steps
// and the way each is rolled are read from the manifests; Redis, PostgreSQL and Kafka are real.

const OPS_TOKEN = 'operator-token-of-tests'
test.skipIf(skipLoudly())(
  'start, roll and drain: every claim answered 201 is a row, nobody is answered 500 or above',
  async () => {
    await using stack = new AsyncDisposableStack()
    const kafka = await testKafka()
    const [redis, databases, stripe] = await Promise.all([
      startTestRedis({ appendfsync: 'always' }),
      testDatabases(2),
      startStripeSandbox(),
    ])
    stack.defer(async () => {
      await Promise.all([redis.stop(), databases.drop(), stripe[Symbol.asyncDispose]()])
    })
    const services: Record<string, Service> = { web: await startService(), edge: await startService() }
    stack.defer(() => Object.values(services).forEach((service) => service.stop()))
    const address = (name: string) => `http://${name}.example.test:${services['edge']?.port}`
    const cluster = stack.use(
      createCluster({
        PROFILE: kafka === undefined ? 'embedded' : 'full',
        ...{
          KAFKA_BROKERS: (kafka?.brokers ?? []).join(','),
          KAFKA_REPLICATION: '1',
          KAFKA_MIN_IN_SYNC: '1',
        },
        ...{ REDIS_URL: redis.url, DATABASE_URLS: databases.urls.join(',') },
        ...{ SHOP_URL: address('shop'), QUEUE_URL: address('queue'), OPS_URL: address('ops') },
        ...{ EDGE_ORIGINS: `127.0.0.1:${services['web']?.port}`, EDGE_REAL_IP_FROM: '' },
        ...{ TOKEN_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64url')}`, OPS_TOKEN },
        ...{ SESSION_KEY: 'a session key that is long enough', STRIPE_API_URL: stripe.url },
        ...{ STRIPE_SECRET_KEY: stripeKeys.secretKey, STRIPE_PUBLISHABLE_KEY: stripeKeys.publishableKey },
        STRIPE_WEBHOOK_SECRET: stripeKeys.webhookSecret,
      }),
    )

    // Start, in the order of the steps. The Redis of the manifests is the one that is here already.
    const workloads = readWorkloads().filter(
      ({ name }) => name !== 'redis' && (name !== 'relay' || kafka !== undefined),
    )
    const pods = new Map<Workload, Pod>()
    for (const step of new Set(workloads.map((workload) => workload.step)))
      await Promise.all(
        workloads
          .filter((workload) => workload.step === step)
          .map(async (workload) => {
            if (workload.kind === 'Job') return cluster.complete(workload)
            const { name } = workload
            pods.set(workload, await cluster.start(workload, `${name}-0`, services[name]))
          }),
      )

    const buyers = await startBuyers({ port: services['edge']?.port ?? 0, opsToken: OPS_TOKEN, at: address })
    stack.defer(() => buyers.stop())
    await buyers.until(30)
    // A new release, in the same order.
    for (const [workload, before] of pods) {
      const claimed = buyers.claimed.size
      pods.set(workload, await cluster.roll(workload, before, services[workload.name]))
      await buyers.until(claimed + 10)
    }
    await buyers.stop()

    // Drain: the door, what came through it, the workers.
    const drain = async (name: string) => {
      for (const [workload, pod] of pods) if (workload.name === name) await pod.stop()
    }
    await drain('edge')
    await drain('web')
    const [[, cleanup] = []] = [...pods].filter(([{ name }]) => name === 'cleanup')
    const metrics = async () => (await fetch(`http://127.0.0.1:${cleanup?.port}/metrics`)).text()
    while (!/^doorbuster_outbox_backlog 0$/m.test(await metrics())) await systemClock.sleep(100)
    for (const name of ['relay', 'order-worker', 'cleanup']) await drain(name)

    expect(buyers.failures).toEqual([])
    expect(buyers.claimed.size).toBeGreaterThanOrEqual(70)
    expect((await ordersIn(databases.urls)).filter((id) => buyers.claimed.has(id)).length).toBe(
      buyers.claimed.size,
    )
    for (const [{ name }] of pods) expect(cluster.started[name]).toBe(2)
  },
  240_000,
)

async function ordersIn(urls: readonly string[]): Promise<string[]> {
  const rows = urls.map(async (url) => {
    const database = connectDatabase(url)
    const { rows: found } = await database.query<{ id: string }>('select id from orders')
    await database.close()
    return found.map(({ id }) => id)
  })
  return (await Promise.all(rows)).flat()
}
