import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { atStripe, claimIn, createSale, inBrowser } from './running.ts'
import { fetchIn, payWith, picture, shows } from './page.ts'

// Whatever a buyer does to the page, one wish is one claim and one payment, and the page is true. Pictures: test/output/.
const GOOD_CARD = '4242 4242 4242 4242'
const ASKING_CARD = '4000 0025 0000 3155'
const POOR_ASKING_CARD = '4000 0082 6000 3178'

inBrowser('one purchase, whatever is done to the page', (system) => {
  const queue = (sale: string) => `${system.urls.queue}/${sale}`
  const ordersOf = async (page: Page) => {
    const { text } = await fetchIn(page, '/api/orders')
    return (JSON.parse(text) as { orders: { order_id: string; status: string; sale_id: string }[] }).orders
  }
  /** One order of the sale, paid with one payment that was authorised and captured once. */
  const expectOnePurchase = async (page: Page, sale: string) => {
    const orders = (await ordersOf(page)).filter(({ sale_id }) => sale_id === sale)
    expect(orders.map(({ status }) => status)).toEqual(['PAID'])
    const { entries = [] } = await atStripe(
      system,
      'GET',
      `/_sandbox/ledger?order_id=${orders[0]?.order_id ?? ''}`,
    )
    const moved = entries.filter(({ authorisations }) => authorisations > 0)
    expect(moved).toMatchObject([{ authorisations: 1, captured: 1999, refunded: 0 }])
  }

  test('a double click claims once and pays once', async () => {
    await createSale(system, 'twice')
    const { page } = await system.visitor()
    await page.goto(queue('twice'))
    await page.locator('#claim-button').dblclick()
    await shows(page, '#order-title', 'You have it')
    await page.locator('#test-cards').waitFor()
    await payWith(page, GOOD_CARD, (button) => button.dblclick())
    await shows(page, '#order-title', 'Paid')
    await expectOnePurchase(page, 'twice')
  }, 60_000)

  test('refresh, back and forward show the same order at every step', async () => {
    await createSale(system, 'again')
    const { page } = await system.visitor()
    await page.goto(queue('again'))
    await page.locator('#scene-choose').waitFor()
    await page.reload()
    await shows(page, '#choose-title', 'It is your turn')
    await page.locator('#claim-button').click()
    await shows(page, '#order-title', 'You have it')
    const address = page.url()
    await page.reload()
    await shows(page, '#order-title', 'You have it')
    await page.goto(`${system.urls.shop}/orders`)
    await shows(page, '.badge', 'To be paid')
    await page.goBack()
    await shows(page, '#order-title', 'You have it')
    await page.goForward()
    await shows(page, '.badge', 'To be paid')
    await page.goBack()
    // Back into the waiting room, whose place leads to the same pass and so to the same order.
    await page.goto(queue('again'))
    await shows(page, '#order-title', 'You have it')
    expect(page.url()).toBe(address)
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    await page.reload()
    await shows(page, '#order-title', 'Paid')
    await shows(page, '#receipt-facts', 'Card (Stripe)')
    await expectOnePurchase(page, 'again')
  }, 90_000)

  test('a second tab finds the order of the first, and what one pays the other shows', async () => {
    await createSale(system, 'tabs')
    const { context, page } = await system.visitor()
    const other = await context.newPage()
    // Both have the pass in hand before either claims.
    for (const tab of [page, other]) {
      await tab.goto(queue('tabs'))
      await tab.locator('#scene-choose').waitFor()
    }
    await page.locator('#claim-button').click()
    await shows(page, '#order-title', 'You have it')
    await page.locator('#test-cards').waitFor()
    await other.locator('#claim-button').click()
    await shows(other, '#order-title', 'You have it')
    expect(other.url()).toBe(page.url())
    await other.locator('#test-cards').waitFor()
    // Typed in both first: what one has paid the other shows at once, and takes the form away.
    await payWith(page, GOOD_CARD, () => Promise.resolve())
    await payWith(other, '5555 5555 5555 4444', () => Promise.resolve())
    await Promise.all([page, other].map((tab) => tab.locator('#pay').click()))
    for (const tab of [page, other]) await shows(tab, '#order-title', 'Paid')
    await expectOnePurchase(page, 'tabs')
  }, 90_000)

  test('offline at the moment of paying: nothing is sent, and paying goes on when the network is back', async () => {
    await createSale(system, 'tunnel')
    const { context, page } = await system.visitor()
    await claimIn(system, page, 'tunnel')
    await page.locator('#test-cards').waitFor()
    await context.setOffline(true)
    await payWith(page, GOOD_CARD)
    await shows(page, '#card-error', 'You are offline: nothing was sent.')
    await shows(page, '#trouble', 'The shop does not answer')
    await picture(page, 'checkout-offline')
    await context.setOffline(false)
    await page.locator('#trouble').waitFor({ state: 'hidden' })
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    await expectOnePurchase(page, 'tunnel')
  }, 60_000)

  test('the provider fails to answer: the page says that nothing is lost, and a second try is charged once', async () => {
    await createSale(system, 'silent')
    const { page } = await system.visitor()
    await claimIn(system, page, 'silent')
    await page.locator('#test-cards').waitFor()
    await atStripe(system, 'POST', '/_sandbox/faults', { fail_next: 1, on: 'confirm' })
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'No answer yet')
    await picture(page, 'checkout-unanswered')
    await page.locator('#pay-error').waitFor({ timeout: 45_000 })
    await shows(page, '#pay-error', 'We have no word of your payment yet')
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    await expectOnePurchase(page, 'silent')
  }, 120_000)

  test('the answer of the provider is lost, and its webhooks too: found out by asking', async () => {
    await createSale(system, 'deaf')
    const { page } = await system.visitor()
    await claimIn(system, page, 'deaf')
    await page.locator('#test-cards').waitFor()
    await atStripe(system, 'POST', '/_sandbox/faults', { lose_next: 1, on: 'confirm', webhooks: 'drop' })
    await payWith(page, GOOD_CARD)
    await page.locator('#order-title', { hasText: 'Paid' }).waitFor({ timeout: 45_000 })
    await atStripe(system, 'POST', '/_sandbox/faults', { lose_next: 0, on: 'any', webhooks: 'deliver' })
    await expectOnePurchase(page, 'deaf')
  }, 90_000)

  test("the bank's page left by the back button, then a refusal with its reason, then a yes", async () => {
    await createSale(system, 'asked')
    const { page } = await system.visitor()
    await claimIn(system, page, 'asked')
    await page.locator('#test-cards').waitFor()
    await payWith(page, ASKING_CARD)
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await picture(page, 'bank-question')
    await page.goBack()
    await shows(page, '#order-title', 'You have it')
    await page.locator('#test-cards').waitFor()
    await payWith(page, POOR_ASKING_CARD)
    await page.getByRole('button', { name: 'Approve' }).click()
    await shows(page, '#pay-error', 'There is not enough money on this card.')
    await picture(page, 'checkout-bank-declined')
    await payWith(page, ASKING_CARD)
    await page.getByRole('button', { name: 'Approve' }).click()
    await shows(page, '#order-title', 'Paid')
    await expectOnePurchase(page, 'asked')
  }, 90_000)
})
