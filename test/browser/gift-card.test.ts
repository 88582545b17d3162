import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { claimIn, createSale, inBrowser } from './running.ts'
import { fetchIn, payWith, picture, shows } from './page.ts'

// An order is cancelled as oversold, and its buyer pays with the gift card for it. Pictures: test/output/.
const GOOD_CARD = '4242 4242 4242 4242'

inBrowser('gift cards in a browser', (system) => {
  const saleWithGift = (id: string, amount: number) =>
    createSale(system, id, { units: 1, oversell: { gift_card: { amount } } })
  /** The warehouse finds that the only unit is not there. */
  const oversell = async (id: string) => {
    const item = `${id}-lamp`
    await system.operator.setUnits(item, 0, 'not there')
    const { preview } = await system.operator.oversell(item)
    await system.operator.approve(item, preview?.hash ?? '', 'not there')
  }

  /** Makes this visitor somebody with a gift card. */
  const gifted = async (page: Page, id: string, amount: number): Promise<string> => {
    await saleWithGift(id, amount)
    await claimIn(system, page, id)
    // The order is written: its payment has begun.
    await page.locator('#test-cards').waitFor()
    await oversell(id)
    await shows(page, '#order-title', 'We had to cancel your order')
    await shows(page, '#order-lead', 'a gift card makes up for it')
    const { text } = await fetchIn(page, '/api/gift-cards')
    return (JSON.parse(text) as { gift_cards: { code: string }[] }).gift_cards[0]?.code ?? ''
  }
  const use = async (page: Page, code: string) => {
    await page.getByText(/^I have (a|another) gift card$/).click()
    await page.getByLabel('Code of the gift card').fill(code)
    await page.getByRole('button', { name: 'Use it' }).click()
  }

  test('pays a part, is taken off and put on again, and the rest is paid by card', async () => {
    const { page } = await system.visitor()
    const code = await gifted(page, 'gone', 500)
    await shows(page, '#consolation-code', code)
    await picture(page, 'checkout-oversold')
    await createSale(system, 'parts')
    await claimIn(system, page, 'parts')
    await page.getByRole('button', { name: 'Pay €19.99', exact: true }).waitFor()
    // The payment of the whole price has begun.
    await page.locator('#test-cards').waitFor()
    await use(page, '')
    await shows(page, '#gift-error', 'Type the code')
    await page.getByText('I have a gift card').click()
    await use(page, 'WRONG-CODE')
    await shows(page, '#gift-error', 'You have no gift card with this code')
    await picture(page, 'checkout-gift-wrong')
    await page.getByText('I have a gift card').click()

    await use(page, code.toLowerCase())
    await shows(page, '#gift-said', 'Your gift card pays €5.00. Left to pay: €14.99.')
    await page.getByRole('button', { name: 'Pay €14.99 with PayPal' }).waitFor()
    expect(await page.locator('#gift-off').evaluate((button) => button === document.activeElement)).toBe(true)
    await picture(page, 'checkout-gift-part')
    await page.getByRole('button', { name: 'Take it off again' }).click()
    await page.getByRole('button', { name: 'Pay €19.99', exact: true }).waitFor()
    expect(await page.locator('#gift-said').textContent()).toBe('')

    await use(page, code)
    await page.getByRole('button', { name: 'Pay €14.99', exact: true }).waitFor()
    await payWith(page, GOOD_CARD)
    await shows(page, '#order-title', 'Paid')
    await shows(page, '#receipt-facts', 'Gift card (€5.00) and Card (Stripe)')
    expect(await page.locator('#gift').isVisible()).toBe(false)
  }, 90_000)

  test('pays all, at once and without a provider; what is left stays on it', async () => {
    const { page } = await system.visitor()
    const code = await gifted(page, 'gone-too', 5000)
    await createSale(system, 'whole')
    await claimIn(system, page, 'whole')
    await use(page, code)
    await shows(page, '#order-title', 'Paid')
    await shows(page, '#receipt-facts', 'Gift card (€19.99)')
    await picture(page, 'checkout-gift-paid')
    expect(await page.locator('#receipt-facts').textContent()).not.toContain('Stripe')

    await page.getByRole('link', { name: 'My orders' }).first().click()
    await page.getByRole('heading', { name: code }).waitFor()
    await shows(page, '#gift-card-list', '€30.01 of €50.00 left')
    await shows(page, '#gift-card-list', 'Good until')
    await shows(page, '#orders', `Your gift card of €50.00: ${code}`)
    await picture(page, 'orders-gift-cards')
  }, 90_000)

  test('without scripts: the code on the page of the cancelled order, used on that of another', async () => {
    await saleWithGift('gone-plain', 500)
    await createSale(system, 'plain-parts')
    const { page } = await system.visitor({ javaScriptEnabled: false })
    const claim = async (sale: string) => {
      await page.goto(`${system.urls.queue}/${sale}/plain`)
      await page.getByRole('button', { name: 'Take a place in line' }).click()
      await page.getByRole('button', { name: 'Claim it' }).click()
      await page.getByRole('heading', { name: 'You have it' }).waitFor()
    }
    await claim('gone-plain')
    await page.getByRole('link', { name: 'I have a gift card' }).waitFor()
    await oversell('gone-plain')
    const worth = page.getByText('€5.00 left. Good until')
    for (let looks = 0; looks < 20 && !(await worth.isVisible()); looks += 1) {
      await Bun.sleep(500)
      await page.reload()
    }
    await page.getByRole('heading', { name: 'We had to cancel your order' }).waitFor()
    await worth.waitFor()
    await picture(page, 'plain-oversold')
    const code = await page.locator('dt', { hasText: 'Your gift card' }).locator('+ dd').textContent()

    await claim('plain-parts')
    await page.getByRole('link', { name: 'I have a gift card' }).click()
    const field = page.getByLabel('Code of the gift card')
    const use = page.getByRole('button', { name: 'Use it' })
    await field.fill('WRONG-CODE')
    await use.click()
    await page.getByText('You have no gift card with this code').waitFor()
    expect(await field.inputValue()).toBe('WRONG-CODE')
    // The page does not ask again by itself, which would take away what is being typed.
    expect(await page.getByText('This page refreshes itself').count()).toBe(0)
    await picture(page, 'plain-gift-wrong')
    await field.fill(code ?? '')
    await use.click()
    const paypal = (amount: string) => page.getByRole('button', { name: `Pay ${amount} with PayPal` })
    await paypal('€14.99').waitFor()
    await picture(page, 'plain-gift-part')
    await page.getByRole('button', { name: 'Take the gift card off again' }).click()
    await paypal('€19.99').waitFor()
    await page.getByRole('link', { name: 'I have a gift card' }).click()
    await field.fill(code ?? '')
    await use.click()
    await paypal('€14.99').click()
    await page.getByText('€14.99').waitFor()
    await page.getByRole('button', { name: 'Pay now' }).click()
    await page.getByText('Gift card (€5.00) and PayPal').waitFor()
  }, 90_000)
})
