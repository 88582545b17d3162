import { clusterSettings, joinCluster } from '../../src/platform/servers/redis-cluster.ts'
import { startTestRedis, type TestRedis } from './redis.ts'

/** A real Redis Cluster of masters alone, with the slots spread evenly over them. */
export interface TestCluster {
  /** As the project takes it: some nodes, separated by commas. */
  readonly url: string
  readonly nodes: readonly TestRedis[]
  stop(): Promise<void>
}

export async function startTestCluster(masters = 3): Promise<TestCluster> {
  const nodes = await Promise.all(
    Array.from({ length: masters }, () => startTestRedis({ settings: clusterSettings })),
  )
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    await joinCluster(nodes)
  } catch (error) {
    await stop()
    throw error
  }
  return { url: nodes.map(({ url }) => url).join(','), nodes, stop }
}
