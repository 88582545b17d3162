import { systemClock } from '../../src/platform/clock.ts'
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts'
import { freePort, startTestRedis, type TestRedis } from './redis.ts'

/** A real Redis Cluster of masters alone, with the slots spread evenly over them. */
export interface TestCluster {
  /** As the project takes it: some nodes, separated by commas. */
  readonly url: string
  readonly nodes: readonly TestRedis[]
  stop(): Promise<void>
}

const SLOTS = 16_384

export async function startTestCluster(masters = 3): Promise<TestCluster> {
  const nodes = await Promise.all(
    Array.from({ length: masters }, () =>
      startTestRedis({
        settings: async () => ({
          'cluster-enabled': 'yes',
          'cluster-port': String(await freePort()),
          // A master that is away takes only its own slots with it.
          'cluster-require-full-coverage': 'no',
        }),
      }),
    ),
  )
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  const connections = await Promise.all(nodes.map(({ url }) => connectRedis({ url })))
  try {
    await join(nodes, connections)
  } catch (error) {
    await stop()
    throw error
  } finally {
    await Promise.all(connections.map((connection) => connection.close()))
  }
  return { url: nodes.map(({ url }) => url).join(','), nodes, stop }
}

async function join(nodes: readonly TestRedis[], connections: readonly RedisConnection[]): Promise<void> {
  for (const [index, { commands }] of connections.entries()) {
    const [from, to] = [index, index + 1].map((part) => Math.floor((SLOTS * part) / nodes.length))
    await commands.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String((to ?? 0) - 1))
  }
  const [first, ...others] = connections
  for (const [index, other] of others.entries()) {
    const bus = await other.commands.config('GET', 'cluster-port')
    const port = String(nodes[index + 1]?.port)
    await first?.commands.call('CLUSTER', 'MEET', '127.0.0.1', port, String((bus as unknown[])[1]))
  }
  // "cluster_state:ok" alone is said before a node has heard of the others' slots.
  const whole = ['cluster_state:ok', `cluster_known_nodes:${nodes.length}`, `cluster_slots_ok:${SLOTS}`]
  const agreed = async () => {
    const infos = await Promise.all(connections.map(({ commands }) => commands.call('CLUSTER', 'INFO')))
    return infos.every((info) => whole.every((line) => String(info).split('\r\n').includes(line)))
  }
  for (const deadline = performance.now() + 20_000; !(await agreed()); await systemClock.sleep(50))
    if (performance.now() > deadline) throw new Error('the cluster did not come together within 20 s')
}
