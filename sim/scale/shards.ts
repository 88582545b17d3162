import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Env, environment } from '../../src/platform/config.ts'
import { SettingError } from '../../src/platform/errors.ts'
import { migrate, withClient } from '../../src/platform/migrate.ts'
import { freePorts } from '../../src/platform/servers/ports.ts'
import { projectPath } from '../../src/platform/project.ts'
import { signalProcess } from '../../src/platform/servers/os-process.ts'
import { type PostgresServer, startPostgres } from '../../src/platform/servers/postgres.ts'
import { startRedis } from '../../src/platform/servers/redis.ts'
import { BUYER_TABLES, LOGICAL_SHARDS } from '../../src/platform/shards/logical.ts'
import { isMoving } from '../../src/platform/shards/registry.ts'
import { now, sleep } from '../clock.ts'
import type { Target } from '../target.ts'
import type { ScaleOptions } from './options.ts'
import type { Finding, ScaleResult } from './report.ts'
import { type Do, rushWhile } from './rush.ts'
import type { ScaleParts } from './scale.ts'
import { openFolder, removeFolder, startSystem, type System } from './system.ts'

const FIRST_SERVERS = 3
const WAIT_MS = 60_000
/** A buyer whose logical shard is on its way waits no longer than that. */
const FENCE_MS = 2000

/** A line of `shards balance`. */
interface MovedLine {
  readonly rows: number
  readonly fence_ms: number
}

/**
 * Three PostgreSQL servers. While a crowd buys and pays, a fourth is added, all processes are restarted with its address, and
 * a quarter of the logical shards moves to it; the command that moves them is killed once on the way. Then the auditor looks.
 */
export async function scaleShards(options: ScaleOptions, { say, signal }: ScaleParts): Promise<ScaleResult> {
  const dataDir = await openFolder('shards')
  const servers: PostgresServer[] = []
  const killServers = () => servers.forEach(({ pid }) => signalProcess(pid, 'SIGQUIT'))
  process.once('exit', killServers)
  const add = async () => {
    const number = servers.length
    const started = await startPostgres({
      dir: join(dataDir, `postgres-${number}`),
      databases: ['doorbuster'],
    })
    servers.push(started)
    return started.urls[0] ?? ''
  }
  let redis: { url: string; stop(): Promise<void> } | undefined
  let system: System | undefined
  try {
    say(`Starting ${FIRST_SERVERS} PostgreSQL servers and the system in ${dataDir}`)
    const urls: string[] = []
    while (urls.length < FIRST_SERVERS) urls.push(await add())
    const started = await startRedis({ dir: join(dataDir, 'redis-beside') })
    redis = { url: started.url, stop: () => started.stop() }
    const port = await freePorts(3)
    const start = async () => {
      const env: Env = { REDIS_URL: started.url, DATABASE_URLS: urls.join() }
      system = await startSystem('embedded', dataDir, env, port)
      return system
    }
    await start()
    const restart = async () => {
      await system?.stop()
      await start()
    }
    const current = () => system as System
    const target: Target = {
      ...current().target,
      get run() {
        return current().target.run
      },
      // A moment without any process is part of it.
      stillRuns: () => true,
    }
    return await run(options, { say, signal }, { dataDir, target, urls, add, restart })
  } finally {
    await system?.stop()
    await redis?.stop()
    await Promise.all(servers.map((server) => server.stop()))
    process.removeListener('exit', killServers)
    if (options.keep) say(`Data and logs are kept in ${dataDir}`)
    else await removeFolder(dataDir)
  }
}

interface Stage {
  readonly dataDir: string
  readonly target: Target
  readonly urls: string[]
  /** Starts one more server, empty; answers its URL. */
  readonly add: () => Promise<string>
  readonly restart: () => Promise<void>
}

