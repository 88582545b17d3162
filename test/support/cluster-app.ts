import { createApp } from '../../src/app.ts'
import { orderConsumer } from '../../src/flow/orders/consumer.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { createBackground } from './events.ts'
import { actions, testConfig } from './flow.ts'
import { testDatabases } from './postgres.ts'
import type { TestRedis } from './redis.ts'
import { startTestCluster } from './redis-cluster.ts'
import { eventually } from './stripe.ts'

export type ClusterApp = Awaited<ReturnType<typeof startOnCluster>>

/** The application with an order worker, on a real cluster of three masters and two databases. */
export async function startOnCluster() {
  const [cluster, databases] = await Promise.all([startTestCluster(), testDatabases(2)])
  const { config, secrets } = testConfig(cluster.url, databases.urls, 'http://127.0.0.1:1')
  const app = await createApp(config, secrets, { providers: [] })
  const background = createBackground()
  background.run(app.eventLog.consume(orderConsumer(app), background.signal))
  return {
    cluster,
    app,
    flow: actions(app),
    inSql: () => eventually(async () => (await app.eventLog.backlog()) === 0, 10_000),
    stop: async () => {
      await background.end()
      await app.close()
      await Promise.all([cluster.stop(), databases.drop()])
    },
  }
}

export async function keysOf(node: TestRedis): Promise<string[]> {
  const connection = await connectRedis({ url: node.url })
  const keys = await connection.commands.keys('*')
  await connection.close()
  return keys
}
