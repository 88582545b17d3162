import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Env, environment } from '../../src/platform/config.ts'
import { type Child, keepRunning } from '../../src/platform/servers/child.ts'
import { readRunFile, type RunFile } from '../../src/platform/servers/data-dir.ts'
import { freePort, freePorts, startOnFreePorts } from '../../src/platform/servers/ports.ts'
import { supervise } from '../../src/platform/servers/supervisor.ts'
import { randomOf } from '../random.ts'
import { findTarget, type Target } from '../target.ts'
import { killNow } from './processes.ts'
import { type Proxy, startProxy } from './proxy.ts'
import { ownKafka, ownPostgres, ownRedis, type Server } from './servers.ts'

export type Role = 'web' | 'order-worker' | 'cleanup' | 'relay' | 'sandbox'
export type Road = 'web' | 'redis' | 'postgres-0' | 'postgres-1' | 'kafka' | 'provider'

/** The real system, its servers in our hands and a proxy on every road between its parts. */
export interface World {
  readonly profile: 'embedded' | 'full'
  readonly dataDir: string
  /** For the auditor: past the proxies, at the servers themselves. The crowd goes to `target.port`, a proxy. */
  readonly target: Target
  readonly redis: Server
  readonly postgres: readonly Server[]
  readonly kafka: Server | undefined
  proxy(road: Road): Proxy
  /** Of the process that has this role now; undefined between its end and its next start. */
  pid(role: Role): number | undefined
  /** Starts one more process of a role, named `<role>-other`, with settings of its own. */
  other(role: Role, env?: Env): Child
  /** Of the further process of this role. */
  otherPid(role: Role): number | undefined
  /** Port where another web process may listen. */
  readonly otherWebPort: number
  readonly webPort: number
  /** To the sandbox itself. */
  sandbox(path: string, init?: RequestInit): Promise<Response>
  /** What the supervisor has said so far. */
  readonly said: readonly string[]
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly profile: 'embedded' | 'full'
  readonly dataDir: string
  readonly seed: number
  /** Folder of the system under test: this project, or a copy of it with a bug planted. */
  readonly root: string
}

export function startWorld({ profile, dataDir, seed, root }: WorldOptions): Promise<World> {
  return startOnFreePorts(async () => {
    const closing: (() => Promise<unknown>)[] = []
    try {
      return await start({ profile, dataDir: resolve(dataDir), seed, root }, closing)
    } catch (error) {
      for (const close of closing.toReversed()) await close()
      throw error
    }
  })
}

async function start(options: WorldOptions, closing: (() => Promise<unknown>)[]): Promise<World> {
  const { profile, dataDir, seed, root } = options
  await mkdir(join(dataDir, 'logs'), { recursive: true })
  const proxies = new Map<Road, Proxy>()
  const put = async (road: Road, upstream: number) => {
    const proxy = await startProxy({ upstreams: [upstream], random: randomOf(seed, 'proxy', road) })
    proxies.set(road, proxy)
    closing.push(() => proxy.close())
    return proxy.port
  }
  const owned = <S extends Server>(server: S): S => {
    // Ended by an error of our own, or by a second Ctrl-C: nothing is left behind.
    const kill = () => killNow(server.pid)
    process.once('exit', kill)
    closing.push(async () => {
      await server.stop()
      process.removeListener('exit', kill)
    })
    return server
  }
  const redis = owned(await ownRedis(dataDir))
  const databases = await Promise.all([0, 1].map((shard) => ownPostgres(dataDir, shard)))
  const postgres = databases.map(({ server }) => owned(server))
  const kafka = profile === 'full' ? owned(await ownKafka(dataDir, (port) => put('kafka', port))) : undefined

  const [webPort, otherWebPort] = [await freePorts(4), await freePort()]
  const front = await put('web', webPort)
  const urls = await Promise.all(
    databases.map(async ({ server, url }, shard) => {
      const road = shard === 0 ? 'postgres-0' : 'postgres-1'
      return { direct: url(server.port), through: url(await put(road, server.port)) }
    }),
  )
  const env: Env = {
    ...environment(),
    LOG_LEVEL: 'info',
    SHOP_URL: `http://shop.localhost:${front}`,
    QUEUE_URL: `http://queue.localhost:${front}`,
    OPS_URL: `http://ops.localhost:${front}`,
    REDIS_URL: `redis://127.0.0.1:${await put('redis', redis.port)}`,
    DATABASE_URLS: urls.map(({ through }) => through).join(),
    KAFKA_BROKERS: kafka === undefined ? '' : `127.0.0.1:${proxies.get('kafka')?.port}`,
    STRIPE_API_URL: '',
    SANDBOX_URL: `http://127.0.0.1:${await put('provider', webPort + 1)}`,
    SANDBOX_WEBHOOK_URL: `http://127.0.0.1:${front}/webhooks/stripe`,
    SANDBOX_PAYPAL_WEBHOOK_URL: `http://127.0.0.1:${front}/webhooks/paypal`,
  }

  const said: string[] = []
  const stopping = new AbortController()
  const processFile = (role: string) => join(root, 'src/processes', `${role}.ts`)
  const ready = Promise.withResolvers<Env>()
  const running = supervise(
    {
      ...{ profile, port: webPort, dataDir, fresh: false, env, processFile },
      print: (line) => said.push(line),
      onReady: async (_run, made) => {
        ready.resolve(made)
        return undefined
      },
    },
    stopping.signal,
  )
  running.catch((error: unknown) => ready.reject(error))
  closing.push(async () => {
    stopping.abort()
    await running.catch(() => undefined)
  })
  const childEnv = await ready.promise

  const found = await findTarget(dataDir)
  const sandboxUrl = `http://127.0.0.1:${webPort + 1}`
  const run: RunFile = {
    ...found.run,
    redis_url: `redis://127.0.0.1:${redis.port}`,
    database_urls: urls.map(({ direct }) => direct),
    kafka_brokers: kafka === undefined ? [] : [`127.0.0.1:${kafka.port}`],
    urls: { ...found.run.urls, stripe_sandbox: sandboxUrl, paypal_sandbox: `${sandboxUrl}/paypal` },
  }
  const others: Child[] = []
  closing.push(() => Promise.all(others.map((child) => child.stop(1000))))
  const nameOf = (role: Role) => `${role}-other`
  return {
    ...{ profile, dataDir, redis, postgres, kafka, webPort, otherWebPort, said },
    target: { ...found, run, port: front },
    proxy: (road) => {
      const proxy = proxies.get(road)
      if (proxy === undefined) throw new Error(`no road to ${road} in the ${profile} profile`)
      return proxy
    },
    pid: (role) => readRunFile(dataDir)?.processes[role],
    otherPid: (role) => others.findLast(({ name }) => name === nameOf(role))?.pid(),
    other: (role, more = {}) => {
      const name = nameOf(role)
      const child = keepRunning({
        ...{ name, file: processFile(role), dataDir, env: { ...childEnv, WORKER_NAME: name, ...more } },
        print: (line) => said.push(line),
        onStart: () => undefined,
        onBadSetting: (message) => said.push(message),
      })
      others.push(child)
      return child
    },
    sandbox: (path, init = {}) =>
      fetch(`${sandboxUrl}${path}`, { ...init, signal: AbortSignal.timeout(5000) }),
    stop: async () => {
      for (const close of closing.splice(0).reverse()) await close()
    },
  }
}
