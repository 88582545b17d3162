import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import type { Page } from 'playwright-core'
import { readRunFile } from '../../src/platform/servers/data-dir.ts'
import { glance, picture, setHidden, shows } from './page.ts'
import { createSale, inBrowser, type Running } from './running.ts'

// Somebody who looks at something else meanwhile, and whatever keeps the page from asking. Pictures: test/output/.
const isPoll = (url: string) => /\/api\/queue\/[\w-]+$/.test(url)

inBrowser('away from the waiting room', (system) => {
  const queue = (sale: string) => `${system.urls.queue}/${sale}`

  test('who asked to be told is called at the turn, in a hidden tab that hardly asks, and goes in when they look', async () => {
    const page = await openStubbed(system, 'granted')
    await createSale(system, 'told', { rate: 0.2 })
    for (let others = 0; others < 6; others++) await system.join('told')
    await page.goto(queue('told'))
    await shows(page, '#heading', 'You are in line')
    expect(await page.locator('#tell').isChecked()).toBe(false)
    expect(await told(page)).toEqual({ asked: 0, shown: [], notes: 0 })

    await page.locator('#tell').check()
    await shows(page, '#tell-said', 'You will hear a sound and get a notification.')
    expect(await told(page)).toEqual({ asked: 1, shown: [], notes: 0 })
    await page.locator('#tell-try').click()
    expect((await told(page)).notes).toBe(4)
    await picture(page, 'waiting-tell')
    await page.reload()
    expect(await page.locator('#tell').isChecked()).toBe(true)
    // A browser is silent until it is touched; the page says so, and any touch will do.
    await shows(page, '#tell-said', 'Tap or press anything')
    await page.locator('#heading').click()
    await shows(page, '#tell-said', 'You will hear a sound')

    await shows(page, '#heading', 'You are in line')
    await setHidden(page, true)
    const polls: string[] = []
    page.on('request', (request) => isPoll(request.url()) && polls.push(request.url()))
    await system.setRate('told', 1000)
    await page.waitForFunction(() => document.title === '● It is your turn', undefined, { timeout: 40_000 })
    expect(await told(page)).toEqual({
      asked: 0,
      shown: [['It is your turn', 'Come back to this tab: the checkout is open for you.']],
      notes: 4,
    })
    expect(polls.length).toBeLessThanOrEqual(4)
    expect(page.url()).toBe(queue('told'))
    await picture(page, 'waiting-entering')
    await setHidden(page, false)
    await page.waitForURL(`${system.urls.shop}/checkout/told`)
  }, 90_000)

  test('who asked to be told hears of the end too; a browser without notifications says so', async () => {
    const page = await openStubbed(system, 'denied')
    await createSale(system, 'untold', { rate: 0.2 })
    for (let others = 0; others < 4; others++) await system.join('untold')
    await page.goto(queue('untold'))
    await page.locator('#tell').check()
    await shows(page, '#tell-said', 'This browser shows no notifications of ours.')
    await setHidden(page, true)
    await system.operator.command('untold', 'end', 'test')
    await page.waitForFunction(() => document.title === '● The sale has ended', undefined, {
      timeout: 40_000,
    })
    expect(await told(page)).toEqual({ asked: 0, shown: [], notes: 4 })
    await setHidden(page, false)
    await shows(page, '#heading', 'The sale has ended')
    expect(await page.title()).toBe('The sale has ended')
  }, 60_000)

  test('a server that is away is told from a lost network; the place is kept, and all goes on by itself', async () => {
    await createSale(system, 'gone', { rate: 0.001 })
    for (let others = 0; others < 2; others++) await system.join('gone')
    const { context, page } = await system.visitor()
    await page.goto(queue('gone'))
    await shows(page, '#position', '3')
    await context.route('**/api/queue/**', (route) =>
      route.fulfill({ status: 502, body: '<html>Bad gateway' }),
    )
    await glance(page)
    await shows(page, '#trouble', /^We can not reach the server\..*Your place is kept\.$/)
    await shows(page, '#last-answer', 'Last answer less than a minute ago.')
    await picture(page, 'waiting-server-away')
    await shows(page, '#heading', 'You are in line')
    await context.unroute('**/api/queue/**')
    await page.locator('#trouble').waitFor({ state: 'hidden', timeout: 20_000 })
    await page.locator('#last-answer').waitFor({ state: 'hidden' })
    await context.setOffline(true)
    // Said at once: the next poll would be half a minute away.
    await shows(page, '#trouble', /^You are offline\./)
    await context.setOffline(false)
    await page.locator('#trouble').waitFor({ state: 'hidden' })
    await shows(page, '#position', '3')
  }, 60_000)

  test('the web process is killed: the page says so, and goes on by itself with the one that comes after it', async () => {
    await createSale(system, 'killed', { rate: 0.001 })
    for (let others = 0; others < 2; others++) await system.join('killed')
    const { page } = await system.visitor()
    await page.goto(queue('killed'))
    await shows(page, '#position', '3')
    const supervisor = String(readRunFile(system.dataDir)?.pid)
    const { stdout } = spawnSync('pgrep', ['-P', supervisor, '-f', 'processes/web'], { encoding: 'utf8' })
    process.kill(Number(stdout.trim()), 'SIGKILL')
    await glance(page)
    await shows(page, '#trouble', /^We can not reach the server\..*Your place is kept\.$/)
    await page.locator('#trouble').waitFor({ state: 'hidden', timeout: 30_000 })
    await shows(page, '#position', '3')
    await system.setRate('killed', 1000)
    await glance(page)
    await page.waitForURL(`${system.urls.shop}/checkout/killed`)
  }, 60_000)

  test('without a place nothing is said to be kept', async () => {
    const { context, page } = await system.visitor()
    await createSale(system, 'closed', { rate: 0.001 })
    await context.route('**/api/queue/**', (route) => route.abort('connectionrefused'))
    await page.goto(queue('closed'))
    await shows(page, '#trouble', 'We can not reach the server.')
    expect(await page.locator('#trouble').textContent()).not.toContain('kept')
  }, 30_000)

  test('on a slow network one gets a place all the same', async () => {
    await createSale(system, 'snail', { rate: 0.001, guard: {} })
    const { context, page } = await system.visitor()
    const session = await context.newCDPSession(page)
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', {
      ...{ offline: false, latency: 700, downloadThroughput: 15_000, uploadThroughput: 8000 },
    })
    await page.goto(queue('snail'))
    await page.locator('#position', { hasText: '1' }).waitFor({ timeout: 25_000 })
    await session.detach()
  }, 40_000)
})

/** A page whose browser shows notifications, or not, as far as it can tell; `told` says what came of it. */
async function openStubbed(system: Running, answer: 'granted' | 'denied'): Promise<Page> {
  const { page } = await system.visitor()
  await page.addInitScript((answer) => {
    const told = { asked: 0, shown: [] as string[][], notes: 0 }
    class Heard extends AudioContext {
      override createOscillator() {
        told.notes += 1
        return super.createOscillator()
      }
    }
    class Stub extends EventTarget {
      static permission = answer === 'denied' || sessionStorage.getItem('asked') !== null ? answer : 'default'
      static requestPermission() {
        told.asked += 1
        sessionStorage.setItem('asked', '1')
        return Promise.resolve((Stub.permission = answer))
      }
      constructor(title: string, { body }: { body: string }) {
        super()
        told.shown.push([title, body])
      }
    }
    Object.assign(window, { Notification: Stub, AudioContext: Heard, told })
  }, answer)
  return page
}

function told(page: Page) {
  return page.evaluate(
    () => (window as unknown as { told: { asked: number; shown: string[][]; notes: number } }).told,
  )
}
