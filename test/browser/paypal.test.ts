import { expect, test } from 'bun:test'
import { claimIn, createSale, inBrowser } from './running.ts'
import { payWith, picture, shows } from './page.ts'

// Buying with PayPal, over the page of the sandbox that stands for PayPal's. Pictures: test/output/.
inBrowser('paying with PayPal in a browser', (system) => {
  test('cancelled there, then declined, then paid', async () => {
    await createSale(system, 'friendly')
    const { page } = await system.visitor()
    await claimIn(system, page, 'friendly')
    const paypal = page.getByRole('button', { name: /^Pay .* with PayPal$/ })
    await paypal.waitFor()
    await picture(page, 'checkout-paypal')

    await paypal.click()
    await page.getByRole('heading', { name: 'PayPal sandbox' }).waitFor()
    await page.getByText('€19.99').waitFor()
    await picture(page, 'paypal-sandbox')
    await page.getByRole('button', { name: 'Cancel and return' }).click()
    await shows(page, '#pay-error', 'You came back from PayPal without paying')
    expect(page.url()).not.toContain('token')
    await picture(page, 'checkout-paypal-cancelled')

    await paypal.click()
    await page.getByRole('combobox', { name: 'Pay with' }).selectOption('declined_card')
    await page.getByRole('button', { name: 'Pay now' }).click()
    await shows(page, '#pay-error', 'PayPal could not use what you chose to pay with.')
    await shows(page, '#order-title', 'You have it')
    await picture(page, 'checkout-paypal-declined')

    await paypal.click()
    await page.getByRole('button', { name: 'Pay now' }).click()
    await shows(page, '#order-title', 'Paid')
    expect(await paypal.isVisible()).toBe(false)
    await shows(page, '#receipt-facts', 'PayPal')
  }, 60_000)

  test('declined there, paid by card here', async () => {
    await createSale(system, 'fallback')
    const { page } = await system.visitor()
    await claimIn(system, page, 'fallback')
    await page.getByRole('button', { name: /^Pay .* with PayPal$/ }).click()
    await page.getByRole('combobox', { name: 'Pay with' }).selectOption('blocked_account')
    await page.getByRole('button', { name: 'Pay now' }).click()
    await shows(page, '#pay-error', 'PayPal does not let this account pay.')
    await payWith(page, '4242 4242 4242 4242')
    await shows(page, '#order-title', 'Paid')
    await shows(page, '#receipt-facts', 'Card (Stripe)')
  }, 60_000)

  test('without scripts', async () => {
    await createSale(system, 'plainly')
    const { page } = await system.visitor({ javaScriptEnabled: false })
    await page.goto(`${system.urls.queue}/plainly/plain`)
    await page.getByRole('button', { name: 'Take a place in line' }).click()
    await page.getByRole('button', { name: 'Claim it' }).click()
    const paypal = page.getByRole('button', { name: /^Pay .* with PayPal$/ })
    for (let looks = 0; looks < 20 && !(await paypal.isVisible()); looks += 1) await page.reload()
    await picture(page, 'plain-paypal')
    await paypal.click()
    await page.getByRole('combobox', { name: 'Pay with' }).selectOption('declined_card')
    await page.getByRole('button', { name: 'Pay now' }).click()
    await page.getByRole('heading', { name: 'PayPal did not pay' }).waitFor()
    await picture(page, 'plain-paypal-declined')
    await page.getByRole('link', { name: 'Back to your order' }).click()
    await paypal.click()
    await page.getByRole('button', { name: 'Pay now' }).click()
    await page.getByRole('heading', { name: 'Paid. It is yours' }).waitFor()
  }, 60_000)
})
