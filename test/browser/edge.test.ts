import { expect, test } from 'bun:test'
import { signalProcess } from '../../src/platform/servers/os-process.ts'
import { readRunFile } from '../../src/platform/servers/data-dir.ts'
import { skipLoudly as skipWithoutNginx } from '../support/edge.ts'
import { payWith, picture, shows } from './page.ts'
import { claimIn, createSale, inBrowser } from './running.ts'

// A person at the edge, whose addresses are the ones that `npm start -- --edge` prints.

if (!skipWithoutNginx())
  inBrowser(
    'behind the edge',
    (system) => {
      test('buys, as without it: pages, cookies and checks of the origin go by the edge’s address', async () => {
        await createSale(system, 'edgy')
        const { page } = await system.visitor()
        const answer = await page.goto(`${system.urls.queue}/edgy`)
        expect(answer?.headers()['cache-status']).toStartWith('edge')
        await claimIn(system, page, 'edgy')
        await payWith(page, '4242 4242 4242 4242')
        await shows(page, '#order-title', 'Paid')
        expect(new URL(page.url()).origin).toBe(system.urls.shop)
        await page.goto(`${system.urls.shop}/orders`)
        await shows(page, 'main', /Paid/)
      }, 60_000)

      test('reads a page in the language of the browser, and in another after choosing it', async () => {
        const { page } = await system.visitor({ locale: 'de-AT' })
        await page.goto(system.urls.shop)
        const language = () => page.evaluate(() => document.documentElement.lang)
        expect(await language()).toBe('de')
        await page.goto(`${system.urls.shop}/?lang=fr`)
        expect(await language()).toBe('fr')
      }, 30_000)

      test('sees who is not there, and the page comes back by itself', async () => {
        await createSale(system, 'away')
        const { page } = await system.visitor({ locale: 'ar' })
        await page.goto(`${system.urls.queue}/away/plain`)
        const web = readRunFile(system.dataDir)?.processes['web'] ?? 0
        signalProcess(web, 'SIGKILL')
        const answer = await page.reload()
        expect(answer?.status()).toBe(503)
        await shows(page, 'h1', 'لحظة من فضلك')
        await picture(page, 'edge-away')
        // Nobody touches it.
        await page.waitForFunction(() => document.title !== 'لحظة من فضلك', undefined, { timeout: 30_000 })
        await page.locator('form').first().waitFor()
      }, 60_000)
    },
    3,
    ['--edge'],
  )
