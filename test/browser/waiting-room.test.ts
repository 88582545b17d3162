import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { claimIn, createSale, inBrowser } from './running.ts'
import { glance, payWith, picture, setHidden, shows } from './page.ts'

// Waiting, as a person sees it: a real browser against the real system. Pictures: test/output/.
const isPoll = (url: string) => /\/api\/queue\/[\w-]+$/.test(url)
function countPolls(page: Page) {
  const urls: string[] = []
  page.on('request', (request) => {
    if (isPoll(request.url())) urls.push(request.url())
  })
  return { urls }
}

inBrowser('waiting in a browser', (system) => {
  const queue = (sale: string) => `${system.urls.queue}/${sale}`

  test('keeps the place over a refresh, a second tab and a lost network, and goes in by itself', async () => {
    await createSale(system, 'slow', { rate: 0.001 })
    for (let others = 0; others < 3; others++) await system.join('slow')
    const { context, page } = await system.visitor()
    const joins: number[] = []
    context.on('response', (response) => {
      if (response.url().endsWith('/join')) joins.push(response.status())
    })
    await page.goto(queue('slow'))
    await shows(page, '#hero', /3\s*People ahead of you|People ahead of you\s*3/)
    await shows(page, '#text', 'Your turn comes in about')
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
    await shows(page, '#trouble', /^You are offline\..*Your place is kept\.$/)
    await picture(page, 'waiting-offline')
    await context.setOffline(false)
    await page.locator('#trouble').waitFor({ state: 'hidden' })

    await system.setRate('slow', 1000)
    await glance(page)
    await page.waitForURL(`${system.urls.shop}/checkout/slow`)
  }, 60_000)

  test('a hidden tab asks for nothing, and asks at once when it is shown', async () => {
    await createSale(system, 'hidden')
    await system.operator.command('hidden', 'pause', 'test')
    const { context, page } = await system.visitor()
    await page.goto(queue('hidden'))
    await shows(page, '#heading', 'The sale is paused')
    const polls = countPolls(page)
    await setHidden(page, true)
    const shown = await context.newPage()
    const pollsShown = countPolls(shown)
    await shown.goto(queue('hidden'))
    await shown.waitForResponse((answer) => pollsShown.urls.length > 3 && isPoll(answer.url()))
    // At most the one that was under way.
    expect(polls.urls.length).toBeLessThanOrEqual(1)
    const next = page.waitForResponse((answer) => isPoll(answer.url()))
    await setHidden(page, false)
    await next
  }, 60_000)

  test('two tabs opened at once share one place, also where one has not heard of what the other wrote', async () => {
    await createSale(system, 'tabs', { rate: 0.001 })
    const { context, page } = await system.visitor()
    const second = await context.newPage()
    // As tabs of different processes see each other's writes: late. Here never.
    await second.addInitScript(() => {
      const own = new Map<string, string>()
      Storage.prototype.getItem = (key) => own.get(key) ?? null
      Storage.prototype.setItem = (key, value) => void own.set(key, value)
      Storage.prototype.removeItem = (key) => void own.delete(key)
    })
    await Promise.all([page.goto(queue('tabs')), second.goto(queue('tabs'))])
    await Promise.all([shows(page, '#position', '1'), shows(second, '#position', '1')])
  }, 30_000)

  test('waits for the opening in the lobby', async () => {
    const { page } = await system.visitor()
    await createSale(system, 'later', { opens_at: Date.now() + 3_600_000 })
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
    await createSale(system, 'halting', { rate: 0.5 })
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
    await createSale(system, 'last', { units: 1 })
    const [first, second] = [await system.visitor(), await system.visitor()]
    await claimIn(system, first.page, 'last')
    await second.page.goto(queue('last'))
    await shows(second.page, '#heading', 'All taken for now')
    await picture(second.page, 'waiting-held')

    await first.page.locator('#cancel').click()
    await picture(first.page, 'checkout-cancel')
    await first.page.locator('#cancel-yes').click()
    await shows(first.page, '#order-title', 'Order cancelled')
    await shows(first.page, '#order-lead', 'You cancelled it')
    await picture(first.page, 'checkout-cancelled')

    await second.page.locator('#claim-button').click()
    await shows(second.page, '#order-title', 'You have it')
    const third = await system.visitor()
    await third.page.goto(queue('last'))
    await shows(third.page, '#heading', 'All taken for now')
    await payWith(second.page, '4242 4242 4242 4242')
    await shows(second.page, '#order-title', 'Paid')
    await shows(third.page, '#heading', 'Sold out')
    await shows(third.page, '#over-numbers', /Units sold1 of 1.*Your number3/)
    await shows(third.page, '#fair', 'in order of arrival')
    await picture(third.page, 'waiting-sold-out')
  }, 60_000)

  test('a turn not taken lapses, and one may join again', async () => {
    await createSale(system, 'lapse', { rate: 0.001, turn_s: 0.01 })
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
})
