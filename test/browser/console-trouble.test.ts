import { expect, test } from 'bun:test'
import { Client } from 'pg'
import { readRunFile } from '../../src/platform/servers/data-dir.ts'
import { addOperator, command, heading, operatorAt } from './console-steps.ts'
import { payWith, picture, shows } from './page.ts'
import { claimIn, createSale, inBrowser, type Running } from './running.ts'

// When something is wrong, as an operator meets it in the console. Pictures: test/output/console-*.

/** On every database of the system. */
async function onEveryShard({ dataDir }: Running, statement: string): Promise<void> {
  for (const url of readRunFile(dataDir)?.database_urls ?? []) {
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(statement)
    await client.end()
  }
}

inBrowser('trouble at the console', (system) => {
  test('where nothing is wrong the screens say so', async () => {
    const page = await operatorAt(system, '/oversell')
    await page.getByText('No item is oversold.').waitFor()
    await picture(page, 'console-oversell-empty')
    await page.getByRole('link', { name: 'Dead letters' }).click()
    await page.getByText('There are none: every event was processed.').waitFor()
    await picture(page, 'console-dead-letters-empty')
    await page.getByRole('link', { name: 'Mails and payments' }).click()
    await page.getByText('The money of every paid order has come.').waitFor()
    await picture(page, 'console-notices')
    await page.goto(`${system.urls.ops}/sales/no-such-sale`)
    await page.getByText('There is no such sale.').waitFor()
    await picture(page, 'console-unknown-sale')
    await page.goto(`${system.urls.ops}/no/such/screen`)
    await heading(page, 'There is no such screen').waitFor()
    await picture(page, 'console-not-found')
  }, 60_000)

  test('an event that SQL refuses is shown with its reason, and replayed when the cause is mended', async () => {
    await createSale(system, 'refused')
    await onEveryShard(
      system,
      `alter table orders add constraint no_lamps check (item_id <> 'refused-lamp') not valid`,
    )
    const page = await operatorAt(system, '/dead-letters')
    const buyer = await system.visitor()
    await buyer.page.goto(`${system.urls.queue}/refused`)
    await buyer.page.locator('#claim-button').click()
    const letter = page.locator('section').filter({ hasText: 'no_lamps' })
    await letter.waitFor()
    await letter.getByText('The event').click()
    await picture(page, 'console-dead-letters')
    await onEveryShard(system, 'alter table orders drop constraint no_lamps')
    await command(page, 'Replay', { send: 'Replay', reason: 'the constraint is gone' })
    await shows(page, '.toast', 'back in its outbox')
    await page.getByText('There are none: every event was processed.').waitFor()
    await shows(buyer.page, '#order-title', 'You have it')
  }, 60_000)

  test('more sold than there is: two people approve exactly what is listed, and it is carried out', async () => {
    await createSale(system, 'short', { units: 2, oversell: { approval: 'two_persons' } })
    for (let n = 0; n < 2; n++) {
      const { page } = await system.visitor()
      await claimIn(system, page, 'short')
      await payWith(page, '4242 4242 4242 4242')
      await shows(page, '#order-title', /paid|yours/i)
    }
    const page = await operatorAt(system, '/sales/short', await addOperator(system, 'ann', 'admin'))
    await command(page, /^Correct units/, {
      send: 'Set the units',
      fields: { 'Units in all': '1' },
      reason: 'counted',
    })
    await shows(page, '.toast', 'Lamp is oversold now')
    await page.goto(`${system.urls.ops}/oversell`)
    await page.getByRole('row', { name: /short-lamp/ }).waitFor()
    await page.locator('.mark').waitFor()
    await picture(page, 'console-oversell')
    await page.getByRole('link', { name: 'Look and approve' }).click()
    await page.getByText('1 order to be cancelled').waitFor()
    await picture(page, 'console-oversold-item')
    await command(page, 'Approve', { send: 'Approve', reason: 'a lamp is broken' })
    await page.getByText('1 of 2 admins have approved.').waitFor()
    await picture(page, 'console-oversold-item-waiting')
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0)

    const bob = await operatorAt(system, '/oversell/short-lamp', await addOperator(system, 'bob', 'admin'))
    await command(bob, 'Approve', { send: 'Approve', reason: 'I saw it too' })
    await bob.getByText('1 of 1 order cancelled').waitFor()
    await bob.getByText('This item is not oversold.').waitFor()
    await bob.getByRole('link', { name: 'Oversell' }).first().click()
    await bob.getByRole('cell', { name: '€2.00' }).first().waitFor()
    await picture(bob, 'console-oversell-done')
  }, 90_000)

  test('a comparison is asked for, and what each place says of one item stands side by side', async () => {
    const page = await operatorAt(system, '/reconciliation')
    await page.getByRole('button', { name: 'Compare now' }).click()
    await picture(page, 'console-reconciliation-now')
    await page.getByRole('dialog').getByLabel('Reason').fill('to be sure')
    await page.getByRole('dialog').getByRole('button', { name: 'Compare', exact: true }).click()
    await shows(page, '.toast', 'items compared: all clean.')
    await page.getByRole('button', { name: 'pebble-speaker' }).first().click()
    await page.getByText('No drift').waitFor()
    expect(new URL(page.url()).searchParams.get('item')).toBe('pebble-speaker')
    await picture(page, 'console-reconciliation')
  }, 60_000)

  test('away from the server the last numbers stay, with their age, and go on by themselves', async () => {
    await createSale(system, 'away')
    const page = await operatorAt(system, '/sales/away')
    await shows(page, '.pulse', 'Live')
    const { processes = {} } = readRunFile(system.dataDir) ?? {}
    const web = processes['web'] ?? NaN
    process.kill(web, 'SIGSTOP')
    try {
      await shows(page, '.pulse', /Numbers from .* reconnecting/)
      await page.getByRole('alert').filter({ hasText: 'The server does not answer.' }).first().waitFor()
      await picture(page, 'console-live-away')
    } finally {
      process.kill(web, 'SIGCONT')
    }
    await shows(page, '.pulse', /^Live$/)
    await page.getByRole('alert').waitFor({ state: 'detached' })
  }, 60_000)

  test('mails that were given up, and paid orders without money', async () => {
    // Neither comes about within a test; the answers are as the contract has them, the command goes to the server.
    const page = await operatorAt(system, '/')
    const [order_id, at] = ['01a218f3-ce68-73b9-8b6d-abd7a19bec37', Date.now() - 3_600_000]
    const mail = { order_id, kind: 'paid', attempts: 12, code: '550 no such user', at }
    await page.route('**/api/operator/notices', (route) =>
      route.fulfill({ json: { due: 3, dead: 1, undelivered: [mail] } }),
    )
    const order = { order_id, user_id: 'u', sale_id: 'demo', item_id: 'tv', amount: 19_900, currency: 'EUR' }
    const payment = { provider: 'stripe', provider_ref: 'pi_1', state: 'lost', paid_at: at }
    await page.route('**/api/operator/payments/unfunded', (route) =>
      route.fulfill({ json: { orders: [{ ...order, ...payment }] } }),
    )
    await page.getByRole('link', { name: 'Mails and payments' }).click()
    await page.getByText('550 no such user').waitFor()
    await page.getByRole('cell', { name: '€199.00' }).waitFor()
    await picture(page, 'console-notices-trouble')
    await command(page, 'Try all again', { send: 'Try again', reason: 'the server is mended' })
    await shows(page, '.toast', '0 mails will be tried again.')
  }, 60_000)

  test('while nobody answers at the start, the console says so and tries again on demand', async () => {
    const { page } = await system.visitor()
    await page.route('**/api/operator/session', (route) => route.abort())
    await page.goto(`${system.urls.ops}/orders`)
    await page.getByText('The server does not answer.').waitFor()
    await picture(page, 'console-unreachable')
    await page.unroute('**/api/operator/session')
    await page.getByRole('button', { name: 'Try again' }).click()
    await heading(page, 'Operator console').waitFor()
  }, 60_000)
})
