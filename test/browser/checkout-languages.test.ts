import { expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { createSpeakers } from '../../src/platform/words.ts'
import { createSale, inBrowser } from './running.ts'
import { cardFields, payWith, picture, shows } from './page.ts'

// The checkout in languages that look unlike English, and without a mouse. Pictures: test/output/.
const GOOD_CARD = '4242 4242 4242 4242'
const DECLINED_CARD = '4000 0000 0000 0002'
const speakers = createSpeakers()

/** Latin letters on a page that should have none: names, codes and what is written like that everywhere are taken out. */
const untranslated = (page: Page) =>
  page.evaluate(() => {
    const text = document.querySelector('main')?.innerText ?? ''
    const names =
      /Sale \S+|Lamp|PayPal|Stripe|name@example\.com|CVC|MM|YY|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z]{3,4}\b/g
    return text.replaceAll(names, '').match(/[A-Za-z]{2,}/g) ?? []
  })

inBrowser('the checkout in other languages, and by keyboard', (system) => {
  test.each(['ar', 'ja'] as const)(
    'claims, is declined, pays, looks at the orders in %s',
    async (language) => {
      const say = speakers[language]
      const sale = `in-${language}`
      await createSale(system, sale, { units: 2 })
      const { page } = await system.visitor({ locale: language })
      const look = async (name: string) => {
        expect([name, await untranslated(page)]).toEqual([name, []])
        await picture(page, `${name}-${language}`)
      }
      await page.goto(`${system.urls.queue}/${sale}`)
      await shows(page, '#choose-title', say('checkout.your_turn'))
      expect(await page.locator('html').getAttribute('dir')).toBe(language === 'ar' ? 'rtl' : 'ltr')
      await look('checkout-choose')
      await page.locator('#claim-button').click()
      await shows(page, '#order-title', say('order.held.title'))
      await page.locator('#test-cards').waitFor()
      await page.locator('#pay-paypal').waitFor()
      await cardFields(page).getByLabel(say('card.number'), { exact: true }).waitFor()
      await look('checkout-card')
      await payWith(page, '4242 4242 4242 4241')
      await shows(page, '#card-error', say('card.wrong.number'))
      await payWith(page, DECLINED_CARD)
      await shows(page, '#card-error', say('decline.other'))
      await look('checkout-declined')
      await payWith(page, GOOD_CARD)
      await shows(page, '#order-title', say('order.paid.title'))
      await shows(page, '#receipt-facts', say('order.by_card'))
      await look('checkout-paid')

      await page.goto(`${system.urls.queue}/${sale}#new`)
      await page.locator('#claim-button').click()
      await shows(page, '#message-title', say('checkout.limit.title'))
      await look('checkout-limit')
      const { page: other } = await system.visitor({ locale: language })
      await other.goto(`${system.urls.queue}/${sale}`)
      await other.locator('#claim-button').click()
      await shows(other, '#order-title', say('order.held.title'))
      await other.locator('#cancel').click()
      await picture(other, `checkout-cancel-${language}`)
      await other.locator('#cancel-yes').click()
      await shows(other, '#order-title', say('order.cancelled.title'))
      await picture(other, `checkout-cancelled-${language}`)
      await page.goto(`${system.urls.shop}/orders`)
      await shows(page, '.badge', say('order.paid'))
      await look('orders')
    },
    90_000,
  )

  test('buys with the keys alone', async () => {
    await createSale(system, 'keys')
    const { page } = await system.visitor()
    const focused = () => page.evaluate(() => document.activeElement?.id ?? '')
    const tabTo = async (id: string) => {
      for (let presses = 0; presses < 40 && (await focused()) !== id; presses += 1)
        await page.keyboard.press('Tab')
      expect(await focused()).toBe(id)
    }
    await page.goto(`${system.urls.queue}/keys`)
    await shows(page, '#choose-title', 'It is your turn')
    expect(await focused()).toBe('choose-title')
    await tabTo('claim-button')
    await page.keyboard.press('Enter')
    await shows(page, '#order-title', 'You have it')
    expect(await focused()).toBe('order-title')
    await page
      .locator('#answer', { hasText: 'You have it. It is held for you alone.' })
      .waitFor({ state: 'attached' })
    await page.locator('#test-cards').waitFor()
    await page.locator('#contact').waitFor()
    await page.emulateMedia({ colorScheme: 'dark' })
    await picture(page, 'checkout-card-dark')
    await tabTo('email')
    await page.keyboard.type('buyer@example.com')
    await tabTo('pay-paypal')
    // Into the provider's frame, whose fields follow each other.
    await page.keyboard.press('Tab')
    await cardFields(page).locator('#number:focus').waitFor()
    await page.keyboard.type('4242424242424242')
    await page.keyboard.press('Tab')
    await page.keyboard.type('12/34')
    await page.keyboard.press('Tab')
    await page.keyboard.type('123')
    await page.keyboard.press('Enter')
    await shows(page, '#order-title', 'Paid')
    expect(await focused()).toBe('order-title')
    await page.locator('#receipt').waitFor()
    await picture(page, 'checkout-paid-dark')
    await tabTo('to-orders')
    await page.keyboard.press('Enter')
    await shows(page, '.badge', 'Paid')
  }, 60_000)
})
