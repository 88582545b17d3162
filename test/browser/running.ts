import { afterAll, afterEach, beforeAll, describe } from 'bun:test'
import { spawn } from 'node:child_process'
import type { Page } from 'playwright-core'
import type { LedgerEntry } from '../../src/sandbox/ledger.ts'
import { connectRunning, type OperatorClient } from '../../src/operator/client.ts'
import { type Env, environment } from '../../src/platform/config.ts'
import { projectPath } from '../../src/platform/project.ts'
import { readRunFile, readSecrets, type RunFile } from '../../src/platform/servers/data-dir.ts'
import { openFolder, portPair, removeFolder, until } from '../setup/started.ts'
import { shows } from './page.ts'
import { openBrowser, skipLoudly, type WatchedBrowser } from './watched.ts'

/** The real system under a real browser. */
export interface Running extends Omit<WatchedBrowser, 'close'> {
  readonly urls: RunFile['urls']
  readonly operator: OperatorClient
  /** People let in per second, from now on. */
  setRate(sale: string, rate: number): Promise<void>
  /** Somebody else takes a place in line. */
  join(sale: string): Promise<void>
  /** A command of the operator that `operator` does not have. */
  operate(method: 'POST' | 'PUT', path: string, body: object): Promise<void>
  readonly dataDir: string
  /** Throws what was complained about and not told yet by `settle`. */
  stop(): Promise<void>
}

/**
 * A group of browser tests with a system of their own, which `tests` may use inside its tests. A test fails when a page
 * of it broke its security policy or left an error uncaught. Left out, loudly, where there is no browser.
 */
export function inBrowser(
  what: string,
  tests: (system: Running) => void,
  opensInS = 3,
  flags: readonly string[] = [],
  settings: Env = {},
): void {
  const system = {} as Running
  describe.skipIf(skipLoudly())(what, () => {
    beforeAll(async () => {
      Object.assign(system, await startRunning(opensInS, flags, settings))
    }, 90_000)
    afterEach(() => system.settle(), 15_000)
    afterAll(() => system.stop(), 15_000)
    tests(system)
  })
}

/** `flags`: further ones of `npm start`; `settings`: of the environment. */
export async function startRunning(
  opensInS: number,
  flags: readonly string[] = [],
  settings: Env = {},
): Promise<Running> {
  const [dataDir, port] = [await openFolder(), await portPair()]
  const options = ['--port', String(port), '--data-dir', dataDir, '--opens-in', String(opensInS), ...flags]
  const system = spawn(process.execPath, [projectPath('src/doorbuster.ts'), 'start', ...options], {
    env: { ...environment(), ...settings },
  })
  let output = ''
  for (const stream of [system.stdout, system.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exit = new Promise<void>((resolve) => system.once('close', () => resolve()))
  const stopSystem = async () => {
    system.kill('SIGINT')
    await exit
    await removeFolder(dataDir)
  }

  let browser: WatchedBrowser
  try {
    await until(
      'the start screen',
      () => {
        if (system.exitCode !== null) throw new Error(`ended at start:\n${output}`)
        return output.includes('Ctrl-C stops')
      },
      60_000,
    )
    browser = await openBrowser()
  } catch (error) {
    await stopSystem()
    throw error
  }

  const run = readRunFile(dataDir)
  if (run === undefined) throw new Error('no run.json')
  const token = readSecrets(dataDir)['OPS_TOKEN'] ?? ''
  const call = async (origin: string, method: string, path: string, body: object) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        Host: new URL(origin).host,
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  }

  return {
    urls: run.urls,
    operator: connectRunning(dataDir),
    setRate: (sale, rate) =>
      call(run.urls.ops, 'PUT', `/api/operator/sales/${sale}/rate`, {
        rate_per_second: rate,
        reason: 'test',
      }),
    join: (sale) => call(run.urls.queue, 'POST', `/api/queue/${sale}/join`, { device: 'somebody' }),
    operate: (method, path, body) =>
      call(run.urls.ops, method, `/api/operator/${path}`, { reason: 'test', ...body }),
    dataDir,
    ...browser,
    stop: async () => {
      try {
        await browser.close()
      } finally {
        await stopSystem()
      }
    },
  }
}

const UNGUARDED = {
  ...{ proof_of_work: { on: false }, limits: { on: false } },
  ...{ risk: { on: false }, captcha: { on: false } },
}

/** A sale of lamps at €19.99, open at once and fast where nothing else is said. */
export function createSale(
  { operator }: Running,
  id: string,
  more: { units?: number; rate?: number } & Partial<Parameters<OperatorClient['createSale']>[0]> = {},
) {
  const { units = 10, rate = 1000, products, ...times } = more
  return operator.createSale({
    id,
    name: `Sale ${id}`,
    rate_per_second: rate,
    reason: 'test',
    // Others join here without a browser that could solve anything.
    guard: UNGUARDED,
    ...times,
    products: products ?? [{ id: `${id}-lamp`, name: 'Lamp', amount: 1999, currency: 'EUR', units }],
  })
}

/** Through the waiting room of an open sale, and one unit claimed. */
export async function claimIn({ urls }: Running, page: Page, sale: string): Promise<void> {
  await page.goto(`${urls.queue}/${sale}`)
  await page.locator('#claim-button').click()
  await shows(page, '#order-title', 'You have it')
}

/** A request to Stripe's sandbox by the owner of the account; JSON is for its controls under `/_sandbox/`. */
export async function atStripe({ urls, dataDir }: Running, method: string, path: string, json?: object) {
  const answer = await fetch(`${urls.stripe_sandbox ?? ''}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${readSecrets(dataDir)['STRIPE_SECRET_KEY'] ?? ''}`,
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as { readonly entries?: readonly LedgerEntry[] }
}
