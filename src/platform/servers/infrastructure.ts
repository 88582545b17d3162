import { join } from 'node:path'
import type { Env } from '../config.ts'
import { SettingError } from '../errors.ts'
import { startKafka } from './kafka.ts'
import { signalProcess } from './os-process.ts'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'

export interface Addresses {
  readonly redisUrl: string
  readonly databaseUrls: readonly string[]
  readonly kafkaBrokers: readonly string[]
}

interface StartOptions {
  readonly dataDir: string
  /** REDIS_URL, DATABASE_URLS and KAFKA_BROKERS name servers of the operator's own; those are not started. */
  readonly env: Env
  readonly profile: 'embedded' | 'full'
  readonly print: (line: string) => void
  readonly signal: AbortSignal
}

interface Server {
  readonly pid: number
  stop(graceMs?: number): Promise<void>
}

/** Redis, PostgreSQL and, in the full profile, Kafka. */
export interface Servers {
  /** Undefined when `signal` was aborted on the way. */
  start(options: StartOptions): Promise<Addresses | undefined>
  /** Pids of those that run. */
  pids(): number[]
  /** Stops those that were started; at once, none needs another. One that takes longer than `graceMs` is killed. */
  stop(graceMs: number): Promise<void>
}

/** One database server with two databases by default, so that sharding is always exercised. */
const DATABASES = ['doorbuster_0', 'doorbuster_1']

export function createServers(): Servers {
  const running: Server[] = []
  const add = <T extends Server>(server: T): T => {
    running.push(server)
    return server
  }
  return {
    start: async ({ dataDir, env, profile, print, signal }) => {
      requireStripeKeys(env)
      const log = print
      const redisUrl = env['REDIS_URL'] || add(await startRedis({ dir: join(dataDir, 'redis'), log })).url
      if (signal.aborted) return undefined
      const databaseUrls =
        commaList(env['DATABASE_URLS']) ??
        add(await startPostgres({ dir: join(dataDir, 'postgres'), databases: DATABASES, log })).urls
      if (signal.aborted) return undefined
      if (profile === 'embedded') return { redisUrl, databaseUrls, kafkaBrokers: [] }
      const kafkaBrokers = commaList(env['KAFKA_BROKERS']) ?? add(await startKafka({ dataDir, log })).brokers
      return { redisUrl, databaseUrls, kafkaBrokers }
    },
    pids: () => running.map((server) => server.pid),
    stop: async (graceMs) => {
      await Promise.all(running.splice(0).map((server) => stopWithin(server, graceMs)))
    },
  }
}

async function stopWithin(server: Server, graceMs: number): Promise<void> {
  const stopped = server.stop(graceMs)
  const kill = setTimeout(() => signalProcess(server.pid, 'SIGKILL'), graceMs + 300)
  await stopped.finally(() => clearTimeout(kill))
}

/** The keys we make ourselves fit only the sandbox. */
function requireStripeKeys(env: Env): void {
  if (!env['STRIPE_API_URL']) return
  for (const name of ['STRIPE_SECRET_KEY', 'STRIPE_PUBLISHABLE_KEY', 'STRIPE_WEBHOOK_SECRET'])
    if (!env[name])
      throw new SettingError(`${name} is missing: STRIPE_API_URL needs the keys of your account`)
}

function commaList(value: string | undefined): string[] | undefined {
  const parts = (value ?? '').split(',').map((part) => part.trim())
  return parts[0] ? parts.filter(Boolean) : undefined
}
