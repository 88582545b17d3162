import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { atStripe, claimIn, createSale, inBrowser } from './running.ts'
import { cardFields, fetchIn, payWith, picture, shows } from './page.ts'

// Every way a purchase can end, each a page of its own. Pictures: test/output/.
const GOOD_CARD = '4242 4242 4242 4242'

inBrowser('how a purchase ends, in a browser', (system) => {
  const queue = (sale: string) => `${system.urls.queue}/${sale}`
  const hasFocus = (page: Page, selector: string) =>
    page.locator(selector).evaluate((found) => found === document.activeElement)
  const orderOf = async (page: Page) => {
    const { text } = await fetchIn(page, '/api/orders')
    const [order] = (JSON.parse(text) as { orders: { order_id: string; pay_again: boolean }[] }).orders
    if (order === undefined) throw new Error('no order')
    return order
  }

  test('all held: the page says when one comes back, and when all are gone for good', async () => {
    await createSale(system, 'race', { units: 1 })
    const [first, second] = [await system.visitor(), await system.visitor()]
    for (const { page } of [first, second]) {
      await page.goto(queue('race'))
      await page.locator('#scene-choose').waitFor()
    }
    expect(await hasFocus(first.page, '#choose-title')).toBe(true)
    await first.page.locator('#claim-button').click()
    await shows(first.page, '#order-title', 'You have it')
    await second.page.locator('#claim-button').click()
    await shows(second.page, '#message-title', 'All held right now')
    await second.page.locator('#answer', { hasText: 'All held right now' }).waitFor({ state: 'attached' })
    expect(await hasFocus(second.page, '#message-title')).toBe(true)
    await shows(second.page, '#message-stock', '1 not paid yet')
    await picture(second.page, 'checkout-held')

    await first.page.locator('#cancel').click()
    await first.page.locator('#cancel-yes').click()
    await shows(first.page, '#order-title', 'Order cancelled')
    await shows(second.page, '#message-title', 'Something has come back')
    await shows(second.page, '#message-stock', '1 of 1 left')
    await picture(second.page, 'checkout-held-returned')
    await second.page.getByRole('button', { name: 'Try again' }).click()
    await shows(second.page, '#order-title', 'You have it')

    const third = await system.visitor()
    await third.page.goto(queue('race'))
    await shows(third.page, '#heading', 'All taken for now')
  }, 90_000)

  test('sold out while somebody looks on: not this time, and no more than that', async () => {
    await createSale(system, 'gone', { units: 1 })
    const [first, second] = [await system.visitor(), await system.visitor()]
    for (const { page } of [first, second]) {
      await page.goto(queue('gone'))
      await page.locator('#scene-choose').waitFor()
    }
    await first.page.locator('#claim-button').click()
    await shows(first.page, '#order-title', 'You have it')
    await second.page.locator('#claim-button').click()
    await shows(second.page, '#message-title', 'All held right now')
    await payWith(first.page, GOOD_CARD)
    await shows(first.page, '#order-title', 'Paid')
    await shows(second.page, '#message-title', 'Not this time')
    expect(await hasFocus(second.page, '#message-title')).toBe(true)
    await picture(second.page, 'checkout-sold-out')
    await second.page.getByRole('link', { name: 'What happened, and by which rule' }).click()
    await shows(second.page, '#heading', 'Sold out')
    await shows(second.page, '#over-numbers', '1 of 1')

    // Who has one may have no more.
    await createSale(system, 'one-each')
    await claimIn(system, first.page, 'one-each')
    await first.page.goto(`${queue('one-each')}#new`)
    await first.page.locator('#claim-button').click()
    await shows(first.page, '#message-title', 'You have as many as one buyer may')
    await picture(first.page, 'checkout-limit')
  }, 90_000)

  test('what else a claim may be refused for, each with its way on: fewer left, sold out but for others, paused', async () => {
    const lamp = {
      id: 'mixed-lamp',
      name: 'Lamp',
      amount: 1999,
      currency: 'EUR',
      units: 2,
      per_buyer_limit: 3,
    }
    const chair = { ...lamp, id: 'mixed-chair', name: 'Chair', per_buyer_limit: 1 }
    await createSale(system, 'mixed', { products: [lamp, chair] })
    const [first, second] = [await system.visitor(), await system.visitor()]
    for (const { page } of [first, second]) {
      await page.goto(queue('mixed'))
      await page.getByRole('radio', { name: /Lamp/ }).check()
    }
    await second.page.getByLabel('How many').selectOption('3')
    await picture(second.page, 'checkout-choose-many')
    await second.page.locator('#claim-button').click()
    await shows(second.page, '#message-title', 'Fewer are left than you asked for')
    await picture(second.page, 'checkout-fewer')
    await second.page.getByRole('button', { name: 'Choose again' }).click()
    await shows(second.page, '#choose-title', 'It is your turn')
    expect(await second.page.getByRole('radio', { name: /Lamp/ }).isChecked()).toBe(true)

    await first.page.getByLabel('How many').selectOption('2')
    await first.page.locator('#claim-button').click()
    await shows(first.page, '#bill-item', '2 × Lamp')
    await payWith(first.page, GOOD_CARD)
    await shows(first.page, '#order-title', 'Paid')
    await second.page.locator('#claim-button').click()
    await shows(second.page, '#message-title', 'Not this time')
    await shows(second.page, '#message-text', 'Your pass is still good for the others.')
    await picture(second.page, 'checkout-sold-out-others')
    await second.page.getByRole('button', { name: 'Choose another' }).click()
    await second.page.getByRole('radio', { name: /Chair/ }).check()

    await system.operator.command('mixed', 'pause', 'test')
    await second.page.locator('#claim-button').click()
    await shows(second.page, '#message-title', 'The sale is paused')
    await picture(second.page, 'checkout-paused')
    await system.operator.command('mixed', 'resume', 'test')
    await second.page.getByRole('button', { name: 'Try again' }).click()
    await shows(second.page, '#order-title', 'You have it')
    await shows(second.page, '#bill-item', 'Chair')
  }, 90_000)

  test('a pass that is used up leads back to the line', async () => {
    await createSale(system, 'brief', { pass_s: 3 })
    const { page } = await system.visitor()
    await page.goto(queue('brief'))
    await page.locator('#scene-choose').waitFor()
    await page.waitForTimeout(4000)
    await page.locator('#claim-button').click()
    await shows(page, '#message-title', 'The pass has expired')
    await page.getByRole('link', { name: 'Join the line again' }).waitFor()
    await picture(page, 'checkout-pass-over')
  }, 60_000)

  test('the time runs out while the form is open: warned, told, not charged, and the unit is free', async () => {
    await createSale(system, 'short', { units: 1, payment_window_s: 14, hold_s: 16 })
    const { page } = await system.visitor()
    await claimIn(system, page, 'short')
    expect(await hasFocus(page, '#order-title')).toBe(true)
    expect(await page.locator('#pay-time').getAttribute('data-hurry')).toBe('true')
    await cardFields(page).locator('#number').fill('4242 4242')
    await picture(page, 'checkout-hurry')
    await page.locator('#pay-said', { hasText: '10 seconds left to pay.' }).waitFor({ state: 'attached' })
    const list = await page.context().newPage()
    await list.goto(`${system.urls.shop}/orders`)
    await shows(list, '.time-left', /^00:\d\d left to pay$/)
    await picture(list, 'orders-open')
    // The form has been open all the time.
    await shows(page, '#order-title', 'The time was up')
    expect(await hasFocus(page, '#order-title')).toBe(true)
    expect(await page.locator('#card').isVisible()).toBe(false)
    await picture(page, 'checkout-expired')
    const { text } = await fetchIn(page, '/api/items/short-lamp/stock')
    expect(JSON.parse(text)).toMatchObject({ available: 1, held: 0, sold: 0 })
    await shows(list, '.badge', 'Time was up')
    await picture(list, 'orders-expired')
  }, 90_000)

  test('paid, and the money is lost before we have it: the page says so, and is paid again', async () => {
    await createSale(system, 'withdrawn')
    const { page } = await system.visitor()
    await claimIn(system, page, 'withdrawn')
    await atStripe(system, 'POST', '/_sandbox/faults', { fail_next: 1000, on: 'capture' })
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    const { order_id } = await orderOf(page)
    const { entries = [] } = await atStripe(system, 'GET', `/_sandbox/ledger?order_id=${order_id}`)
    await atStripe(system, 'POST', `/v1/payment_intents/${entries[0]?.payment ?? ''}/cancel`)
    await atStripe(system, 'POST', '/_sandbox/faults', { fail_next: 0, on: 'any' })
    // The page looks again by itself; a reload only makes it quicker.
    for (let looks = 0; looks < 20 && !(await orderOf(page)).pay_again; looks += 1)
      await page.waitForTimeout(500)
    await shows(page, '#order-title', 'Please pay once more')
    expect(await page.locator('#receipt').isVisible()).toBe(false)
    await picture(page, 'checkout-pay-again')
    await page.goto(`${system.urls.shop}/checkout/withdrawn/plain/orders/${order_id}`)
    await page.getByRole('heading', { name: 'Please pay once more' }).waitFor()
    await page.getByRole('button', { name: 'Pay €19.99 with PayPal' }).waitFor()
    await picture(page, 'plain-pay-again')
    await page.goto(`${system.urls.shop}/orders`)
    await shows(page, '.badge', 'To be paid again')
    await picture(page, 'orders-pay-again')
    await page.getByRole('link', { name: 'Pay now' }).click()
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    await shows(page, '#receipt-facts', 'Card (Stripe)')
    expect(await orderOf(page)).toMatchObject({ pay_again: false })
  }, 90_000)

  test('a rehearsal says so from the choice to the receipt, and among the orders', async () => {
    await createSale(system, 'stage')
    await system.operate('POST', 'sales/stage/rehearse', { opens_in_s: 0 })
    const { page } = await system.visitor()
    await page.goto(queue('stage-rehearsal-1'))
    await page.locator('#scene-choose').waitFor()
    await shows(page, '#rehearsal', 'Nothing is sold here')
    await page.locator('#claim-button').click()
    await shows(page, '#order-title', 'You have it')
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    await page.reload()
    await shows(page, '#order-title', 'Paid')
    await shows(page, '#rehearsal', 'Nothing is sold here')
    await page.locator('#receipt').waitFor()
    await picture(page, 'checkout-rehearsal')
    await page.goto(`${system.urls.shop}/orders`)
    await shows(page, '.order', 'Rehearsal: nothing is sold.')
    await shows(page, '.order h2', 'Lamp')
    await picture(page, 'orders-rehearsal')
  }, 60_000)
})
