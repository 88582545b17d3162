import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { environment } from '../../src/platform/config.ts'
import {
  fetchIn,
  glance,
  hasBrowser,
  loseAnswers,
  payWith,
  picture,
  type Running,
  shows,
  startRunning,
} from './running.ts'

// A person's way through the pages, with a real browser against the real system. Pictures go to test/output/.
const GOOD_CARD = '4242 4242 4242 4242'
const DECLINED_CARD = '4000 0000 0000 0002'
const ASKING_CARD = '4000 0025 0000 3155'

const skipped = !hasBrowser && environment()['CI'] !== 'true'
if (skipped)
  process.stderr.write('\n!!! No Chromium here: the browser tests are SKIPPED. apt-get install chromium\n\n')

describe.skipIf(skipped)('in a browser', () => {
  let system: Running
  beforeAll(async () => {
    if (!hasBrowser) throw new Error('CI needs Chromium: apt-get install chromium')
    system = await startRunning(3)
  }, 90_000)
  afterAll(async () => {
    await system.stop()
  }, 15_000)

  const createSale = (
    id: string,
    more: { units?: number; rate?: number; opens_at?: number; pass_s?: number } = {},
  ) =>
    system.operator.createSale({
      id,
      name: `Sale ${id}`,
      rate_per_second: more.rate ?? 1000,
      reason: 'test',
      ...(more.opens_at === undefined ? {} : { opens_at: more.opens_at }),
      ...(more.pass_s === undefined ? {} : { pass_s: more.pass_s }),
      products: [{ id: `${id}-lamp`, name: 'Lamp', amount: 1999, currency: 'EUR', units: more.units ?? 10 }],
    })
  const queue = (sale: string) => `${system.urls.queue}/${sale}`
  /** Through the waiting room of an open sale, and one unit claimed. */
  const claimIn = async (page: Page, sale: string) => {
    await page.goto(queue(sale))
    await page.locator('#claim-button').click()
    await shows(page, '#order-title', 'You have it')
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
    await picture(page, 'checkout-card')

    await payWith(page, DECLINED_CARD)
    await shows(page, '#card-error', 'declined')
    await picture(page, 'checkout-declined')
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    await picture(page, 'checkout-paid')

    const cookies = await page.context().cookies(system.urls.shop)
    expect(cookies.map(({ name }) => name)).toContain('__Host-session')
    await page.getByRole('link', { name: 'My orders' }).first().click()
    await shows(page, '.orders .badge', 'Paid')
    await picture(page, 'orders')
    expect((await orders(page)).map(({ status }) => status)).toEqual(['PAID'])
  }, 60_000)

  test('keeps the place over a refresh, a second tab and a lost network, and goes in by itself', async () => {
    await createSale('slow', { rate: 0.001 })
    for (let others = 0; others < 3; others++) await system.join('slow')
    const { context, page } = await system.visitor()
    const joins: number[] = []
    context.on('response', (response) => {
      if (response.url().endsWith('/join')) joins.push(response.status())
    })
    await page.goto(queue('slow'))
    await shows(page, '#text', '3 people are ahead of you. Your turn comes in about')
    await shows(page, '#position', '4')
    await picture(page, 'waiting')

    await page.reload()
    await shows(page, '#position', '4')
    const second = await context.newPage()
    await second.goto(queue('slow'))
    await shows(second, '#position', '4')
    expect(joins).toEqual([201, 200, 200])
    await second.close()

    await context.setOffline(true)
    await glance(page)
    await shows(page, '#trouble', 'Your place is kept.')
    await picture(page, 'waiting-offline')
    await context.setOffline(false)
    await page.locator('#trouble').waitFor({ state: 'hidden' })

    await system.setRate('slow', 1000)
    await glance(page)
    await page.waitForURL(`${system.urls.shop}/checkout/slow`)
  }, 60_000)

  test('two tabs opened at once share one place', async () => {
    await createSale('tabs', { rate: 0.001 })
    const { context, page } = await system.visitor()
    const second = await context.newPage()
    await Promise.all([page.goto(queue('tabs')), second.goto(queue('tabs'))])
    await Promise.all([shows(page, '#position', '1'), shows(second, '#position', '1')])
  }, 30_000)

  test('waits for the opening in the lobby', async () => {
    const { page } = await system.visitor()
    await createSale('later', { opens_at: Date.now() + 3_600_000 })
    await page.goto(`${system.urls.shop}/products/later-lamp`)
    await shows(page, '#countdown', /^(1:00:00|59:\d\d)$/)
    await shows(page, '#buy', 'Join the queue')
    await picture(page, 'product-before')
    await page.locator('#buy').click()
    await shows(page, '#heading', 'The sale opens in')
    await shows(page, '#countdown', /^(1:00:00|59:\d\d)$/)
    await picture(page, 'lobby')
    await system.operator.command('later', 'open', 'test')
    await glance(page)
    await page.waitForURL(`${system.urls.shop}/checkout/later`)
  }, 60_000)

  test('a pause keeps the place; the end reaches everybody', async () => {
    await createSale('halting', { rate: 0.5 })
    for (let others = 0; others < 20; others++) await system.join('halting')
    const { page } = await system.visitor()
    await page.goto(queue('halting'))
    await shows(page, '#heading', 'You are in line')
    await system.operator.command('halting', 'pause', 'test')
    await shows(page, '#heading', 'The sale is paused')
    await shows(page, '#text', 'Your place is kept.')
    await picture(page, 'waiting-paused')
    await system.operator.command('halting', 'resume', 'test')
    await shows(page, '#heading', 'You are in line')
    await system.operator.command('halting', 'end', 'test')
    await shows(page, '#heading', 'The sale has ended')
    await picture(page, 'waiting-ended')
  }, 60_000)

  test('all taken for now is not sold out: who waits gets the unit that comes back', async () => {
    await createSale('last', { units: 1 })
    const [first, second] = [await system.visitor(), await system.visitor()]
    await claimIn(first.page, 'last')
    await second.page.goto(queue('last'))
    await shows(second.page, '#heading', 'All taken for now')
    await picture(second.page, 'waiting-held')

    await first.page.locator('#cancel').click()
    await picture(first.page, 'checkout-cancel')
    await first.page.locator('#cancel-yes').click()
    await shows(first.page, '#order-title', 'Not bought')
    await shows(first.page, '#order-lead', 'You cancelled it')
    await picture(first.page, 'checkout-cancelled')

    await second.page.locator('#claim-button').click()
    await shows(second.page, '#order-title', 'You have it')
    const third = await system.visitor()
    await third.page.goto(queue('last'))
    await shows(third.page, '#heading', 'All taken for now')
    await payWith(second.page, GOOD_CARD)
    await shows(second.page, '#order-title', 'Paid')
    await shows(third.page, '#heading', 'Sold out')
    await picture(third.page, 'waiting-sold-out')
  }, 60_000)

  test('who comes to the checkout too late is told so, and may try again while units are held', async () => {
    await createSale('race', { units: 1 })
    const [first, second] = [await system.visitor(), await system.visitor()]
    for (const { page } of [first, second]) {
      await page.goto(queue('race'))
      await page.locator('#scene-choose').waitFor()
    }
    await first.page.locator('#claim-button').click()
    await shows(first.page, '#order-title', 'You have it')
    await second.page.locator('#claim-button').click()
    await shows(second.page, '#refusal', 'All held right now.')
    await picture(second.page, 'checkout-held')
    await payWith(first.page, GOOD_CARD)
    await shows(first.page, '#order-title', 'Paid')
    await second.page.getByRole('button', { name: 'Try again' }).click()
    await shows(second.page, '#refusal', 'Not this time.')
    await picture(second.page, 'checkout-sold-out')
    expect((await orders(first.page)).length).toBe(1)
  }, 60_000)

  test('a claim whose answer got lost is repeated, not doubled, even over a refresh', async () => {
    await createSale('lossy')
    const { page } = await system.visitor()
    await page.goto(queue('lossy'))
    const { lost, stop } = await loseAnswers(page, '/api/claims')
    await page.locator('#claim-button').click()
    await shows(page, '#trouble', 'No clear answer.')
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
    await createSale('asking')
    const { page } = await system.visitor()
    await claimIn(page, 'asking')
    await payWith(page, ASKING_CARD)
    await page.getByRole('button', { name: 'Fail' }).click()
    await shows(page, '#card-error', 'Your bank did not confirm')
    expect(page.url()).not.toContain('secret')
    await payWith(page, ASKING_CARD)
    await page.getByRole('button', { name: 'Approve' }).click()
    await shows(page, '#order-title', 'Paid')
  }, 60_000)

  test('a turn not taken lapses, and one may join again', async () => {
    await createSale('lapse', { rate: 0.001, pass_s: 0.01 })
    const { context, page } = await system.visitor()
    await page.goto(queue('lapse'))
    await shows(page, '#position', '1')
    await context.setOffline(true)
    for (let others = 0; others < 30; others++) await system.join('lapse')
    await system.setRate('lapse', 1000)
    // The line has moved on when the last of them may go in.
    await system.operator.command('lapse', 'pause', 'test')
    await system.operator.command('lapse', 'resume', 'test')
    await context.setOffline(false)
    await shows(page, '#heading', 'Your turn has passed')
    await picture(page, 'waiting-lapsed')
    await page.locator('#rejoin').click()
    await page.waitForURL(`${system.urls.shop}/checkout/lapse`)
  }, 60_000)

  test('what is not there says so: without a pass, an unknown sale, an unknown page; the operator host introduces itself', async () => {
    const { page } = await system.visitor()
    await page.goto(`${system.urls.shop}/checkout/demo`)
    await shows(page, '#no-pass-title', 'A pass from the waiting room is needed')
    await picture(page, 'checkout-no-pass')
    await page.goto(queue('no-such-sale'))
    await shows(page, '#heading', 'There is no such sale')
    expect((await page.goto(`${system.urls.shop}/nothing/here`))?.status()).toBe(404)
    await shows(page, 'h1', 'There is nothing here')
    await picture(page, 'not-found')
    const api = await fetchIn(page, '/api/nothing', { Accept: 'text/html' })
    expect(api.headers['content-type']).toContain('application/problem+json')
    await page.goto(`${system.urls.shop}/orders`)
    await shows(page, '#orders', 'You have no orders')
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
    const again = await fetchIn(page, '/', { 'If-None-Match': answer?.headers()['etag'] ?? '' })
    expect(again.status).toBe(304)
    expect(system.complaints).toEqual([])
  }, 30_000)
})
