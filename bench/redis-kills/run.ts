import { spawn } from 'node:child_process'
import { createApp } from '../../src/app.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { environment, readConfig } from '../../src/platform/config.ts'
import { createLog } from '../../src/platform/telemetry.ts'
import { projectPath } from '../../src/platform/project.ts'
import { BY, saleOf, testEnv } from '../../test/support/flow.ts'
import { testDatabases } from '../../test/support/postgres.ts'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { audit, type Audit } from './audit.ts'
import type { LoadOptions, LoadReport } from './load.ts'

export interface KillsOptions {
  readonly kills: number
  readonly perSecond: number
  /** Units of each scarce item; a new one is begun when one is sold out. */
  readonly scarceUnits: number
  readonly progress?: (line: string) => void
}

export interface KillsReport extends Audit {
  readonly kills: number
  readonly asked: number
  readonly acknowledged: number
  readonly unknown: number
  readonly found: number
  readonly open: number
  /** From the moment Redis takes connections again to the first new yes, for each kill, in ms. */
  readonly selling_again_ms: {
    readonly median: number
    readonly max: number
    readonly all: readonly number[]
  }
}

const SCARCE_ITEMS = 20

/**
 * Kills Redis (`appendfsync always`) with SIGKILL again and again while buyers in another process claim, order worker and
 * cleanup in theirs; then compares every yes that was said with SQL and Redis.
 */
export async function runKills(options: KillsOptions): Promise<KillsReport> {
  const { kills, perSecond, scarceUnits, progress = () => undefined } = options
  const [server, databases] = await Promise.all([startTestRedis({ appendfsync: 'always' }), testDatabases(2)])
  const env = testEnv(server.url, databases.urls, 'http://127.0.0.1:1')
  const { config, secrets } = readConfig(env)
  const app = await createApp(config, secrets, { log: createLog('silent', 'bench') })
  const workers = ['cleanup', 'order-worker'].map((role) => startProcess(`src/processes/${role}.ts`, env))
  try {
    const plenty = 'plenty'
    const scarce = Array.from({ length: SCARCE_ITEMS }, (_, n) => `scarce-${n}`)
    const units = { plenty: 10_000_000, ...Object.fromEntries(scarce.map((id) => [id, scarceUnits])) }
    const sale = saleOf(plenty, units.plenty)
    const [product] = sale.products
    if (product === undefined) throw new Error('a sale of nothing')
    const more = scarce.map((id) => ({ ...product, id, name: id, units: scarceUnits }))
    await app.commands.createSale(BY, { ...sale, products: [product, ...more] })

    const lifted = () =>
      waitFor('the fence to be lifted', async () => {
        const run_id = app.redis.runId()
        const stock = await app.inventory.stock(plenty).catch(() => undefined)
        return run_id !== undefined && stock?.run_id === run_id
      })
    // A start before anybody looks: when its fence is lifted, the cleanup worker is there.
    await killAndRestart(server)
    await lifted()
    const load = startLoad({ redisUrl: server.url, perSecond, plenty, scarce }, env)
    const upAt: number[] = []
    const sells = async () => ((await app.inventory.stock(plenty).catch(() => undefined))?.seq ?? 0) > 0
    await waitFor('the first claim', sells)
    for (let kill = 1; kill <= kills; kill += 1) {
      await systemClock.sleep(400 + 800 * Math.random())
      await killAndRestart(server)
      upAt.push(systemClock.now())
      await lifted()
      progress(`kill ${kill}: fence lifted ${systemClock.now() - (upAt.at(-1) ?? 0)} ms after Redis was up`)
    }
    await systemClock.sleep(500)
    const report = await load.stop()
    await waitFor('SQL to have everything', async () => (await app.eventLog.backlog()) === 0)
    const { acknowledged, asked, unknown, found, open } = report
    const again = upAt.map(
      (up) => Math.min(...acknowledged.filter(({ at, fresh }) => fresh && at >= up).map(({ at }) => at)) - up,
    )
    const sorted = again.toSorted((a, b) => a - b)
    return {
      ...{ kills, asked, acknowledged: acknowledged.length, unknown, found, open },
      ...(await audit(app, units, acknowledged)),
      selling_again_ms: {
        median: sorted[Math.floor(sorted.length / 2)] ?? NaN,
        max: sorted.at(-1) ?? NaN,
        all: again,
      },
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
    await app.close()
    await Promise.all([server.stop(), databases.drop()])
  }
}

async function killAndRestart(server: TestRedis): Promise<void> {
  await server.kill9()
  await server.restart()
}

async function waitFor(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = systemClock.now() + 60_000; !(await condition()); await systemClock.sleep(5))
    if (systemClock.now() > deadline) throw new Error(`waited 60 s for ${what}`)
}

function startProcess(file: string, env: Readonly<Record<string, string>>, ...args: string[]) {
  const { PATH = '', HOME = '' } = environment()
  const child = spawn(process.execPath, [projectPath(file), ...args], {
    env: { PATH, HOME, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(output)))
  return {
    child,
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function startLoad(options: LoadOptions, env: Readonly<Record<string, string>>) {
  const { child, ended } = startProcess('bench/redis-kills/load.ts', env, JSON.stringify(options))
  return {
    stop: async (): Promise<LoadReport> => {
      child.stdin.end()
      return JSON.parse(await ended) as LoadReport
    },
  }
}
