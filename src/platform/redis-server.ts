import { Redis, type SentinelConnectionOptions, SentinelConnector } from 'ioredis'
import { systemClock } from './clock.ts'
import { backoff, connect, credentials, nodeOptions, type OnError, readRunId } from './redis-client.ts'
import { refuseInSilence } from './redis-silence.ts'

/** Attempts to find a sentinel before the first connection is given up; later ones never are. */
const FIRST_ATTEMPTS = 5
/** Before a server is asked again who it is. */
const AGAIN_MS = 100

export const isSentinel = (url: string) => url.includes('+sentinel://')

/** One server, or the master that sentinels name. */
export async function connectServer(url: string, commandTimeoutMs: number, onError: OnError) {
  let connected = false
  const options = {
    ...nodeOptions(commandTimeoutMs),
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: backoff,
    sentinelRetryStrategy: (attempt: number) =>
      connected || attempt < FIRST_ATTEMPTS ? backoff(attempt) : null,
  }
  const commands = isSentinel(url)
    ? new Redis({ ...sentinelsOf(url), ...options, Connector: OneConnectionEach })
    : new Redis(url, options)
  commands.on('error', onError)
  let runId: string | undefined
  const silent = commandTimeoutMs > 0 ? refuseInSilence(commands) : () => false
  commands.on('close', () => (runId = undefined))
  const learn = async (): Promise<void> => {
    try {
      runId = await readRunId(commands)
    } catch (error) {
      onError(error as Error)
      // A server that was late is asked again: this connection may stand for ever.
      await systemClock.sleep(AGAIN_MS)
      if (commands.status === 'ready' && runId === undefined) await learn()
    }
  }
  commands.on('ready', () => void learn())
  await connect(commands)
  runId = await readRunId(commands)
  connected = true
  return { commands, runId: () => (commands.status === 'ready' && !silent() ? runId : undefined) }
}

/** A part of the client that it does not show. */
interface Inside {
  readonly failoverDetector: { readonly isDisconnected: boolean; cleanup(): void } | null
}

/**
 * What listens for a failover ends with the connection it was made for. The client's own goes on: told of a new master while
 * it looks for one, it gives up for good (ioredis 6.0.0: `Connection is closed`, and no attempt after it).
 */
class OneConnectionEach extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions)
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>) {
    const stream = await super.connect(...args)
    stream.once('close', () => {
      const { failoverDetector: listening } = this as unknown as Inside
      if (listening?.isDisconnected === false) listening.cleanup()
    })
    return stream
  }
}

/**
 * `redis+sentinel://[user:password@]host:port,host:port/name[?sentinel_password=...&sentinel_username=...]`; the credentials
 * in front are those of the Redis servers. With `rediss` both speak TLS.
 */
export function sentinelsOf(text: string) {
  const [, scheme = '', user = '', hosts = '', rest = ''] =
    /^(rediss?)\+sentinel:\/\/([^@/]*@)?([^/?@]+)(\/.*)$/.exec(text) ?? []
  const url = new URL(`redis://${user}sentinel${rest}`)
  const tls = scheme === 'rediss'
  const [username, password] = ['username', 'password'].map((what) =>
    url.searchParams.get(`sentinel_${what}`),
  )
  return {
    name: decodeURIComponent(url.pathname.slice(1)),
    sentinels: hosts.split(',').map((host) => {
      const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(host.trim()) ?? []
      return { host: name.replace(/^\[|\]$/g, ''), port: Number(port ?? 26_379) }
    }),
    ...credentials(url),
    ...(username ? { sentinelUsername: username } : {}),
    ...(password ? { sentinelPassword: password } : {}),
    ...(tls ? { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    // Told of a new master by a sentinel, we leave the old one even if that one does not know yet.
    failoverDetector: true,
  }
}
