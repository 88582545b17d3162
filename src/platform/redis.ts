import { Cluster, Redis, type RedisCommander } from 'ioredis'

export { failureOf, type RedisFailure } from './redis-failure.ts'

/** The commands of a Redis server or cluster; the type the rest of the project names. */
export type RedisCommands = RedisCommander<{ type: 'default'; mapping: 'resp2' }> &
  Pick<Redis, 'multi' | 'defineCommand' | 'disconnect'>

/** One connection to a Redis server or cluster, with what `flow/inventory` needs to fence itself off a changed server. */
export interface RedisConnection {
  readonly commands: RedisCommands
  /**
   * `run_id` of the server process this connection talks to, of a cluster those of all its masters; undefined while it
   * is not connected, or not to each of them.
   * A command sent while this holds a value reaches that very process or fails: nothing is queued
   * across a reconnect, so an answer can never come from a server nobody has checked.
   */
  runId(): string | undefined
  /** A second connection to the same server, for commands that block. */
  duplicate(): Promise<RedisConnection>
  close(): Promise<void>
}

export interface RedisOptions {
  /** `redis://` or `rediss://`; several separated by commas are nodes of one cluster, from which the others are found. */
  readonly url: string
  /** Called for every connection error; without a listener an error would end the process. */
  readonly onError?: (error: Error) => void
  /** Milliseconds until a command without an answer fails. Its outcome is then unknown. 0: never. */
  readonly commandTimeoutMs?: number
}

/** Connects, waits until the server (or every master of the cluster) answers, and throws where one can not be reached. */
export async function connectRedis(options: RedisOptions): Promise<RedisConnection> {
  const { onError = () => undefined, commandTimeoutMs = 2000 } = options
  const urls = options.url.split(',').map((url) => url.trim())
  const timeout = commandTimeoutMs > 0 ? { commandTimeout: commandTimeoutMs } : {}
  const { commands, runId } =
    urls.length > 1
      ? await connectCluster(urls, timeout, onError)
      : await connectServer(options.url, timeout, onError)
  return {
    commands,
    runId,
    duplicate: () => connectRedis({ ...options, onError, commandTimeoutMs: 0 }),
    close: async () => {
      // QUIT lets answers already under way arrive; a server that is gone needs no farewell.
      await commands.quit().catch(() => commands.disconnect())
    },
  }
}

/** RESP2: replies of commands sent by name keep the shapes Redis documents for them. */
const PROTOCOL = { protocol: 2, enableAutoPipelining: false } as const
/** A command cut off by a lost connection has an unknown outcome: whoever sent it decides, not the client. */
const SENT_ONCE = {
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
} as const
const backoff = (attempt: number) =>
  Math.min(50 * 2 ** Math.min(attempt, 5), 1000) * (0.5 + Math.random() / 2)

interface Timeout {
  readonly commandTimeout?: number
}
type OnError = (error: Error) => void

async function connectServer(url: string, timeout: Timeout, onError: OnError) {
  const commands = new Redis(url, {
    ...PROTOCOL,
    ...SENT_ONCE,
    ...timeout,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: backoff,
  })
  commands.on('error', onError)
  let runId: string | undefined
  commands.on('close', () => (runId = undefined))
  commands.on('ready', () => void readRunId(commands).then((id) => (runId = id), onError))
  await connect(commands)
  runId = await readRunId(commands)
  return { commands, runId: () => (commands.status === 'ready' ? runId : undefined) }
}

async function connectCluster(urls: readonly string[], timeout: Timeout, onError: OnError) {
  const { username, password, protocol } = new URL(urls[0] ?? '')
  const commands = new Cluster([...urls], {
    ...PROTOCOL,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: backoff,
    slotsRefreshInterval: 1000,
    // MOVED and ASK are followed: such a command has not run. Nothing else is sent a second time.
    ...{ retryDelayOnFailover: 0, retryDelayOnClusterDown: 0, retryDelayOnTryAgain: 0 },
    redisOptions: {
      ...PROTOCOL,
      ...SENT_ONCE,
      ...timeout,
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(protocol === 'rediss:' ? { tls: {} } : {}),
    },
  })
  commands.on('error', onError)
  commands.on('node error', onError)
  const runIds = new Map<string, string>()
  let runId: string | undefined
  // By who should serve each slot: a master that is gone is missed, not forgotten.
  const combine = () => {
    const masters = new Set(Array.from({ length: 16_384 }, (_, slot) => commands.slots[slot]?.[0] ?? ''))
    const ids = [...masters].map((master) => runIds.get(master))
    runId = ids.every((id) => id !== undefined) ? ids.sort().join('.') : undefined
  }
  const nameOf = ({ options }: Redis) => `${options.host}:${options.port}`
  const forget = (node: Redis) => {
    runIds.delete(nameOf(node))
    combine()
  }
  const learn = async (node: Redis) => {
    runIds.set(nameOf(node), await readRunId(node))
    combine()
  }
  commands.on('-node', forget)
  commands.on('+node', (node: Redis) => {
    node.on('close', () => forget(node))
    node.on('ready', () => void learn(node).catch(onError))
  })
  await connect(commands)
  // Connections are made when they are first used: a master that came back is asked who it is now.
  const learnMissing = () => {
    if (commands.status === 'ready')
      for (const node of commands.nodes('master'))
        if (!runIds.has(nameOf(node))) void learn(node).catch(onError)
    combine()
  }
  commands.on('refresh', learnMissing)
  commands.on('ready', learnMissing)
  await Promise.all(commands.nodes('master').map(learn))
  return { commands, runId: () => (commands.status === 'ready' ? runId : undefined) }
}

/** Throws where nobody answers; the client would otherwise go on reconnecting although nobody holds it. */
async function connect(client: Redis | Cluster): Promise<void> {
  await client.connect().catch((error: unknown) => {
    client.disconnect()
    throw error
  })
}

async function readRunId(commands: RedisCommands): Promise<string> {
  const info = await commands.info('server')
  const id = /^run_id:(\w+)/m.exec(info)?.[1]
  if (id === undefined) throw new Error('Redis does not tell its run_id (INFO server); the fence needs it')
  return id
}

/** A setting without which a restart could forget a claim or evict stock, and what it should be. */
export interface UnsafeSetting {
  readonly setting: string
  readonly found: string
  readonly wanted: string
  readonly why: string
}

const WANTED: readonly Omit<UnsafeSetting, 'found'>[] = [
  {
    setting: 'maxmemory-policy',
    wanted: 'noeviction',
    why: 'any other policy may throw stock and holds away when memory runs short',
  },
  { setting: 'appendonly', wanted: 'yes', why: 'without the append-only file a restart forgets every claim' },
  {
    setting: 'appendfsync',
    wanted: 'always',
    why: 'otherwise a crash may lose claims that buyers were already told about, and sell their units again',
  },
]

/** The persistence settings (design, section 2) on which selling would not be safe; empty when all is well. */
export async function unsafeSettings(commands: RedisCommands): Promise<UnsafeSetting[]> {
  const unsafe: UnsafeSetting[] = []
  for (const server of commands instanceof Cluster ? commands.nodes('master') : [commands])
    for (const want of WANTED) {
      const reply = (await server.config('GET', want.setting).catch(() => [])) as string[]
      const found = reply[1] ?? 'unreadable'
      if (found !== want.wanted) unsafe.push({ ...want, found })
    }
  return unsafe
}
