import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { inBrowser } from './running.ts'
import { fetchIn } from './page.ts'

// What a first visit of the shop costs and how it feels, with nothing in the browser's cache.

const MOST_BYTES = 60 * 1024
/** Of Lighthouse's "slow 4G". */
const SLOW = { offline: false, latency: 150, downloadThroughput: 204_800, uploadThroughput: 96_000 }

interface Felt {
  /** Sum of what moved by itself: 0 is nothing, 0.1 is still "good". */
  readonly shifted: number
  /** Of the largest thing shown, in ms since the navigation. */
  readonly lcpMs: number
  /** Its picture, or its text. */
  readonly largest: string
}

/** Runs inside the page. */
async function feel(): Promise<Felt> {
  const all = <Entry extends PerformanceEntry>(type: string) =>
    new Promise<Entry[]>((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries() as Entry[])).observe({
        type,
        buffered: true,
      })
      setTimeout(() => resolve([]), 500)
    })
  const shifts = await all<PerformanceEntry & { value: number; hadRecentInput: boolean }>('layout-shift')
  const largest = (
    await all<PerformanceEntry & { element: Element | null; url: string }>('largest-contentful-paint')
  ).at(-1)
  return {
    shifted: shifts.reduce((sum, { value, hadRecentInput }) => sum + (hadRecentInput ? 0 : value), 0),
    lcpMs: largest?.startTime ?? Infinity,
    largest: largest?.url ? new URL(largest.url).pathname : (largest?.element?.textContent ?? '').trim(),
  }
}

/** Bytes over the wire, headers included, of a visit that has settled. */
async function visit(page: Page, url: string) {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', SLOW)
  let bytes = 0
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength))
  await page.goto(url, { waitUntil: 'load' })
  await page.waitForTimeout(1500)
  return { bytes, ...(await page.evaluate(feel)) }
}

inBrowser(
  'a first visit to the shop',
  (system) => {
    test('of a sale of a hundred products costs no more', async () => {
      await system.operator.createSale({
        ...{ id: 'hundred', name: 'A hundred lamps', rate_per_second: 100, reason: 'test' },
        products: Array.from({ length: 100 }, (_, n) => ({
          ...{ id: `hundred-lamp-${n}`, name: `Lamp number ${n}` },
          ...{ amount: 1999 + n, currency: 'EUR', units: 10 + n },
        })),
      })
      for (const path of ['/sales/hundred', '/products/hundred-lamp-7', '/']) {
        const { page } = await system.visitor({ viewport: { width: 1280, height: 800 } })
        const found = await visit(page, system.urls.shop + path)
        process.stderr.write(`${path}: ${JSON.stringify(found)}\n`)
        expect(found.bytes).toBeLessThan(MOST_BYTES)
        expect(found.shifted).toBeLessThan(0.02)
      }
    }, 60_000)

    for (const path of ['/', '/products/aurora-tv-55', '/sales/demo'])
      test.each([
        [390, 844],
        [1280, 800],
      ])(
        `${path} at %i px is small, stands still, and shows the largest thing without a script`,
        async (width, height) => {
          const { page } = await system.visitor({ viewport: { width, height } })
          const found = await visit(page, system.urls.shop + path)
          process.stderr.write(`${path} ${width}: ${JSON.stringify(found)}\n`)
          expect(found.bytes).toBeGreaterThan(5000)
          expect(found.bytes).toBeLessThan(MOST_BYTES)
          expect(found.shifted).toBeLessThan(0.02)
          const { text } = await fetchIn(page, path)
          expect(text).toContain(found.largest)
          // Google's bound for "good", on a slow line.
          expect(found.lcpMs).toBeLessThan(2500)
        },
        30_000,
      )
  },
  120,
)
