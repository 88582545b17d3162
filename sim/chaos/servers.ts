import { join } from 'node:path'
import { freePort } from '../../src/platform/servers/ports.ts'
import { projectPath } from '../../src/platform/project.ts'
import { startKafka } from '../../src/platform/servers/kafka.ts'
import { startPostgres } from '../../src/platform/servers/postgres.ts'
import { startRedis } from '../../src/platform/servers/redis.ts'
import { isRunning } from '../../src/platform/servers/os-process.ts'
import { freezeFamily, killFamily, thawFamily } from './processes.ts'

/** A server the runner owns, so that it can end it, harm its files and start it again on the same port. */
export interface Server {
  readonly name: string
  readonly port: number
  /** Folder of its data. */
  readonly dir: string
  readonly pid: number
  running(): boolean
  /** Starts it on its old data; returns when it answers. */
  start(): Promise<void>
  /** True once it is gone, with everything it had started. */
  kill(): Promise<boolean>
  /** Answers how many of its processes stand still. */
  freeze(): Promise<number>
  thaw(): void
  stop(): Promise<void>
}

interface Launched {
  readonly pid: number
  stop(): Promise<void>
}

async function own(
  name: string,
  dir: string,
  port: number,
  launch: () => Promise<Launched>,
): Promise<Server> {
  let launched = await launch()
  return {
    name,
    port,
    dir,
    get pid() {
      return launched.pid
    },
    running: () => isRunning(launched.pid),
    start: async () => {
      if (!isRunning(launched.pid)) launched = await launch()
    },
    kill: () => killFamily(launched.pid),
    freeze: () => freezeFamily(launched.pid),
    thaw: () => thawFamily(launched.pid),
    stop: async () => {
      thawFamily(launched.pid)
      await launched.stop()
    },
  }
}

export async function ownRedis(dataDir: string, name = 'redis'): Promise<Server> {
  const [dir, port] = [join(dataDir, name), await freePort()]
  return own(name, dir, port, () => startRedis({ dir, port }))
}

/** The server of one shard. `url`: with user and password, at the server itself. */
export async function ownPostgres(
  dataDir: string,
  shard: number,
): Promise<{ server: Server; url: (port: number) => string }> {
  const [dir, port] = [join(dataDir, `postgres-${shard}`), await freePort()]
  let direct = ''
  const server = await own(`postgres-${shard}`, dir, port, async () => {
    const started = await startPostgres({ dir, port, databases: [`doorbuster_${shard}`] })
    direct = started.urls[0] ?? ''
    return started
  })
  const url = (at: number) => {
    const changed = new URL(direct)
    changed.port = String(at)
    return changed.href
  }
  return { server, url }
}

/** `advertised`: the port it tells its clients to connect to, a proxy's. */
export async function ownKafka(dataDir: string, advertised: (port: number) => Promise<number>) {
  const port = await freePort()
  const advertisedPort = await advertised(port)
  const jarsDir = projectPath('.data/kafka/libs')
  return own('kafka', join(dataDir, 'kafka'), port, async () => {
    const { nodes } = await startKafka({ dataDir, port, advertisedPort, jarsDir })
    return nodes[0]
  })
}
