import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../clock.ts'
import { connectRedis } from '../redis.ts'
import { signalProcess, untilGone } from './os-process.ts'
import { freePort } from './ports.ts'
import { type RedisServer, startRedis } from './redis.ts'

/** One master of a cluster on this machine. */
export interface RedisNode {
  readonly url: string
  readonly port: number
  /** SIGKILL: a crash. Its data stay. */
  kill(): Promise<void>
  /** Again, on the same port, with the data there are. */
  start(): Promise<void>
  /** Forgets the stock, the queues and all else it had, but not that it is one of the cluster. Only while it does not run. */
  empty(): Promise<void>
}

export interface RedisCluster {
  /** As the project takes it: its nodes, separated by commas. */
  readonly url: string
  readonly nodes: readonly RedisNode[]
  stop(): Promise<void>
}

const SLOTS = 16_384
const TOGETHER_MS = 30_000
const KILLED_MS = 10_000

/** Masters without replicas, with the slots in equal ranges, each set as selling needs it. */
export async function startRedisCluster(dir: string, masters = 3): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: masters }, (_, index) => startNode(join(dir, `${index}`))),
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

async function startNode(dir: string): Promise<RedisNode & { stop(): Promise<void> }> {
  const settings = await clusterSettings()
  let server: RedisServer = await startRedis({ dir, settings })
  const { url, port } = server
  return {
    ...{ url, port },
    kill: async () => {
      signalProcess(server.pid, 'SIGKILL')
      await untilGone(server.pid, KILLED_MS)
    },
    start: async () => {
      server = await startRedis({ dir, port, settings })
    },
    empty: () => rm(join(dir, 'appendonlydir'), { recursive: true }),
    stop: () => server.stop(),
  }
}

/** What makes a server one that can be of a cluster. */
export const clusterSettings = async (): Promise<Record<string, string>> => ({
  'cluster-enabled': 'yes',
  'cluster-port': String(await freePort()),
  // A master that is away takes only its own slots with it.
  'cluster-require-full-coverage': 'no',
})

/** Makes one cluster of servers that are set for it, and waits until all know all. Throws after half a minute. */
export async function joinCluster(
  nodes: readonly { readonly url: string; readonly port: number }[],
): Promise<void> {
  const connections = await Promise.all(nodes.map(({ url }) => connectRedis({ url })))
  try {
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
    for (const deadline = systemClock.now() + TOGETHER_MS; !(await agreed()); await systemClock.sleep(50))
      if (systemClock.now() > deadline)
        throw new Error(`the cluster did not come together within ${TOGETHER_MS / 1000} s`)
  } finally {
    await Promise.all(connections.map((connection) => connection.close()))
  }
}