async function run(
  options: ScaleOptions,
  { say, signal }: ScaleParts,
  { dataDir, target, urls, add, restart }: Stage,
): Promise<ScaleResult> {
  const findings: Finding[] = []
  const moved: MovedLine[] = []
  const balance = (killAfter?: number) => runBalance(dataDir, urls, moved, killAfter)
  const meanwhile = async (step: Do) => {
    await step('people buy', () => sleep(options.seconds * 150))
    await step('a fourth server starts', async () => {
      const url = await add()
      await migrate([url])
      urls.push(url)
    })
    await step('every process is restarted with its address', restart)
    await step('its share moves to it, until the command is killed', () => balance(5))
    await step('the cleanup worker finishes what the command had begun', async () => {
      const deadline = now() + WAIT_MS
      while (await withClient(urls[0] ?? '', isMoving)) {
        if (signal.aborted) throw new SettingError('Stopped before it was done')
        if (now() > deadline) throw new Error(`still on their way after ${WAIT_MS / 1000} s`)
        await sleep(100)
      }
    })
    await step('the rest of its share moves to it', () => balance())
  }
  const { steps, evidence, verdicts } = await rushWhile(target, options, say, meanwhile, signal)
  const balancing = steps.slice(-3).map(({ orders }) => orders)
  const fences = moved.map(({ fence_ms }) => fence_ms).sort((one, other) => one - other)
  const worst = fences.at(-1) ?? NaN
  findings.push(
    await held(urls),
    {
      name: 'sold_meanwhile',
      ok: balancing.reduce((sum, orders) => sum + orders, 0) > 0,
      saw: `${balancing.join(', ')} of ${evidence.orders.length} orders reached SQL while logical shards moved`,
    },
    {
      name: 'short_fence',
      ok: worst <= FENCE_MS,
      saw: `${moved.length} logical shards with ${moved.reduce((sum, { rows }) => sum + rows, 0)} rows; fenced for ${fences[Math.floor(fences.length / 2)]} ms (median), ${worst} ms (worst)`,
    },
  )
  return { steps, findings, verdicts }
}

/** The command as an operator gives it, in a process of its own; killed after so many logical shards. */
async function runBalance(
  dataDir: string,
  urls: readonly string[],
  moved: MovedLine[],
  killAfter = Infinity,
): Promise<void> {
  const args = ['shards', 'balance', '--reason', 'a fourth server (scale)', '--data-dir', dataDir]
  const child = spawn(process.execPath, [projectPath('src/doorbuster.ts'), ...args], {
    env: { ...environment(), DATABASE_URLS: urls.join() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  let count = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [, rows, fence] = /-> \d+, (\d+) rows, fenced for ([\d.]+) ms$/.exec(line) ?? []
    if (rows === undefined) continue
    moved.push({ rows: Number(rows), fence_ms: Number(fence) })
    count += 1
    if (count === killAfter) child.kill('SIGKILL')
  }
  const code = await exit
  if (code !== 0 && count < killAfter) throw new Error(`shards balance ended with ${code}: ${said}`)
}

/** Each logical shard on one server, in equal shares, with its rows and no others, and nothing under way. */
async function held(urls: readonly string[]): Promise<Finding> {
  const all: number[][] = []
  let astray = 0
  let waiting = 0
  for (const url of urls)
    await withClient(url, async (sql) => {
      const shards = await sql.query<{ logical: number }>('select logical from held_shards')
      all.push(shards.rows.map(({ logical }) => logical))
      for (const table of BUYER_TABLES)
        astray +=
          (
            await sql.query(
              `select from ${table} where logical_shard(user_id) not in (select logical from held_shards)`,
            )
          ).rowCount ?? 0
      for (const table of ['arriving_rows', 'arriving_shards', 'leaving_users'])
        waiting += (await sql.query(`select from ${table}`)).rowCount ?? 0
    })
  const shares = all.map(({ length }) => length)
  const once = new Set(all.flat()).size === LOGICAL_SHARDS && all.flat().length === LOGICAL_SHARDS
  const even = Math.max(...shares) - Math.min(...shares) <= 1
  return {
    name: 'each_on_one_server',
    ok: once && even && astray === 0 && waiting === 0,
    saw: `${shares.join(', ')} logical shards on ${urls.length} servers, ${astray} rows astray, ${waiting} left under way`,
  }
}
