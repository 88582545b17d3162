import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { claimIn, createSale, inBrowser } from './running.ts'
import { cardFields, payWith, picture, shows } from './page.ts'

// The provider's card fields: whose they are, what comes out of them, and what is told where they do not come.
// One that the page does not name among those to try.
const NUMBER = '5555 5555 5555 4444'

inBrowser('card fields in a browser', (system) => {
  const atCheckout = async (sale: string): Promise<Page> => {
    await createSale(system, sale)
    const { page } = await system.visitor()
    await claimIn(system, page, sale)
    return page
  }

  test('what is typed leaves the frame for the provider alone; a card that is none is told there and then', async () => {
    const page = await atCheckout('isolated')
    const provider = new URL(system.urls.stripe_sandbox ?? '').origin
    const told: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(provider)) told.push(`${request.url()} ${request.postData() ?? ''}`)
    })
    const fields = cardFields(page)
    await fields.locator('#number').fill('4242 4242 4242 4241')
    await page.locator('#pay').click()
    await shows(page, '#card-error', 'Check the card number')
    expect(await fields.locator('#number').getAttribute('aria-invalid')).toBe('true')
    await picture(page, 'checkout-card-wrong')
    await fields.locator('#number').fill(NUMBER)
    await page.locator('#card-error').waitFor({ state: 'hidden' })

    const [frame] = page.frames().filter((one) => one.url().startsWith(provider))
    expect(frame?.parentFrame()?.url()).toStartWith(system.urls.shop)
    expect(await page.content()).not.toContain('5555')
    const reach = () =>
      page.evaluate(() => {
        try {
          return document.querySelector('iframe')?.contentWindow?.document.title ?? 'no frame'
        } catch (error) {
          return (error as Error).name
        }
      })
    expect(await reach()).toBe('SecurityError')
    const scripts = await page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => name),
    )
    const foreign = scripts.filter((name) => !name.startsWith(system.urls.shop))
    expect(
      foreign.filter((name) => !name.startsWith(provider) && !name.startsWith(system.urls.queue)),
    ).toEqual([])

    await fields.locator('#expiry').fill('12/34')
    await fields.locator('#cvc').fill('123')
    await fields.locator('#cvc').press('Enter')
    await shows(page, '#order-title', 'Paid')
    expect(told.length).toBeGreaterThan(2)
    expect(told.filter((text) => text.replaceAll(/\D/g, '').includes('55555555'))).toEqual([])
  }, 60_000)

  test('where they do not load it is told, with a way on: once more, or PayPal', async () => {
    await createSale(system, 'away')
    const { context, page } = await system.visitor()
    await context.route('**/v3', (route) => route.abort())
    await claimIn(system, page, 'away')
    await shows(
      page,
      '#card-error',
      'The card form can not be loaded. You were not charged. Try again, or pay with PayPal.',
    )
    await picture(page, 'checkout-card-away')
    await page.locator('#card-retry').click()
    await shows(page, '#card-error', 'The card form can not be loaded.')
    await context.unroute('**/v3')
    await page.locator('#card-retry').click()
    await payWith(page, NUMBER)
    await shows(page, '#order-title', 'Paid')
  }, 60_000)

  test('at night they are dark, too', async () => {
    const page = await atCheckout('night')
    await page.emulateMedia({ colorScheme: 'dark' })
    await cardFields(page).locator('#number').waitFor()
    await picture(page, 'checkout-card-dark')
  }, 60_000)
})
