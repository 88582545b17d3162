import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { claimIn, createSale, inBrowser } from './running.ts'
import { fetchIn, picture, shows } from './page.ts'
import { eventually } from '../support/stripe.ts'

// Every state of the shop's pages, as a person sees them. Pictures: test/output/.
const MINUTE = 60_000
const HOUR = 60 * MINUTE

inBrowser('the shop in a browser', (system) => {
  const at = (path: string) => system.urls.shop + path
  const product = (id: string, more: object = {}) => ({
    ...{ id, name: 'Lamp', amount: 1999, currency: 'EUR', units: 10 },
    ...more,
  })
  const see = async (page: Page, path: string, name: string, state: string) => {
    await page.goto(at(path))
    await page.locator(`#offer[data-state="${state}"]`).waitFor()
    await picture(page, name)
  }

  test('before the opening: with the waiting room closed and open, in the time zone of the visitor', async () => {
    const opens_at = Date.now() + 26 * HOUR
    await createSale(system, 'later', { opens_at, lobby_opens_at: opens_at - HOUR, ends_at: opens_at + HOUR })
    await createSale(system, 'soon', { opens_at, order: 'draw', message: 'Only one for each household.' })
    const [{ page }, tokyo] = [await system.visitor(), await system.visitor({ timezoneId: 'Asia/Tokyo' })]
    await see(page, '/products/later-lamp', 'product-scheduled', 'scheduled')
    await shows(page, '#buy', 'To the waiting room')
    await see(page, '/products/soon-lamp', 'product-lobby', 'lobby')
    await shows(page, '#countdown', /^1 d 0[12]:\d\d:\d\d$/)
    await shows(page, '#message', 'Only one for each household.')
    await shows(page, '.steps', 'drawn by lot')
    await tokyo.page.goto(at('/products/soon-lamp'))
    const moment = new Intl.DateTimeFormat('en-GB', {
      ...({ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const),
      ...({ timeZone: 'Asia/Tokyo', timeZoneName: 'short' } as const),
    }).format(opens_at)
    await shows(tokyo.page, '#offer time', moment)
    expect(await tokyo.page.locator('#offer time').getAttribute('datetime')).toBe(
      new Date(opens_at).toISOString(),
    )
  }, 60_000)

  test('a page that is open when the sale opens, pauses, is all held and ends says so without being asked', async () => {
    await createSale(system, 'days', { units: 1, opens_at: Date.now() + 8000 })
    const [{ page }, list, buyer] = [await system.visitor(), await system.visitor(), await system.visitor()]
    await list.page.goto(at('/'))
    const badge = '[data-sale="days"] [data-live="badge"]'
    await shows(list.page, badge, /Opens in 00:0\d/)
    await page.goto(at('/products/days-lamp'))
    await page.locator('#offer[data-state="lobby"]').waitFor()
    await page.locator('#offer[data-state="open"]').waitFor()
    await shows(page, '#buy', 'Buy')
    await shows(list.page, badge, 'On sale now')
    await picture(page, 'product-open')
    await claimIn(system, buyer.page, 'days')
    await page.locator('#offer[data-state="held_out"]').waitFor()
    await shows(page, '#stock', '1 not paid yet, some may return')
    await shows(page, '#buy', 'Join the queue')
    await shows(list.page, badge, 'All taken for now')
    await picture(page, 'product-held-out')
    await system.operator.command('days', 'pause', 'test')
    await page.locator('#offer[data-state="paused"]').waitFor()
    await picture(page, 'product-paused')
    await system.operator.command('days', 'end', 'test')
    await page.locator('#offer[data-state="ended"]').waitFor()
    await shows(list.page, badge, 'Ended')
    await picture(page, 'product-ended')
    await shows(page, '#buy', 'To all sales')
    await page.locator('#buy').click()
    await page.waitForURL(at('/'))
    await shows(page, '.earlier', 'Sale days')
  }, 120_000)

  test('what the operator says and when it opens is followed without being asked', async () => {
    await createSale(system, 'moved', { opens_at: Date.now() + HOUR, message: 'Soon.' })
    const [{ page }, list] = [await system.visitor(), await system.visitor()]
    // The list as it was a second ago does not have the sale yet.
    await eventually(async () => {
      await list.page.goto(at('/'))
      return (await list.page.locator('[data-sale="moved"]').count()) === 1
    }, 10_000)
    await page.goto(at('/products/moved-lamp'))
    await shows(page, '#message', 'Soon.')
    const before = await page.locator('#offer time').textContent()
    await system.operate('PUT', 'sales/moved/message', { message: 'Earlier than we thought <3' })
    await system.operator.command('moved', 'open', 'test')
    // A page asks every 8 to 12 s, and may just have been given what was known a second ago.
    const heard = (where: typeof page, selector: string) =>
      where.locator(selector).filter({ hasText: 'Earlier than we thought <3' }).waitFor({ timeout: 30_000 })
    await page.locator('#offer[data-state="open"]').waitFor({ timeout: 30_000 })
    await Promise.all([heard(page, '#message'), heard(list.page, '#message-moved')])
    expect(await page.locator('#offer time').textContent()).not.toBe(before)
    await system.operate('PUT', 'sales/moved/message', { message: '' })
    await page.locator('#message').waitFor({ state: 'hidden', timeout: 30_000 })
  }, 120_000)

  test('sold out is told apart from all held, and leads to what is left', async () => {
    await system.operator.createSale({
      ...{ id: 'two', name: 'Two of a kind', rate_per_second: 100, reason: 'test' },
      products: [product('two-gone', { name: 'Gone lamp' }), product('two-left', { name: 'Other lamp' })],
    })
    await system.operator.setUnits('two-gone', 0, 'test')
    const { page } = await system.visitor()
    await see(page, '/products/two-gone', 'product-sold-out', 'sold_out')
    await shows(page, '#offer-text', 'Every unit has been paid for')
    await page.getByRole('link', { name: 'See what is left' }).click()
    await page.waitForURL(at('/sales/two'))
    await shows(page, '#stock-two-gone', 'Sold out')
    await shows(page, '#stock-two-left', '10 of 10 left')
    await picture(page, 'sale-open')
    // What comes back is seen within a second and what it takes to ask.
    await system.operator.setUnits('two-gone', 3, 'test')
    await shows(page, '#stock-two-gone', '3 of 3 left')
  }, 60_000)

  test('after the sale', async () => {
    await createSale(system, 'past')
    await system.operate('POST', 'sales/past/close', {})
    const { page } = await system.visitor()
    await see(page, '/sales/past', 'sale-post-sale', 'post_sale')
    await see(page, '/products/past-lamp', 'product-post-sale', 'post_sale')
    expect(await page.locator('a[href*="queue."]').count()).toBe(0)
  }, 30_000)

  test('a sale of many products, with names nobody wants to read', async () => {
    const names = [
      'Lamp',
      'A lamp whose name is much longer than anybody would think of giving to one',
      'ランプ',
      'Donaudampfschifffahrtsgesellschaftskapitänslampe',
    ]
    await system.operator.createSale({
      ...{ id: 'many', name: 'Forty lamps', rate_per_second: 100, reason: 'test' },
      products: Array.from({ length: 40 }, (_, n) =>
        product(`many-${n}`, { name: `${names[n % 4]} ${n + 1}` }),
      ),
    })
    const { page } = await system.visitor()
    await see(page, '/sales/many', 'sale-many', 'open')
    expect(await page.locator('.product-card').count()).toBe(40)
    await page.goto(at('/'))
    await page.getByRole('link', { name: 'See all 40 items' }).waitFor()
    await picture(page, 'shop-many')
  }, 60_000)

  test('in Arabic and Japanese', async () => {
    await createSale(system, 'abroad', { opens_at: Date.now() + HOUR, lobby_opens_at: null })
    for (const locale of ['ar', 'ja'] as const) {
      const { page } = await system.visitor({ locale })
      await see(page, '/products/abroad-lamp', `product-lobby-${locale}`, 'lobby')
      await see(page, '/products/aurora-tv-55', `product-open-${locale}`, 'open')
      await system.operator.setUnits('abroad-lamp', 0, 'test')
      await see(page, '/products/abroad-lamp', `product-sold-out-${locale}`, 'sold_out')
      await system.operator.setUnits('abroad-lamp', 10, 'test')
      await page.goto(at('/'))
      await picture(page, `shop-${locale}`)
      expect(await page.locator('html').getAttribute('dir')).toBe(locale === 'ar' ? 'rtl' : 'ltr')
    }
  }, 120_000)

  test('with scripts off everything is there: what it is, what is left, and one way into the queue', async () => {
    const opens_at = Date.now() + HOUR
    await createSale(system, 'quiet', { opens_at, lobby_opens_at: opens_at - HOUR / 2 })
    const { page } = await system.visitor({ javaScriptEnabled: false })
    await page.goto(at('/'))
    await shows(page, '#stock-nimbus-headphones', '500 of 500 left')
    await picture(page, 'shop-noscript')
    await see(page, '/products/quiet-lamp', 'product-scheduled-noscript', 'scheduled')
    await see(page, '/products/nimbus-headphones', 'product-noscript', 'open')
    expect(await page.locator('#buy').isVisible()).toBe(false)
    await page.getByRole('link', { name: 'Look again' }).click()
    await shows(page, '#stock', '500 of 500 left')
    await page.getByRole('link', { name: 'Français' }).click()
    await shows(page, 'h1', 'Nimbus headphones')
    await page.goto(at('/sales/demo'))
    await shows(page, '#items', 'Dans cette vente')
    await picture(page, 'sale-noscript')
    await page.locator('noscript a.button, #offer a.button:visible').first().click()
    await page.waitForURL(`${system.urls.queue}/demo/plain`)
  }, 60_000)

  test('a stream that is cut is made up for by asking', async () => {
    await createSale(system, 'cut')
    const [{ page }, buyer] = [await system.visitor(), await system.visitor()]
    let streams = 0
    await page.route('**/stock/live', async (route) => {
      streams += 1
      if (streams > 1) return route.abort()
      // One event, and then nothing more ever comes.
      const stock = { item_id: 'cut-lamp', available: 8, held: 2, sold: 0, total: 10, state: 'available' }
      const data = JSON.stringify({ ...stock, server_time: Date.now() })
      const body = `event: stock\ndata: ${data}\n\n`
      return route.fulfill({ contentType: 'text/event-stream', body })
    })
    const asked = page.waitForRequest((request) => request.url().endsWith('/api/items/cut-lamp/stock'))
    await page.goto(at('/products/cut-lamp'))
    await asked
    await claimIn(system, buyer.page, 'cut')
    await shows(page, '#stock', '9 of 10 left')
    expect(streams).toBeGreaterThan(0)
  }, 60_000)

  test('a rehearsal says what it is, and is on no list', async () => {
    await system.operate('POST', 'sales/demo/rehearse', { opens_in_s: 0 })
    const { page } = await system.visitor()
    await see(page, '/products/aurora-tv-55-rehearsal-1', 'product-rehearsal', 'open')
    await shows(page, '.notice', 'Rehearsal: nothing is sold')
    expect(await page.locator('img.picture').first().getAttribute('src')).toEndWith('.webp')
    await page.goto(at('/'))
    await shows(page, '#stock-aurora-tv-55', 'left')
    expect(await page.locator('a[href*="rehearsal"]').count()).toBe(0)
  }, 30_000)

  test('what is not there says so', async () => {
    const { page } = await system.visitor()
    for (const path of ['/products/nothing', '/sales/nothing']) {
      expect((await page.goto(at(path)))?.status()).toBe(404)
      await shows(page, 'h1', 'There is nothing at this address')
    }
    await picture(page, 'shop-unknown')
  }, 30_000)

  test('dark', async () => {
    const { page } = await system.visitor({ colorScheme: 'dark' })
    await createSale(system, 'night', { opens_at: Date.now() + HOUR })
    await see(page, '/products/night-lamp', 'product-lobby-dark', 'lobby')
    await page.goto(at('/'))
    await picture(page, 'shop-dark')
  }, 30_000)

  test('a search engine and whoever shares a link read what they need', async () => {
    const { page } = await system.visitor()
    await page.goto(at('/products/nimbus-headphones'))
    const block = await page.locator('script[type="application/ld+json"]').textContent()
    expect(JSON.parse(block ?? '')).toMatchObject({
      ...{ '@type': 'Product', name: 'Nimbus headphones' },
      offers: { price: '79.00', priceCurrency: 'EUR', availability: 'https://schema.org/InStock' },
    })
    const image = (await page.locator('meta[property="og:image"]').getAttribute('content')) ?? ''
    expect(image).toStartWith(`${system.urls.shop}/pictures/`)
    expect((await fetchIn(page, new URL(image).pathname)).headers['content-type']).toBe('image/webp')
    expect((await fetchIn(page, '/robots.txt')).text).toContain('Disallow: /checkout')
    await page.goto(`${system.urls.queue}/demo`)
    expect((await fetchIn(page, '/robots.txt')).text).toContain('Disallow: /\n')
  }, 30_000)

  test('where there is no sale at all', async () => {
    const { page } = await system.visitor()
    await page.goto(at('/'))
    const { text } = await fetchIn(page, '/api/products')
    const { products } = JSON.parse(text) as { products: { sale_id: string }[] }
    for (const sale of new Set(products.map(({ sale_id }) => sale_id)))
      await system.operate('POST', `sales/${sale}/close`, {})
    await page.waitForTimeout(2000)
    await page.goto(at('/'))
    await shows(page, '.none', 'There is no sale right now')
    await picture(page, 'shop-none')
  }, 30_000)
})
