import { Redis } from 'ioredis'
import { backoff, connect, credentials, nodeOptions, type OnError, readRunId } from './redis-client.ts'
import { refuseInSilence } from './redis-silence.ts'

/** Attempts to find a sentinel before the first connection is given up; later ones never are. */
const FIRST_ATTEMPTS = 5

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
  const commands = isSentinel(url) ? new Redis({ ...sentinelsOf(url), ...options }) : new Redis(url, options)
  commands.on('error', onError)
  let runId: string | undefined
  const silent = commandTimeoutMs > 0 ? refuseInSilence(commands) : () => false
  commands.on('close', () => (runId = undefined))
  commands.on('ready', () => void readRunId(commands).then((id) => (runId = id), onError))
  await connect(commands)
  runId = await readRunId(commands)
  connected = true
  return { commands, runId: () => (commands.status === 'ready' && !silent() ? runId : undefined) }
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
