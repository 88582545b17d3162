import { existsSync } from 'node:fs'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type CDPSession,
  chromium,
  type Page,
} from 'playwright-core'
import { environment } from '../../src/platform/config.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

/** Whether to leave browser tests out because there is no browser: never silently, and never in CI. */
export function skipLoudly(): boolean {
  const skip = CHROMIUM === undefined && environment()['CI'] !== 'true'
  if (skip)
    process.stderr.write('\n!!! No Chromium: the browser tests are SKIPPED. apt-get install chromium\n\n')
  return skip
}

/** A browser whose every page is watched: the only place where a test gets a page from (test/tidy.test.ts sees to it). */
export interface WatchedBrowser {
  /** A visitor with a browser of their own: cookies and storage are theirs alone. */
  visitor(options?: BrowserContextOptions): Promise<{ context: BrowserContext; page: Page }>
  /** What pages did against their own security policy, and errors no page caught. */
  readonly complaints: readonly string[]
  /** Ends all visits; throws what was complained about since the last time. Call it after each test. */
  settle(): Promise<void>
  /** Settles and ends the browser. */
  close(): Promise<void>
}

/** Throws where no Chromium is installed. */
export async function openBrowser(): Promise<WatchedBrowser> {
  if (CHROMIUM === undefined) throw new Error('No Chromium here: apt-get install chromium')
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS.split(' ') })
  const complaints: string[] = []
  const settle = async () => {
    // What happened before a context ended has been told when it has ended.
    await Promise.all(browser.contexts().map((context) => context.close()))
    const found = [...new Set(complaints.splice(0))]
    if (found.length > 0) throw new Error(`The browser complains:\n${found.join('\n')}`)
  }
  return {
    complaints,
    settle,
    visitor: async ({ javaScriptEnabled, ...options } = {}) => {
      const context = await browser.newContext({
        locale: 'en-GB',
        timezoneId: 'Europe/Berlin',
        ...options,
      })
      context.setDefaultTimeout(15_000)
      await watch(context, complaints)
      const page = await context.newPage()
      if (javaScriptEnabled === false) await switchScriptsOff(page)
      return { context, page }
    },
    close: async () => {
      try {
        await settle()
      } finally {
        await browser.close()
      }
    },
  }
}

const withoutScripts = new WeakMap<Page, CDPSession>()

/** In a way that can be undone for a moment, which Playwright's own option can not. */
async function switchScriptsOff(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Emulation.setScriptExecutionDisabled', { value: true })
  withoutScripts.set(page, session)
}

/** Lets our own scripts wait for promises in a page whose scripts are off; the page's own have been left out before. */
export async function withScripts<T>(page: Page, run: () => Promise<T>): Promise<T> {
  const session = withoutScripts.get(page)
  await session?.send('Emulation.setScriptExecutionDisabled', { value: false })
  try {
    return await run()
  } finally {
    await session?.send('Emulation.setScriptExecutionDisabled', { value: true })
  }
}

/**
 * Frames and workers too. Chromium tells violations on the console, with scripts off as well; the event adds which
 * address was blocked where the console does not say.
 */
async function watch(context: BrowserContext, complaints: string[]): Promise<void> {
  context.on('console', (message) => {
    if (/Content.Security.Policy|Permissions.policy|Trusted(Type|HTML|Script)/i.test(message.text()))
      complaints.push(message.text())
  })
  context.on('weberror', (error) => {
    complaints.push(
      `${error.page()?.url() ?? 'a page'}: uncaught ${error.error().stack ?? error.error().message}`,
    )
  })
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { effectiveDirective, blockedURI, documentURI, sample } = event
      reportError(new Error(`${documentURI} broke ${effectiveDirective} with ${blockedURI} ${sample}`))
    })
  })
}
