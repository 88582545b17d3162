import { expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { command, heading, operatorAt, tileShows } from './console-steps.ts'
import { glance, payWith, picture, shows } from './page.ts'
import { projectPath } from '../../src/platform/project.ts'
import { createSale, inBrowser } from './running.ts'

// An operator creates and runs a sale in the console alone, while people buy from it. Pictures: test/output/console-*.

inBrowser('the console', (system) => {
  test('a sale from its creation to its export, without the command line', async () => {
    const page = await operatorAt(system, '/')
    await heading(page, 'Sales').waitFor()
    await page.getByRole('link', { name: /Doorbuster demo/ }).waitFor()
    await picture(page, 'console-sales')

    // A new sale. What is missing is told at the fields, with the words for them.
    await page.getByRole('link', { name: 'New sale' }).click()
    await page.getByRole('button', { name: 'Review and create' }).click()
    await page.getByText(/fields need your attention/).waitFor()
    expect(await page.locator(':focus').getAttribute('aria-invalid')).toBe('true')
    await picture(page, 'console-new-sale-errors')
    const sale = page.locator('section').filter({ has: page.getByRole('heading', { name: 'The sale' }) })
    await sale.getByLabel('Name').fill('Friday lamps')
    expect(await sale.getByLabel('Id').inputValue()).toBe('friday-lamps')
    const product = page.getByRole('group', { name: 'Product 1' })
    await product.getByLabel('Name').fill('Brass lamp')
    const lamp = page.getByRole('group', { name: 'Brass lamp' })
    await lamp.getByLabel('Price').fill('19.99')
    await lamp.getByLabel('Units').fill('5')
    await page.getByText('5 × Brass lamp at €19.99, at most 1 for each buyer.').waitFor()
    await picture(page, 'console-new-sale')
    await page.getByRole('button', { name: 'Review and create' }).click()
    await page.getByRole('dialog').waitFor()
    await picture(page, 'console-new-sale-review')
    // Without a reason nothing is sent.
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Create the sale' }).click()
    await dialog.getByText('Say why, in a few words.').waitFor()
    await dialog.getByLabel('Reason').fill('Friday is lamp day')
    await dialog.getByRole('button', { name: 'Create the sale' }).click()
    await heading(page, 'Friday lamps').waitFor()
    await page.getByText('Opens in').waitFor()
    await shows(page, '.head .badge', 'Lobby open')

    // Opened by hand; a buyer buys, and the numbers move.
    await command(page, 'Open now', { send: 'Open now', reason: 'all is ready' })
    await shows(page, '.head .badge', 'Open')
    await tileShows(page, 'Sold', '0')
    const queue = (await page.getByRole('link', { name: /Waiting room/ }).getAttribute('href')) ?? ''
    const buyer = await system.visitor()
    await buyer.page.goto(queue)
    await buyer.page.locator('#claim-button').click()
    await shows(buyer.page, '#order-title', 'You have it')
    await tileShows(page, 'Available', '4')
    await payWith(buyer.page, '4242 4242 4242 4242')
    await tileShows(page, 'Sold', '1')
    await tileShows(page, 'Paid', '1')
    await tileShows(page, 'Captured', '1')
    await page.locator('.charts .uplot').first().waitFor()
    await picture(page, 'console-live')

    // The controls, each told by what the server has answered.
    await command(page, /^Rate:/, {
      send: 'Set the rate',
      fields: { 'People a second': '7' },
      reason: 'slower',
    })
    await shows(page, '.toast', 'The rate is 7 a second.')
    await page.getByRole('button', { name: 'Rate: 7/s' }).waitFor()
    await command(page, 'Pause', { send: 'Pause', reason: 'the bank is slow' })
    await shows(page, '.head .badge', 'Paused')
    const waiter = await system.visitor()
    await waiter.page.goto(queue)
    await shows(waiter.page, '#heading', 'The sale is paused')
    await command(page, 'Message', {
      send: 'Show it',
      fields: { Message: 'Back in ten minutes.' },
      reason: 'people ask',
    })
    await glance(waiter.page)
    await shows(waiter.page, '#message', 'Back in ten minutes.')
    await picture(page, 'console-live-paused')
    await command(page, 'Resume', { send: 'Resume', reason: 'the bank is back' })
    await glance(waiter.page)
    await waiter.page.waitForURL(/\/checkout\/friday-lamps/)
    await shows(page, '.head .badge', 'Open')

    await page.getByRole('button', { name: 'End', exact: true }).click()
    await dialog.getByLabel('Reason').fill('enough')
    await dialog.getByRole('button', { name: 'End', exact: true }).click()
    await dialog.getByText('This can not be undone: type friday-lamps.').waitFor()
    await picture(page, 'console-live-end')
    await dialog.getByLabel('Type friday-lamps to confirm').fill('friday-lamps')
    await dialog.getByRole('button', { name: 'End', exact: true }).click()
    await shows(page, '.head .badge', 'Ended')
    expect(await page.getByRole('button', { name: 'Pause', exact: true }).count()).toBe(0)
    await command(page, 'Show the after-sale page', { send: 'Show the after-sale page', reason: 'over' })
    await shows(page, '.head .badge', 'Over')

    // The order, found by what a buyer would tell, and taken along as a file.
    await page.getByRole('link', { name: 'Orders' }).last().click()
    await heading(page, 'Orders').waitFor()
    const row = page.getByRole('row', { name: /paid/ })
    await row.waitFor()
    const id = (await row.getByRole('link').first().textContent()) ?? ''
    await page.getByLabel('Search').fill(id.slice(0, 13))
    await page.getByText('1 shown.').waitFor()
    await picture(page, 'console-orders')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download as CSV' }).click(),
    ])
    expect(readFileSync(await download.path(), 'utf8')).toContain(id)
    await page.getByRole('link', { name: id }).click()
    await page.getByText('captured').first().waitFor()
    await picture(page, 'console-order')

    // Every command is in the audit log, with its reason.
    await page.getByRole('link', { name: 'Audit log' }).click()
    await page.getByLabel('Target, reason or detail').fill('friday-lamps')
    await page.getByRole('cell', { name: 'enough' }).waitFor()
    const commands = await page.getByRole('row').locator('code').allTextContents()
    expect(commands.filter((name) => name.startsWith('sale.')).sort()).toEqual(
      ['close', 'create', 'end', 'message', 'open', 'pause', 'rate', 'resume'].map((name) => `sale.${name}`),
    )
    await picture(page, 'console-audit')
  }, 120_000)

  test('a rehearsal: a copy that the shop does not list is run, ended and put away; the sale stays as it was', async () => {
    await createSale(system, 'concert', { opens_at: Date.now() + 3_600_000, units: 3 })
    const page = await operatorAt(system, '/sales/concert')
    await page.getByRole('link', { name: 'Rehearse' }).click()
    await heading(page, 'Rehearse').waitFor()
    await page.getByText('1. Make the copy').waitFor()
    await picture(page, 'console-rehearse')
    await command(page, 'Create a rehearsal', {
      send: 'Create the rehearsal',
      fields: { 'Opens in': '0' },
      reason: 'the day before',
    })
    await heading(page, 'Rehearsal: Sale concert').waitFor()
    await page.getByText('npm run rush -- --sale concert-rehearsal-1').waitFor()
    await shows(page, '.head .badge', 'Open')
    const buyer = await system.visitor()
    await buyer.page.goto(system.urls.shop)
    await shows(buyer.page, '#main', 'Sale concert')
    expect(await buyer.page.getByText('Rehearsal').count()).toBe(0)
    await buyer.page.goto((await page.getByRole('link', { name: /Waiting room/ }).getAttribute('href')) ?? '')
    await buyer.page.locator('#claim-button').click()
    await shows(buyer.page, '#order-title', 'You have it')
    await tileShows(page, 'Available', '2')
    await payWith(buyer.page, '4242 4242 4242 4242')
    await tileShows(page, 'Sold', '1')
    // The crowd of the command that the screen shows; its verdict is from the outside.
    const rush = ['rush', '--sale', 'concert-rehearsal-1', '--buyers', '30', '--pay', '1']
    const crowd = spawn(
      process.execPath,
      [projectPath('src/doorbuster.ts'), ...rush, '--data-dir', system.dataDir],
      { stdio: 'ignore' },
    )
    const [code] = (await once(crowd, 'close')) as [number]
    expect(code).toBe(0)
    await tileShows(page, 'Sold', '3')
    await picture(page, 'console-live-rehearsal')
    await command(page, 'End', {
      send: 'End',
      fields: { 'Type concert-rehearsal-1 to confirm': 'concert-rehearsal-1' },
      reason: 'it works',
    })
    await command(page, 'Put away', { send: 'Put away', reason: 'done' })
    await heading(page, 'Sales').waitFor()
    await page.getByRole('link', { name: /Sale concert/ }).waitFor()
    expect(await page.getByRole('link', { name: /Rehearsal/ }).count()).toBe(0)
  }, 60_000)

  test('a sale is edited: before it opens its prices too, afterwards what was promised stays', async () => {
    await createSale(system, 'chairs', { opens_at: Date.now() + 3_600_000 })
    const page = await operatorAt(system, '/sales/chairs')
    await page.getByRole('link', { name: 'Edit' }).click()
    await page.getByText('Nothing is changed yet.').waitFor()
    expect(await page.getByLabel('Who joined first').isDisabled()).toBe(true)
    await page.getByLabel('Price').fill('17.50')
    await page.getByLabel('People let in').fill('40')
    await picture(page, 'console-edit')
    await page.getByRole('button', { name: 'Review the changes' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Lamp, price: 19.99 → 17.50').waitFor()
    await dialog.getByText('People let in a second: 1000 → 40').waitFor()
    await picture(page, 'console-edit-review')
    await dialog.getByLabel('Reason').fill('cheaper')
    await dialog.getByRole('button', { name: 'Change it' }).click()
    await page.getByRole('button', { name: 'Rate: 40/s' }).waitFor()
    await page.getByText('€17.50').waitFor()
    // A picture, from a file.
    await page.getByRole('button', { name: 'Picture of Lamp' }).click()
    await dialog
      .getByLabel('File')
      .setInputFiles({ name: 'x.txt', mimeType: 'text/plain', buffer: Buffer.from('x') })
    await dialog.getByText('A PNG, JPEG, WebP or AVIF file.').waitFor()
    await dialog.getByLabel('File').setInputFiles(projectPath('test/output/console-edit-390.png'))
    await dialog.getByLabel('What it shows').fill('A chair in the sun')
    await picture(page, 'console-picture')
    await dialog.getByLabel('Reason').fill('buyers want to see it')
    await dialog.getByRole('button', { name: 'Use this picture' }).click()
    await shows(page, '.toast', 'Lamp has a new picture.')
    const shop = await system.visitor()
    await shop.page.goto(`${system.urls.shop}/products/chairs-lamp`)
    await shop.page.getByRole('img', { name: 'A chair in the sun' }).waitFor()
    await command(page, 'Open now', { send: 'Open now', reason: 'early' })
    await command(page, 'Cap: none', {
      send: 'Set the cap',
      fields: { 'People in checkout': '12' },
      reason: 'the till is small',
    })
    await page.getByRole('button', { name: 'Cap: 12' }).waitFor()
    await page.getByRole('button', { name: 'Add a lane' }).click()
    await dialog.getByLabel('Name').fill('Friends of chairs')
    await dialog.getByLabel('Code').fill('soft-seat')
    await picture(page, 'console-lane')
    await dialog.getByLabel('Reason').fill('they waited long')
    await dialog.getByRole('button', { name: 'Add the lane' }).click()
    await shows(page, '.toast', 'The lane friends-of-chairs lets in 5 a second.')
    await page.getByRole('link', { name: 'Edit' }).click()
    await page.getByText('The sale has opened: prices').waitFor()
    expect(await page.getByLabel('Price').isDisabled()).toBe(true)
    expect(await page.getByRole('button', { name: 'Add a product' }).count()).toBe(0)
    await picture(page, 'console-edit-selling')
  }, 60_000)
})
