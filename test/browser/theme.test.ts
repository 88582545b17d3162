import { afterAll, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectPath } from '../../src/platform/project.ts'
import { payWith, picture, shows } from './page.ts'
import { claimIn, createSale, inBrowser } from './running.ts'

// Every page of a buyer in the look of another shop. Pictures: test/output/.
/** The example, and a font: whether it holds letters is not for us to say. */
const folder = mkdtempSync(join(tmpdir(), 'doorbuster-theme-'))
cpSync(projectPath('themes/example'), folder, { recursive: true })
const themeFile = join(folder, 'theme.json')
const example = JSON.parse(readFileSync(themeFile, 'utf8')) as object
writeFileSync(themeFile, JSON.stringify({ ...example, font: { file: 'own.woff2' } }))
writeFileSync(join(folder, 'own.woff2'), 'wOF2 and no letters')
afterAll(() => rmSync(folder, { recursive: true }))

inBrowser(
  'a shop with a theme of its own',
  (system) => {
    test('every page carries its name, colours and words, in light and in dark', async () => {
      await createSale(system, 'lamps', { rate: 0.001 })
      for (let others = 0; others < 3; others++) await system.join('lamps')
      const { page } = await system.visitor({ locale: 'de' })
      const font = page.waitForResponse(/\/assets\/own-[\w-]{8}\.woff2$/)
      await page.goto(`${system.urls.queue}/lamps`)
      expect((await font).headers()).toMatchObject({
        ...{ 'content-type': 'font/woff2', 'cache-control': 'public, max-age=31536000, immutable' },
      })
      await shows(page, '#heading', 'Sie stehen in der Schlange')
      await shows(page, '.eyebrow', 'Das Foyer')
      await shows(page, 'footer', 'Nordlicht, Leuchten seit 1974')
      expect(await page.getByRole('link', { name: 'Nordlicht' }).locator('img').getAttribute('src')).toMatch(
        /^\/assets\/wordmark-light-[\w-]{8}\.svg$/,
      )
      const accent = () =>
        page.locator('#wait').evaluate((card) => getComputedStyle(card, '::before').backgroundColor)
      expect(await accent()).toBe('rgb(11, 100, 121)')
      await picture(page, 'theme-waiting')
      await page.emulateMedia({ colorScheme: 'dark' })
      expect(await accent()).toBe('rgb(95, 208, 230)')
      await picture(page, 'theme-waiting-dark')
      await page.emulateMedia({ colorScheme: 'light' })

      await page.goto(`${system.urls.shop}/`)
      expect(await page.title()).toEndWith(' · Nordlicht')
      await picture(page, 'theme-shop')
    }, 60_000)

    test('those who find it sold out read the words of the shop, with scripts and without', async () => {
      await createSale(system, 'gone', { units: 1 })
      const buyer = await system.visitor()
      await claimIn(system, buyer.page, 'gone')
      await picture(buyer.page, 'theme-checkout')
      await payWith(buyer.page, '4242 4242 4242 4242')
      await shows(buyer.page, '#order-title', 'Paid')
      const { page } = await system.visitor({ locale: 'de' })
      await page.goto(`${system.urls.queue}/gone`)
      await shows(page, '#heading', 'Alle Leuchten sind weg')
      await picture(page, 'theme-sold-out')
      const plain = await system.visitor({ locale: 'de', javaScriptEnabled: false })
      await plain.page.goto(`${system.urls.queue}/gone/plain`)
      await shows(plain.page, 'h1', 'Alle Leuchten sind weg')
      await shows(plain.page, '.numbers', '1 von 1')
      await shows(plain.page, '.advice', 'in der Reihenfolge der Ankunft')
      await shows(plain.page, 'footer', 'Nordlicht, Leuchten seit 1974')
      expect(await plain.page.title()).toEndWith(' · Nordlicht')
      await picture(plain.page, 'theme-plain')
    }, 60_000)
  },
  3,
  [],
  { THEME_FILE: themeFile },
)
