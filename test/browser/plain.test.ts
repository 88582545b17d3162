import { expect, test } from 'bun:test'
import { createSale, inBrowser } from './running.ts'
import { picture, shows } from './page.ts'

// The whole way with scripts switched off: forms, pages that refresh themselves, redirects. Pictures: test/output/.
inBrowser('without scripts', (system) => {
  const visitor = () => system.visitor({ javaScriptEnabled: false })

  test('from the waiting room over a refreshing place and a full house to an order, which is given back', async () => {
    await createSale(system, 'plain', { rate: 0.001 })
    for (let others = 0; others < 2; others++) await system.join('plain')
    const { page } = await visitor()
    await page.goto(`${system.urls.queue}/plain`)
    await page.getByRole('heading', { name: 'Waiting room' }).waitFor()
    expect(await page.locator('#heading').isVisible()).toBe(false)
    await picture(page, 'plain-noscript')
    await page.getByRole('link', { name: 'Go on without scripts' }).click()
    await page.getByRole('heading', { name: 'Join the line' }).waitFor()
    await picture(page, 'plain-door')
    await page.getByRole('button', { name: 'Take a place in line' }).click()
    await page.getByRole('heading', { name: 'You are in line' }).waitFor()
    await page.getByText('2 people are ahead of you.').waitFor()
    await picture(page, 'plain-waiting')
    await page.reload()
    await page.getByText('2 people are ahead of you.').waitFor()

    await system.operate('PUT', 'sales/plain/cap', { checkout_cap: 1 })
    await system.setRate('plain', 1000)
    await page.goto(`${system.urls.queue}/plain/plain`)
    await page.waitForURL(`${system.urls.shop}/checkout/plain/plain`)
    expect(page.url()).not.toContain('pass')
    await page.getByRole('heading', { name: 'It is your turn' }).waitFor()
    await picture(page, 'plain-items')
    const [scripted, other] = [await system.visitor(), await visitor()]
    await scripted.page.goto(`${system.urls.queue}/plain`)
    await shows(scripted.page, '#heading', 'It is your turn')
    await other.page.goto(`${system.urls.queue}/plain/plain`)
    await other.page.getByRole('button', { name: 'Take a place in line' }).click()
    // A full checkout stops the line before them: only the one before has a turn.
    await other.page.getByText('You are next.').waitFor()
    await picture(other.page, 'plain-full')

    await page.getByRole('button', { name: 'Claim it' }).click()
    await page.getByRole('heading', { name: 'You have it' }).waitFor()
    await page.getByText('Paying by card needs scripts').waitFor()
    await picture(page, 'plain-order')
    const address = await page.getByRole('link', { name: /checkout\/plain\?order=/ }).getAttribute('href')
    expect(address).toStartWith(`${system.urls.shop}/checkout/plain?order=`)
    // Both pages ask by themselves, and are let in in the order of their places.
    await scripted.page.waitForURL(`${system.urls.shop}/checkout/plain`)
    await scripted.page.locator('#claim-button').click()
    await other.page.waitForURL(`${system.urls.shop}/checkout/plain/plain`)

    await page.getByRole('button', { name: 'give it back' }).click()
    await page.getByRole('heading', { name: 'Order cancelled' }).waitFor()
    await page.getByText('You cancelled it').waitFor()
    await picture(page, 'plain-cancelled')
  }, 90_000)
})
