import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { claimIn, createSale, inBrowser } from './running.ts'
import { cardFields, fetchIn, loseAnswers, payWith, picture, shows } from './page.ts'

// A person's way through the shop's pages, with a real browser against the real system. Pictures: test/output/.
const GOOD_CARD = '4242 4242 4242 4242'
const DECLINED_CARD = '4000 0000 0000 0002'
const ASKING_CARD = '4000 0025 0000 3155'

inBrowser('buying in a browser', (system) => {
  const queue = (sale: string) => `${system.urls.queue}/${sale}`

  /** The mail that lies in the mailbox, as a mail program shows it and in the mailbox's own page. */
  const readsTheMail = async (page: Page) => {
    const reader = await page.context().newPage()
    await reader.goto(system.urls.mailbox ?? '')
    await reader.getByRole('link', { name: 'Your receipt: Pebble speaker' }).click()
    await shows(reader, 'pre', 'Paid. It is yours')
    await reader.frameLocator('iframe').getByText('Thank you. This is your receipt.').waitFor()
    await picture(reader, 'mailbox')
    await reader.goto(`${reader.url()}/html`)
    await picture(reader, 'mail-paid')
    await reader.close()
  }

  const orders = async (page: Page) => {
    const { text } = await fetchIn(page, '/api/orders')
    return (JSON.parse(text) as { orders: { status: string }[] }).orders
  }

  test('buys: from the list of sales to a paid order, after a declined card', async () => {
    const { page } = await system.visitor()
    await page.goto(system.urls.shop)
    await shows(page, '#stock-pebble-speaker', '10 of 10 left')
    await picture(page, 'shop')

    await page.getByRole('link', { name: /Pebble speaker/ }).click()
    await shows(page, '#price', '€29.00')
    await shows(page, '#stock', '10 of 10 left')
    await picture(page, 'product')

    await page.locator('#buy').click()
    await page.waitForURL(`${system.urls.shop}/checkout/demo`)
    await shows(page, '#scene-choose h1', 'It is your turn')
    await shows(page, '#stock-pebble-speaker', '10 of 10 left')
    expect(page.url()).not.toContain('pass')
    expect(await page.getByRole('radio', { name: /Pebble speaker/ }).isChecked()).toBe(true)
    await picture(page, 'checkout-choose')

    await page.locator('#claim-button').click()
    await shows(page, '#order-title', 'You have it')
    await shows(page, '#pay-countdown', /^0[45]:\d\d$/)
    await page.locator('#test-cards').waitFor()
    await cardFields(page).locator('#number').waitFor()
    await picture(page, 'checkout-card')
    await page.locator('#email').fill('buyer@example')
    await cardFields(page).locator('#number').focus()
    await shows(page, '#contact-said', 'Not kept: that is no e-mail address')
    await picture(page, 'checkout-wrong-email')
    // Going on to the card is enough to have it kept.
    await page.locator('#email').fill('buyer@example.com')

    await payWith(page, DECLINED_CARD)
    await shows(page, '#card-error', 'declined')
    await picture(page, 'checkout-declined')
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    await shows(page, '#receipt-mail', 'It went to buyer@example.com by mail.')
    await shows(page, '#receipt-facts', 'Card (Stripe)')
    expect(await page.locator('#contact').isVisible()).toBe(false)
    await picture(page, 'checkout-paid')
    await page.emulateMedia({ media: 'print' })
    expect(await page.getByRole('button', { name: 'Print' }).isVisible()).toBe(false)
    await picture(page, 'receipt-print')
    await page.emulateMedia({ media: null })
    await readsTheMail(page)

    const cookies = await page.context().cookies(system.urls.shop)
    expect(cookies.map(({ name }) => name)).toContain('__Host-session')
    await page.getByRole('link', { name: 'My orders' }).first().click()
    await shows(page, '.orders .badge', 'Paid')
    await picture(page, 'orders')
    expect((await orders(page)).map(({ status }) => status)).toEqual(['PAID'])
  }, 60_000)

  test('stock is live, also where event streams do not come through', async () => {
    await createSale(system, 'live')
    const [watcher, blocked, buyer] = [await system.visitor(), await system.visitor(), await system.visitor()]
    const full = await system.visitor()
    await blocked.page.route('**/stock/live', (route) => route.abort())
    await full.page.route('**/stock/live', (route) => route.fulfill({ status: 503, body: '{}' }))
    for (const { page } of [watcher, blocked, full]) {
      await page.goto(`${system.urls.shop}/products/live-lamp`)
      await shows(page, '#stock', '10 of 10 left')
    }
    await claimIn(system, buyer.page, 'live')
    await shows(watcher.page, '#stock', '9 of 10 left')
    await shows(blocked.page, '#stock', '9 of 10 left')
    await shows(full.page, '#stock', '9 of 10 left')
  }, 60_000)

  test('a claim whose answer got lost is repeated, not doubled, even over a refresh', async () => {
    await createSale(system, 'lossy')
    const { page } = await system.visitor()
    await page.goto(queue('lossy'))
    const { lost, stop } = await loseAnswers(page, '/api/claims')
    await page.locator('#claim-button').click()
    await shows(page, '#message-title', 'No clear answer yet')
    await picture(page, 'checkout-no-answer')
    await stop()
    await page.reload()
    await shows(page, '#order-title', 'You have it')
    const keys = lost.map((headers) => headers['Idempotency-Key'])
    expect(keys.length).toBeGreaterThan(1)
    expect(new Set(keys).size).toBe(1)
    expect(await orders(page)).toHaveLength(1)
  }, 60_000)

  test("a bank's question is answered on its page; a refusal there leaves another try", async () => {
    await createSale(system, 'asking')
    const { page } = await system.visitor()
    await claimIn(system, page, 'asking')
    await payWith(page, ASKING_CARD)
    await page.getByRole('button', { name: 'Fail' }).click()
    await shows(page, '#pay-error', 'Your bank did not get your confirmation.')
    await picture(page, 'checkout-bank-refused')
    expect(page.url()).not.toContain('secret')
    await payWith(page, ASKING_CARD)
    await page.getByRole('button', { name: 'Approve' }).click()
    await shows(page, '#order-title', 'Paid')
  }, 60_000)

  test('what is not there says so: without a pass, an unknown sale, an unknown page; the operator host introduces itself', async () => {
    const { page } = await system.visitor()
    await page.goto(`${system.urls.shop}/checkout/demo`)
    await shows(page, '#message-title', 'A pass from the waiting room is needed')
    await picture(page, 'checkout-no-pass')
    await page.goto(`${system.urls.shop}/checkout/demo?order=01a218f0-82a8-7b8c-b8cc-5a2a7e2291e8`)
    await shows(page, '#message-title', 'There is no such order')
    await picture(page, 'checkout-no-order')
    await page.goto(queue('no-such-sale'))
    await shows(page, '#heading', 'There is no such sale')
    expect((await page.goto(`${system.urls.shop}/nothing/here`))?.status()).toBe(404)
    await shows(page, 'h1', 'There is nothing at this address')
    await picture(page, 'not-found')
    const api = await fetchIn(page, '/api/nothing', { Accept: 'text/html' })
    expect(api.headers['content-type']).toContain('application/problem+json')
    await page.goto(`${system.urls.shop}/orders`)
    await shows(page, '#orders', 'No orders yet')
    await picture(page, 'orders-none')
    await page.goto(system.urls.ops)
    await shows(page, 'h1', 'Operator')
    await picture(page, 'ops')
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.goto(`${system.urls.shop}/products/aurora-tv-55`)
    await shows(page, '#stock', 'left')
    await picture(page, 'product-dark')
  }, 60_000)

  test('pages may not be framed and run nothing inline; assets never change under their name', async () => {
    const { page } = await system.visitor()
    const answer = await page.goto(system.urls.shop)
    const policy = answer?.headers()['content-security-policy'] ?? ''
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    const style = await page.locator('link[rel=stylesheet]').getAttribute('href')
    const asset = await fetchIn(page, style ?? '')
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(asset.headers['content-encoding']).toMatch(/^(br|gzip)$/)
    // Not the front page, which tells a stock that moves.
    const { headers } = await fetchIn(page, '/orders')
    const again = await fetchIn(page, '/orders', { 'If-None-Match': headers['etag'] ?? '' })
    expect(again.status).toBe(304)
  }, 30_000)
})
