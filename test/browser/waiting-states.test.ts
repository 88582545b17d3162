import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import type { Page } from 'playwright-core'
import { projectPath } from '../../src/platform/project.ts'
import { claimIn, createSale, inBrowser } from './running.ts'
import { fetchIn, glance, loseAnswers, payWith, picture, shows } from './page.ts'

// The rarer states of a waiting room, as a person sees them. Pictures: test/output/.
const HOUR = 3_600_000

inBrowser('states of a waiting room in a browser', (system) => {
  const queue = (sale: string) => `${system.urls.queue}/${sale}`
  const ticketOf = (page: Page, sale: string) =>
    page.evaluate(
      (name) => JSON.parse(localStorage.getItem(name) ?? '{}') as { ticket: string; lobby_index?: number },
      `doorbuster.ticket.${sale}`,
    )

  test('a draw: each browser computes its own place, and it is the one the server has', async () => {
    await createSale(system, 'lots', { rate: 0.001, opens_at: Date.now() + HOUR, order: 'draw' })
    for (let others = 0; others < 30; others++) await system.join('lots')
    const visitors = [await system.visitor(), await system.visitor()]
    for (const { page } of visitors) {
      await page.goto(queue('lots'))
      await shows(page, '#text', 'You are in.')
    }
    const [first, second] = visitors.map(({ page }) => page) as [Page, Page]
    await shows(first, '#position', '31')
    await shows(second, '#position', '32')
    await picture(second, 'draw-lobby')
    await second.locator('#to-draw').click()
    await shows(second, '#seen', 'the one this browser saw')
    await shows(second, '#secret', 'published at the opening')
    await picture(second, 'draw-before')
    await second.goto(queue('lots'))

    const requests: string[] = []
    first.on('request', (request) => requests.push(request.url()))
    await system.operator.command('lots', 'open', 'test')
    for (const page of [first, second]) {
      await glance(page)
      await shows(page, '#heading', /You are in line|It is your turn/)
    }
    // The opening costs nothing but the status everybody asks for.
    expect(requests.filter((url) => !/\/api\/queue\/lots(\/enter)?$/.test(url))).toEqual([])

    for (const page of [first, second]) {
      const { ticket, lobby_index } = await ticketOf(page, 'lots')
      await page.goto(`${queue('lots')}/draw`)
      await shows(page, '#verdict', 'Verified')
      const shown = /has place ([\d,]+)/.exec((await page.locator('#own-text').textContent()) ?? '')?.[1]
      const kept = await page.evaluate(
        async ([sale, ticket]) => {
          const device = JSON.parse(localStorage.getItem('doorbuster.device') ?? '""') as string
          const answer = await fetch(`/api/queue/${sale}/join`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ device, ticket }),
          })
          return (await answer.json()) as { position: number }
        },
        ['lots', ticket] as const,
      )
      expect(Number(shown)).toBe(kept.position)
      await page.locator('#index').fill(String(lobby_index ?? 0))
      await page.locator('#check-form button').click()
      await shows(page, '#check-answer', `has place ${kept.position} of 32`)

      const verified = verifyDraw('lots', '--index', String(lobby_index ?? 0))
      expect(verified.code).toBe(0)
      expect(verified.out).toContain(`lobby index ${lobby_index ?? 0} has position ${kept.position}`)
    }
    await picture(second, 'draw-after')
    expect(verifyDraw('lots').out).toContain('first in line: lobby indices')
    expect(verifyDraw('no-such-sale')).toMatchObject({ code: 1 })
    await createSale(system, 'undrawn', { opens_at: Date.now() + HOUR, order: 'draw' })
    expect(verifyDraw('undrawn')).toMatchObject({ code: 1 })
  }, 90_000)

  const verifyDraw = (...options: string[]) => {
    const command = [projectPath('src/doorbuster.ts'), 'verify-draw', ...options]
    const { status, stdout } = spawnSync(process.execPath, [...command, '--data-dir', system.dataDir])
    return { code: status, out: stdout.toString() }
  }

  test('before the lobby opens the page waits, and takes a place by itself when it does', async () => {
    const now = Date.now()
    await createSale(system, 'soon', { opens_at: now + 2 * HOUR, lobby_opens_at: now + HOUR })
    const { page } = await system.visitor()
    let joins = 0
    page.on('request', (request) => (joins += Number(request.url().endsWith('/join'))))
    await page.goto(queue('soon'))
    await shows(page, '#heading', 'The waiting room opens in')
    await shows(page, '#countdown', /^(1:00:00|59:\d\d)$/)
    await picture(page, 'scheduled')
    expect(joins).toBe(0)
    await createSale(system, 'sooner', { opens_at: now + HOUR, lobby_opens_at: Date.now() + 3000 })
    await page.goto(queue('sooner'))
    await shows(page, '#heading', 'The waiting room opens in')
    await shows(page, '#heading', 'The sale opens in')
    await shows(page, '#position', '1')
  }, 60_000)

  test('a rehearsal says that it is one, also when it is over', async () => {
    await createSale(system, 'trial', { opens_at: Date.now() + HOUR })
    await system.operate('POST', 'sales/trial/rehearse', { opens_in_s: 1800 })
    const { page } = await system.visitor()
    await page.goto(queue('trial'))
    await shows(page, '#heading', 'The sale opens in')
    expect(await page.locator('#rehearsal').isVisible()).toBe(false)
    await page.goto(queue('trial-rehearsal-1'))
    await shows(page, '#rehearsal', 'This is a rehearsal. Nothing is sold here, and no real money is taken.')
    await picture(page, 'rehearsal')
    await system.operator.command('trial-rehearsal-1', 'end', 'test')
    await glance(page)
    await shows(page, '#heading', 'The sale has ended')
    await shows(page, '#rehearsal', 'This is a rehearsal.')
  }, 30_000)

  test('ten million people fit on a phone', async () => {
    const { page } = await system.visitor()
    await createSale(system, 'crowd', { rate: 0.001 })
    await system.join('crowd')
    await page.addInitScript(() => {
      const crowd: Readonly<Record<string, object>> = {
        '/api/queue/crowd': {
          ...{ now_serving: 1_234_567, last_position: 12_345_678, rate_per_second: 500 },
          ...{ available: 12_345, total: 50_000 },
        },
        '/api/queue/crowd/join': { position: 12_345_678 },
      }
      const fetch = window.fetch.bind(window)
      const changing = async (path: string, init?: RequestInit) => {
        const answer = await fetch(path, init)
        const changed = crowd[path]
        return changed === undefined
          ? answer
          : Response.json({ ...((await answer.json()) as object), ...changed })
      }
      Object.assign(window, { fetch: changing })
    })
    await page.goto(queue('crowd'))
    await shows(page, '#hero-number', /^11,11\d,\d{3}$/)
    await page.setViewportSize({ width: 320, height: 640 })
    const lines = await page.locator('#hero-number').evaluate((number) => {
      const range = document.createRange()
      range.selectNodeContents(number)
      return range.getClientRects().length
    })
    expect(lines).toBe(1)
    await picture(page, 'waiting-millions')
  }, 30_000)

  test('an address without a sale says so, and asks for nothing more', async () => {
    const { page } = await system.visitor()
    let asked = 0
    page.on('request', (request) => (asked += Number(/\/api\/queue\/nowhere/.test(request.url()))))
    await page.goto(queue('nowhere'))
    await shows(page, '#heading', 'There is no such sale')
    await shows(page, '#text', 'The address may be mistyped, or the sale is long over.')
    await shows(page, '#shop', 'Back to the shop')
    await picture(page, 'waiting-refused')
    // The status, and the challenge that was fetched beside it.
    expect(asked).toBeLessThanOrEqual(2)
  }, 30_000)

  test('sold out after a draw: the page says how it was decided, and leads to the proof', async () => {
    await createSale(system, 'lot', { units: 1, opens_at: Date.now() + HOUR, order: 'draw' })
    const [buyer, loser] = [await system.visitor(), await system.visitor()]
    await loser.page.goto(queue('lot'))
    await shows(loser.page, '#position', '1')
    await system.operator.command('lot', 'open', 'test')
    await claimIn(system, buyer.page, 'lot')
    await payWith(buyer.page, '4242 4242 4242 4242')
    await shows(buyer.page, '#order-title', 'Paid')
    await loser.page.goto(queue('lot'))
    await shows(loser.page, '#heading', 'Sold out')
    await shows(loser.page, '#over-numbers', 'Your number1')
    await shows(loser.page, '#fair', 'got a number by lot')
    await picture(loser.page, 'waiting-sold-out-draw')
    await loser.page.locator('#fair-draw-link').click()
    await shows(loser.page, '#verdict', 'Verified')
  }, 40_000)

  test('a code leads into the line of a group, a wrong one costs nothing', async () => {
    await createSale(system, 'club', { rate: 0.001 })
    await system.operate('POST', 'sales/club/groups', {
      ...{ id: 'members', name: 'Members', code: 'open sesame', rate_per_second: 0.15 },
    })
    for (let others = 0; others < 3; others++) await system.join('club')
    const { page } = await system.visitor()
    await page.goto(queue('club'))
    await shows(page, '#position', '4')
    await page.locator('#code-box summary').click()
    await page.locator('#code').fill('open barley')
    await page.locator('#code-button').click()
    await shows(page, '#code-answer', 'There is no group with this code')
    await picture(page, 'group-code')
    await shows(page, '#position', '4')
    await page.locator('#code').fill('open sesame')
    await page.locator('#code-button').click()
    await page.waitForURL(`${system.urls.shop}/checkout/club`)
    // The next one of the group waits in its line.
    const other = await system.visitor()
    await other.page.goto(queue('club'))
    await other.page.locator('#code-box summary').click()
    await other.page.locator('#code').fill('open sesame')
    await other.page.locator('#code-button').click()
    await shows(other.page, '#heading', 'You are in the line of your group')
    await picture(other.page, 'group')
  }, 60_000)

  test('a full house says so kindly and keeps asking, in time to keep the order', async () => {
    await createSale(system, 'full')
    await system.operate('PUT', 'sales/full/cap', { checkout_cap: 1 })
    const [first, second] = [await system.visitor(), await system.visitor()]
    await first.page.goto(queue('full'))
    await first.page.locator('#claim-button').waitFor()
    const asked: number[] = []
    second.page.on('request', (request) => {
      if (request.url().endsWith('/enter')) asked.push(performance.now())
    })
    await second.page.goto(queue('full'))
    await shows(second.page, '#heading', 'It is your turn')
    await shows(second.page, '#text', 'We let you in as soon as there is room.')
    await picture(second.page, 'full-house')
    await second.page.waitForResponse(() => asked.length >= 4)
    const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0))
    expect(Math.max(...gaps)).toBeLessThan(3000)
    expect(Math.min(...gaps)).toBeGreaterThan(900)
    await first.page.locator('#claim-button').click()
    await shows(first.page, '#order-title', 'You have it')
    await second.page.waitForURL(`${system.urls.shop}/checkout/full`)
  }, 60_000)

  test('on standby one walks straight in', async () => {
    await createSale(system, 'calm', { standby_threshold: 100, rate: 0.001 })
    for (const { page } of [await system.visitor(), await system.visitor()]) {
      await page.goto(queue('calm'))
      await page.waitForURL(`${system.urls.shop}/checkout/calm`)
    }
  }, 30_000)

  test('units left against people ahead, and a word when it is likely to sell out first', async () => {
    await createSale(system, 'slim', { units: 3, rate: 0.01 })
    for (let others = 0; others < 5; others++) await system.join('slim')
    const { page } = await system.visitor()
    await page.goto(queue('slim'))
    await shows(page, '#units', '3 of 3')
    await shows(page, '#hero-number', /^[45]$/)
    await shows(page, '#outlook', 'It is likely that everything is sold before your turn comes.')
    await page.locator('#rules summary').click()
    await picture(page, 'sell-out-likely')
  }, 30_000)

  test('a wait on the screen does not grow when the line slows down, it goes; and comes back', async () => {
    await createSale(system, 'slower', { rate: 0.2 })
    for (let others = 0; others < 60; others++) await system.join('slower')
    const { page } = await system.visitor()
    await page.goto(queue('slower'))
    await shows(page, '#text', /Your turn comes in about [2-5] minutes/)
    await system.setRate('slower', 0.05)
    await glance(page)
    await shows(page, '#text', 'nobody can say how long it takes')
    await system.setRate('slower', 0.4)
    await glance(page)
    await shows(page, '#text', /Your turn comes in about [2-3] minutes/)
  }, 30_000)

  test('a sale that is over says so, to those who wait and to those who come', async () => {
    await createSale(system, 'over', { rate: 0.001 })
    await system.join('over')
    const [waiter, comer] = [await system.visitor(), await system.visitor()]
    await waiter.page.goto(queue('over'))
    await shows(waiter.page, '#heading', 'You are in line')
    await system.operate('POST', 'sales/over/close', {})
    await glance(waiter.page)
    await comer.page.goto(queue('over'))
    for (const { page } of [waiter, comer]) await shows(page, '#heading', 'This sale is over')
    await picture(comer.page, 'post-sale')
  }, 30_000)

  test('a join whose answer got lost is repeated with the same key: one place', async () => {
    await createSale(system, 'deaf', { rate: 0.001 })
    const { page } = await system.visitor()
    await page.goto(`${system.urls.queue}/demo/draw`)
    const { lost, stop } = await loseAnswers(page, '/api/queue/deaf/join')
    await page.goto(queue('deaf'))
    await shows(page, '#trouble', 'We can not reach the server')
    await stop()
    await page.reload()
    await shows(page, '#position', '1')
    await page.reload()
    await shows(page, '#position', '1')
    expect(new Set(lost.map((headers) => headers['Idempotency-Key'])).size).toBe(1)
    const next = await system.visitor()
    await next.page.goto(queue('deaf'))
    await shows(next.page, '#position', '2')
  }, 60_000)

  test('the back button looks again: it neither joins twice nor gives up what is held', async () => {
    await createSale(system, 'back')
    const { context, page } = await system.visitor()
    const joins: number[] = []
    context.on('response', (response) => {
      if (response.url().endsWith('/join')) joins.push(response.status())
    })
    await page.goto(`${system.urls.shop}/products/back-lamp`)
    await page.locator('#buy').click()
    await page.locator('#claim-button').click()
    await shows(page, '#order-title', 'You have it')
    await page.goBack()
    await shows(page, '#stock', '9 of 10 left')
    await page.goForward()
    await shows(page, '#order-title', 'You have it')
    await page.goBack()
    await page.locator('#buy').click()
    await shows(page, '#order-title', 'You have it')
    expect(joins).toEqual([201, 200])
    const { text } = await fetchIn(page, '/api/orders')
    expect((JSON.parse(text) as { orders: unknown[] }).orders).toHaveLength(1)
  }, 60_000)

  test('brought back as it was left, the page asks at once', async () => {
    await createSale(system, 'frozen', { rate: 0.001 })
    for (let others = 0; others < 3; others++) await system.join('frozen')
    const { page } = await system.visitor()
    await page.goto(queue('frozen'))
    await shows(page, '#heading', 'You are in line')
    await system.operator.command('frozen', 'pause', 'test')
    // What a browser does when it takes a page out of its back/forward cache.
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))
    await shows(page, '#heading', 'The sale is paused')
  }, 30_000)
})
