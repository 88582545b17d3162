import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { connectRunning, type OperatorClient } from '../../src/operator/client.ts'
import { projectPath } from '../../src/platform/project.ts'
import { readRunFile, readSecrets, type RunFile } from '../../src/platform/servers/data-dir.ts'
import { openFolder, portPair, removeFolder, until } from '../setup/started.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

export const hasBrowser = CHROMIUM !== undefined

/** The real system under a real browser. */
export interface Running {
  readonly urls: RunFile['urls']
  readonly operator: OperatorClient
  /** People let in per second, from now on. */
  setRate(sale: string, rate: number): Promise<void>
  /** Somebody else takes a place in line. */
  join(sale: string): Promise<void>
  /** A visitor with a browser of their own: cookies and storage are theirs alone. */
  visitor(): Promise<{ context: BrowserContext; page: Page }>
  /** What the browser refused under the pages' policy, and errors no page caught; both should stay empty. */
  readonly complaints: readonly string[]
  stop(): Promise<void>
}

export async function startRunning(opensInS: number): Promise<Running> {
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
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: FLAGS.split(' ') })
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
    visitor: async () => {
      const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin' })
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

/** Keeps a picture of the page at the width of a phone and of a desk, for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  for (const [width, height] of [
    [390, 844],
    [1280, 800],
  ] as const) {
    await page.setViewportSize({ width, height })
    await page.screenshot({ path: projectPath(`test/output/${name}-${width}.png`), fullPage: true })
  }
}

/** Waits until the element shows this text. */
export async function shows(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text, visible: true }).waitFor()
}

/** Comes back to the tab, which asks at once: far from the front the poll policy waits half a minute. */
export function glance(page: Page): Promise<boolean> {
  return page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
}

/** Types a card into the form and pays. */
export async function payWith(page: Page, number: string): Promise<void> {
  await page.locator('#number').fill(number)
  await page.locator('#expiry').fill('12/34')
  await page.locator('#cvc').fill('123')
  await page.locator('#pay').click()
}

/** A request from inside the page, with its cookies; only the browser resolves *.localhost everywhere. */
export function fetchIn(page: Page, path: string, headers: Record<string, string> = {}) {
  return page.evaluate(
    async ([path, headers]) => {
      const answer = await fetch(path, { headers })
      return {
        status: answer.status,
        headers: Object.fromEntries<string>(answer.headers),
        text: await answer.text(),
      }
    },
    [path, headers] as const,
  )
}

/** Lets requests to `path` through to the server and loses the answers. Returns the requests' headers as they come. */
export async function loseAnswers(page: Page, path: string) {
  const session = await page.context().newCDPSession(page)
  const lost: Record<string, string>[] = []
  session.on('Fetch.requestPaused', ({ requestId, request }) => {
    lost.push(request.headers)
    void session.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' })
  })
  await session.send('Fetch.enable', { patterns: [{ urlPattern: `*${path}`, requestStage: 'Response' }] })
  return { lost, stop: () => session.detach() }
}
