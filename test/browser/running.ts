import { spawn } from 'node:child_process'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { connectRunning, type OperatorClient } from '../../src/operator/client.ts'
import { projectPath } from '../../src/platform/project.ts'
import { readRunFile, readSecrets, type RunFile } from '../../src/platform/servers/data-dir.ts'
import { CHROMIUM, FLAGS, shows } from './page.ts'
import { openFolder, portPair, removeFolder, until } from '../setup/started.ts'

/** The real system under a real browser. */
export interface Running {
  readonly urls: RunFile['urls']
  readonly operator: OperatorClient
  /** People let in per second, from now on. */
  setRate(sale: string, rate: number): Promise<void>
  /** Somebody else takes a place in line. */
  join(sale: string): Promise<void>
  /** A visitor with a browser of their own: cookies and storage are theirs alone. */
  visitor(options?: BrowserContextOptions): Promise<{ context: BrowserContext; page: Page }>
  /** A command of the operator that `operator` does not have. */
  operate(method: 'POST' | 'PUT', path: string, body: object): Promise<void>
  readonly dataDir: string
  /** What the browser refused under the pages' policy, and errors no page caught; both should stay empty. */
  readonly complaints: readonly string[]
  stop(): Promise<void>
}

export async function startRunning(opensInS: number): Promise<Running> {
  if (CHROMIUM === undefined) throw new Error('No Chromium here: apt-get install chromium')
  const [dataDir, port] = [await openFolder(), await portPair()]
  const options = ['--port', String(port), '--data-dir', dataDir, '--opens-in', String(opensInS)]
  const system = spawn(process.execPath, [projectPath('src/doorbuster.ts'), 'start', ...options])
  let output = ''
  for (const stream of [system.stdout, system.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exit = new Promise<void>((resolve) => system.once('close', () => resolve()))
  const stopSystem = async () => {
    system.kill('SIGINT')
    await exit
    await removeFolder(dataDir)
  }

  let browser: Browser
  try {
    await until(
      'the start screen',
      () => {
        if (system.exitCode !== null) throw new Error(`ended at start:\n${output}`)
        return output.includes('Ctrl-C stops')
      },
      60_000,
    )
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS.split(' ') })
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
  const complaints: string[] = []

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
    visitor: async (options = {}) => {
      const context = await browser.newContext({
        locale: 'en-GB',
        timezoneId: 'Europe/Berlin',
        ...options,
      })
      context.setDefaultTimeout(15_000)
      context.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text())
      })
      context.on('weberror', (error) => complaints.push(error.error().message))
      return { context, page: await context.newPage() }
    },
    complaints,
    stop: async () => {
      await browser.close()
      await stopSystem()
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
  const { units = 10, rate = 1000, ...times } = more
  return operator.createSale({
    id,
    name: `Sale ${id}`,
    rate_per_second: rate,
    reason: 'test',
    // Others join here without a browser that could solve anything.
    guard: UNGUARDED,
    ...times,
    products: [{ id: `${id}-lamp`, name: 'Lamp', amount: 1999, currency: 'EUR', units }],
  })
}

/** Through the waiting room of an open sale, and one unit claimed. */
export async function claimIn({ urls }: Running, page: Page, sale: string): Promise<void> {
  await page.goto(`${urls.queue}/${sale}`)
  await page.locator('#claim-button').click()
  await shows(page, '#order-title', 'You have it')
}
