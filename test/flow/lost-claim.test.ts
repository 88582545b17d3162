import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startApp, type TestApp } from '../support/app.ts'
import { type Buyer, createBuyer, createSale } from '../support/buyer.ts'
import { FROM, startTestMailbox, type TestMailbox } from '../support/mail.ts'
import { eventually } from '../support/stripe.ts'

// A claim that was lost everywhere but for its receipt, presented when its unit has been sold to somebody else.

const GIFT = 700
let mailbox: TestMailbox
let app: TestApp
beforeAll(async () => {
  mailbox = await startTestMailbox()
  app = await startApp({ SMTP_URL: mailbox.url, MAIL_FROM: FROM })
})
afterAll(async () => {
  await app.close()
  await mailbox[Symbol.asyncDispose]()
})

const show = (buyer: Buyer, receipt: string) => buyer.shop('POST', '/api/receipts', { json: { receipt } })
const cardsOf = async (buyer: Buyer) =>
  (await buyer.shop<{ gift_cards: object[] }>('GET', '/api/gift-cards')).body.gift_cards
const rowOf = async (user: string, order: string) => app.app.orders.find(user, order)

/** Somebody who was told yes, of whose claim only their receipt is left; the one unit is sold to another. */
async function lost() {
  const { sale, item } = await createSale(app, {
    product: { units: 1 },
    oversell: { gift_card: { amount: GIFT } },
  })
  const [buyer, other] = [createBuyer(app), createBuyer(app)]
  const { order_id, receipt } = (await buyer.claim(await buyer.pass(sale), item)).body
  const { commands } = app.app.redis
  await commands.del(...(await commands.keys(`item:{${item}}:*`)))
  await app.withWorker(() => eventually(async () => (await app.app.eventLog.backlog()) === 0))
  expect((await app.app.reconcile.item(item)).outcome).toBe('repaired')
  const taken = (await other.claim(await other.pass(sale), item)).body.order_id
  const owner = await other.userId()
  await app.withWorker(() => eventually(async () => (await rowOf(owner, taken)) !== undefined))
  expect(await app.app.inventory.settle(item, taken)).toBe('settled')
  return { item, buyer, user: await buyer.userId(), order_id, receipt }
}

test('shown five times at once: one order FAILED as oversold, one gift card, one mail, one line in the audit log', async () => {
  const { item, buyer, user, order_id, receipt } = await lost()
  const answers = await Promise.all(Array.from({ length: 5 }, () => show(buyer, receipt)))
  for (const answer of [...answers, await show(buyer, receipt)])
    expect(answer).toMatchObject({ status: 201, body: { order_id, status: 'FAILED' } })
  expect(await rowOf(user, order_id)).toMatchObject({ failure_reason: 'oversold', claim_seq: 0 })
  expect(await cardsOf(buyer)).toMatchObject([{ order_id, amount: GIFT, balance: GIFT, currency: 'EUR' }])

  const email = 'lost@example.com'
  await buyer.shop('PUT', `/api/orders/${order_id}/contact`, { json: { email } })
  await app.app.notices.round()
  await app.app.notices.round()
  const [mail, ...more] = await mailbox.mails(email)
  const [card] = (await cardsOf(buyer)) as { code: string }[]
  expect(more).toEqual([])
  expect(mail?.text).toContain(card?.code ?? 'no card')

  const audit = (await app.operate('GET', 'audit')).body as { entries: object[] }
  const lines = audit.entries.filter((entry) => 'target' in entry && entry.target === item)
  expect(lines.filter((line) => 'command' in line && line.command === 'oversell.lost')).toMatchObject([
    { operator: 'automatic', detail: { order_id, gift: GIFT } },
  ])
})

test('without its gift card there is no such order: the next time makes both', async () => {
  const { buyer, user, order_id, receipt } = await lost()
  const shard = app.app.shards.of(user)
  await shard.query('alter table gift_cards rename to gift_cards_away')
  const failure = await app.app.claiming.restore(user, receipt).catch(String)
  await shard.query('alter table gift_cards_away rename to gift_cards')
  expect(failure).toContain('gift_cards')
  expect(await rowOf(user, order_id)).toBeUndefined()
  expect(await show(buyer, receipt)).toMatchObject({ status: 201, body: { order_id, status: 'FAILED' } })
  expect(await cardsOf(buyer)).toHaveLength(1)
})
