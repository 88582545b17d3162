import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/platform/clock.ts'
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts'
import { freePort, startTestRedis, type TestRedis } from './redis.ts'

export const REPLICATED_PASSWORD = 'redis-password/of tests'
const SENTINEL_PASSWORD = 'sentinel-password'
const NAME = 'shop'

/** A real master with one replica, and three sentinels that watch them; everything behind passwords. */
export interface TestReplicas {
  /** As the project takes it. */
  readonly url: string
  readonly master: TestRedis
  readonly replica: TestRedis
  /** A connection to one of the servers, whatever its role. */
  direct(server: TestRedis): Promise<RedisConnection>
  stop(): Promise<void>
}

export async function startTestReplicas(
  options: { sentinels?: number; settings?: Readonly<Record<string, string>> } = {},
): Promise<TestReplicas> {
  const { sentinels = 3, settings = {} } = options
  const common = { requirepass: REPLICATED_PASSWORD, masterauth: REPLICATED_PASSWORD, ...settings }
  const start = (more: Record<string, string>) =>
    startTestRedis({ appendfsync: 'always', settings: async () => ({ ...common, ...more }) })
  const master = await start({})
  const replica = await start({ replicaof: `127.0.0.1 ${master.port}`, 'repl-diskless-sync-delay': '0' })
  const direct = ({ port }: TestRedis) =>
    connectRedis({ url: `redis://:${encodeURIComponent(REPLICATED_PASSWORD)}@127.0.0.1:${port}` })
  const dir = await mkdtemp(join(tmpdir(), 'doorbuster-sentinel-'))
  const watchers = await Promise.all(
    Array.from({ length: sentinels }, (_, n) => startSentinel(join(dir, `${n}.conf`), master.port)),
  )
  await whole(await direct(master), replica)
  const hosts = watchers.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return {
    url: `redis+sentinel://:${encodeURIComponent(REPLICATED_PASSWORD)}@${hosts}/${NAME}?sentinel_password=${SENTINEL_PASSWORD}`,
    master,
    replica,
    direct,
    stop: async () => {
      for (const { child } of watchers) child.kill('SIGKILL')
      await Promise.all([master.stop(), replica.stop()])
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Until the replica has everything and goes on getting it. */
async function whole(connection: RedisConnection, replica: TestRedis): Promise<void> {
  const online = new RegExp(`port=${replica.port},state=online`)
  const deadline = performance.now() + 20_000
  while (!online.test(await connection.commands.info('replication'))) {
    if (performance.now() > deadline) throw new Error('the replica did not get its data within 20 s')
    await systemClock.sleep(20)
  }
  await connection.close()
}

async function startSentinel(file: string, master: number): Promise<{ port: number; child: ChildProcess }> {
  const port = await freePort()
  await writeFile(
    file,
    [
      ...[`port ${port}`, 'bind 127.0.0.1', `requirepass ${SENTINEL_PASSWORD}`],
      ...[`sentinel sentinel-pass ${SENTINEL_PASSWORD}`, `sentinel monitor ${NAME} 127.0.0.1 ${master} 2`],
      `sentinel auth-pass ${NAME} "${REPLICATED_PASSWORD}"`,
      ...[`sentinel down-after-milliseconds ${NAME} 3000`, `sentinel failover-timeout ${NAME} 6000`],
    ].join('\n'),
  )
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  child.once('exit', () => process.off('exit', killWithUs))
  for (let output = ''; !output.includes('+monitor');) {
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    output += chunk.toString()
  }
  child.stdout.resume()
  return { port, child }
}
