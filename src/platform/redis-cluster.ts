import slotOf from 'cluster-key-slot'
import { Cluster, type Redis } from 'ioredis'
import {
  backoff,
  connect,
  credentials,
  nodeOptions,
  type OnError,
  PROTOCOL,
  readRunId,
} from './redis-client.ts'
import { refuseInSilence } from './redis-silence.ts'

/** Each master by itself: one that is away takes only its own keys with it. */
export async function connectCluster(urls: readonly string[], commandTimeoutMs: number, onError: OnError) {
  const first = new URL(urls[0] ?? '')
  const commands = new Cluster([...urls], {
    ...PROTOCOL,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: backoff,
    slotsRefreshInterval: 1000,
    // MOVED and ASK are followed: such a command has not run. Nothing else is sent a second time.
    ...{ retryDelayOnFailover: 0, retryDelayOnClusterDown: 0, retryDelayOnTryAgain: 0 },
    redisOptions: {
      ...nodeOptions(commandTimeoutMs),
      ...credentials(first),
      ...(first.protocol === 'rediss:' ? { tls: {} } : {}),
    },
  })
  commands.on('error', onError)
  commands.on('node error', onError)
  const runIds = new Map<string, { readonly id: string; readonly silent: () => boolean }>()
  const silentOf = new WeakMap<Redis, () => boolean>()
  const nameOf = ({ options }: Redis) => `${options.host}:${options.port}`
  const forget = (node: Redis) => runIds.delete(nameOf(node))
  const learn = async (node: Redis) => {
    const id = await readRunId(node)
    runIds.set(nameOf(node), { id, silent: silentOf.get(node) ?? (() => false) })
  }
  commands.on('-node', forget)
  commands.on('+node', (node: Redis) => {
    if (commandTimeoutMs > 0) silentOf.set(node, refuseInSilence(node))
    node.on('close', () => forget(node))
    node.on('ready', () => void learn(node).catch(onError))
  })
  await connect(commands)
  // Connections are made when they are first used: a master that came back is asked who it is now.
  const learnMissing = () => {
    if (commands.status !== 'ready') return
    for (const node of commands.nodes('master'))
      if (!runIds.has(nameOf(node))) void learn(node).catch(onError)
  }
  commands.on('refresh', learnMissing)
  commands.on('ready', learnMissing)
  await Promise.all(commands.nodes('master').map(learn))

  // By who should serve the slot: a master that is gone is missed, not forgotten.
  const masterOf = (slot: number) => commands.slots[slot]?.[0] ?? ''
  const runIdOf = (master: string) => {
    const known = runIds.get(master)
    return known === undefined || known.silent() ? undefined : known.id
  }
  const runIdOfAll = () => {
    const masters = new Set(Array.from({ length: 16_384 }, (_, slot) => masterOf(slot)))
    const ids = [...masters].map(runIdOf)
    return ids.every((id) => id !== undefined) ? ids.sort().join('.') : undefined
  }
  return {
    commands,
    runId: (key?: string) => {
      if (commands.status !== 'ready') return undefined
      return key === undefined ? runIdOfAll() : runIdOf(masterOf(slotOf(key)))
    },
  }
}
