import { Redis } from 'ioredis'

export { failureOf, type RedisFailure } from './redis-failure.ts'

/** The commands of a Redis server; the type the rest of the project names. */
export type RedisCommands = Redis

/** One connection to Redis, with what `flow/inventory` needs to fence itself off a changed server. */
export interface RedisConnection {
  readonly commands: RedisCommands
  /**
   * `run_id` of the server process this connection talks to, undefined while it is not connected.
   * A command sent while this holds a value reaches that very process or fails: nothing is queued
   * across a reconnect, so an answer can never come from a server nobody has checked.
   */
  runId(): string | undefined
  /** A second connection to the same server, for commands that block. */
  duplicate(): Promise<RedisConnection>
  close(): Promise<void>
}

export interface RedisOptions {
  readonly url: string
  /** Called for every connection error; without a listener an error would end the process. */
  readonly onError?: (error: Error) => void
  /** Milliseconds until a command without an answer fails. Its outcome is then unknown. 0: never. */
  readonly commandTimeoutMs?: number
}

/** Connects, waits until the server answers, and throws where it can not be reached. */
export async function connectRedis(options: RedisOptions): Promise<RedisConnection> {
  const { onError = () => undefined, commandTimeoutMs = 2000 } = options
  const commands = new Redis(options.url, {
    lazyConnect: true,
    // RESP2: replies of commands sent by name keep the shapes Redis documents for them.
    protocol: 2,
    enableOfflineQueue: false,
    // A command cut off by a lost connection has an unknown outcome: whoever sent it decides, not the client.
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1000) * (0.5 + Math.random() / 2),
    ...(commandTimeoutMs > 0 ? { commandTimeout: commandTimeoutMs } : {}),
  })
  commands.on('error', onError)
  let runId: string | undefined
  commands.on('close', () => (runId = undefined))
  commands.on('ready', () => void readRunId(commands).then((id) => (runId = id), onError))
  await commands.connect().catch((error: unknown) => {
    // Without this the client would go on reconnecting although nobody holds it.
    commands.disconnect()
    throw error
  })
  runId = await readRunId(commands)
  return {
    commands,
    runId: () => (commands.status === 'ready' ? runId : undefined),
    duplicate: () => connectRedis({ ...options, onError, commandTimeoutMs: 0 }),
    close: async () => {
      // QUIT lets answers already under way arrive; a server that is gone needs no farewell.
      await commands.quit().catch(() => commands.disconnect())
    },
  }
}

async function readRunId(commands: Redis): Promise<string> {
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
  for (const want of WANTED) {
    const reply = (await commands.config('GET', want.setting).catch(() => [])) as string[]
    const found = reply[1] ?? 'unreadable'
    if (found !== want.wanted) unsafe.push({ ...want, found })
  }
  return unsafe
}
