import { dirname, join } from 'node:path'
import { systemClock } from '../clock.ts'
import type { Env } from '../config.ts'
import { SettingError } from '../errors.ts'
import { orAborted } from '../shutdown.ts'
import { kafkaPidFiles, startKafka } from './kafka.ts'
import { commandLine, readPidFile, signalProcess } from './os-process.ts'
import { postmasterPidFile, startPostgres } from './postgres.ts'
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
  /** Of the full profile; as many as the folder has data of when left out. */
  readonly kafkaNodes?: number
  readonly print: (line: string) => void
  readonly signal: AbortSignal
}

interface Server {
  readonly pids: readonly number[]
  stop(graceMs?: number): Promise<void>
}

type Started =
  | { readonly pid: number; stop(graceMs?: number): Promise<void> }
  | { readonly nodes: readonly { readonly pid: number }[]; stop(): Promise<void> }

const serverOf = (started: Started): Server => ({
  // Asked for anew: a broker that was started again has another.
  get pids() {
    return 'nodes' in started ? started.nodes.map(({ pid }) => pid) : [started.pid]
  },
  stop: (graceMs) => started.stop(graceMs),
})

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
  let starting: Starting | undefined
  /** Undefined when `signal` was aborted first; the server is then still on its way and `stop` sees to it. */
  const begin = async <T extends Started>(
    signal: AbortSignal,
    pidFiles: () => readonly string[],
    start: Promise<T>,
  ) => {
    const add = start.then(
      (server) => void running.push(serverOf(server)),
      () => undefined,
    )
    starting = { pidFiles, ended: add }
    const server = await orAborted(start, signal)
    if (server !== undefined) starting = undefined
    return server
  }
  return {
    start: async ({ dataDir, env, profile, kafkaNodes: nodes, print: log, signal }) => {
      requireStripeKeys(env)
      const redisDir = join(dataDir, 'redis')
      const redisUrl =
        env['REDIS_URL'] ||
        (await begin(signal, () => [join(redisDir, 'redis.pid')], startRedis({ dir: redisDir, log })))?.url
      if (redisUrl === undefined || signal.aborted) return undefined

      const dir = join(dataDir, 'postgres')
      const databaseUrls =
        commaList(env['DATABASE_URLS']) ??
        (
          await begin(
            signal,
            () => [postmasterPidFile(dir)],
            startPostgres({ dir, databases: DATABASES, log }),
          )
        )?.urls
      if (databaseUrls === undefined || signal.aborted) return undefined
      if (profile === 'embedded') return { redisUrl, databaseUrls, kafkaBrokers: [] }

      const kafkaBrokers =
        commaList(env['KAFKA_BROKERS']) ??
        (
          await begin(
            signal,
            () => kafkaPidFiles(dataDir).map(({ file }) => file),
            startKafka({ dataDir, log, ...(nodes === undefined ? {} : { nodes }) }),
          )
        )?.brokers
      return kafkaBrokers && { redisUrl, databaseUrls, kafkaBrokers }
    },
    pids: () => running.flatMap((server) => server.pids),
    stop: async (graceMs) => {
      if (starting !== undefined) await abandon(starting, graceMs)
      await Promise.all(running.splice(0).map((server) => stopWithin(server, graceMs)))
    },
  }
}

/** A server that is on its way up. */
interface Starting {
  readonly pidFiles: () => readonly string[]
  /** When it runs or has failed; never rejects. */
  readonly ended: Promise<void>
}

/** Nobody uses it yet, so it is killed; what it had written is found again by its next start. */
async function abandon({ pidFiles, ended }: Starting, graceMs: number): Promise<void> {
  let done = false
  void ended.then(() => (done = true))
  const deadline = systemClock.now() + graceMs
  while (!done && systemClock.now() < deadline) {
    for (const pidFile of pidFiles()) {
      const pid = readPidFile(pidFile)
      if (pid !== undefined && commandLine(pid).includes(dirname(pidFile))) signalProcess(pid, 'SIGKILL')
    }
    await systemClock.sleep(50)
  }
}

async function stopWithin(server: Server, graceMs: number): Promise<void> {
  const stopped = server.stop(graceMs)
  const killAll = () => server.pids.forEach((pid) => signalProcess(pid, 'SIGKILL'))
  const kill = setTimeout(killAll, graceMs + 300)
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
