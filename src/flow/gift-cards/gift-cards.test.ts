import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { giftCards } from '../../../test/support/gift-cards.ts'
import { type Paying, paying } from '../../../test/support/paying.ts'
import { watchShards } from '../../../test/support/sql.ts'
import { LEAST_CHARGE, showGiftCode } from '../../contracts/gift-cards.ts'
import { createPayments } from '../payments/payments.ts'
import { createGiftCards } from './gift-cards.ts'

let flow: Flow
let pay: Paying
let gifts: ReturnType<typeof giftCards>
let item: string
beforeAll(async () => {
  flow = await startFlow()
  item = await flow.newItem(500)
  pay = paying(flow, item)
  gifts = giftCards(flow, item)
})
afterAll(() => flow[Symbol.asyncDispose]())

let buyers = 0
const buyer = () => `gifted-${++buyers}`
const put = (order: { user_id: string; order_id: string }, code: string) =>
  flow.app.giftCards.put(order.user_id, order.order_id, code)
const balances = async (user: string) => (await flow.app.giftCards.of(user)).map(({ balance }) => balance)
const confirm = (secret: string) => flow.stripe.confirm(secret, { payment_method: 'pm_card_visa' })

describe('a card', () => {
  test('is issued once for an order, with a code that its owner can read again', async () => {
    const card = await gifts.cardFor(buyer(), 500)
    expect(card).toMatchObject({ amount: 500, balance: 500, currency: 'EUR', expired: false })
    const order = await flow.row({ ...card, item_id: item })
    await flow.app.giftCards.issue(
      flow.app.shards.of(card.user_id),
      order,
      { amount: 9, currency: 'EUR' },
      30,
    )
    expect(await flow.app.giftCards.of(card.user_id)).toEqual([card])
    expect(await flow.app.giftCards.issued(500)).toContainEqual(card)
  })

  test('pays a part, the provider the rest; the order that fails gives the part back', async () => {
    const card = await gifts.cardFor(buyer(), 500)
    const order = await flow.pending(item, { user_id: card.user_id })
    const typed = ` ${showGiftCode(card.code).toLowerCase()} `
    expect(await put(order, typed)).toEqual({ kind: 'put', part: 500 })
    expect(await put(order, card.code)).toEqual({ kind: 'put', part: 500 })
    expect(await balances(card.user_id)).toEqual([0])
    const payment = await pay.starting(order)
    expect(await flow.provider.find(payment.ref)).toMatchObject({ amount: PRICE - 500 })
    await confirm(payment.secret)
    expect(await pay.receive(payment.ref, 'authorised')).toBe('paid')
    expect(await gifts.expectMoney(order)).toBe('PAID')

    expect(await flow.app.orders.fail(order.user_id, order.order_id, 'oversold')).toBe(true)
    await pay.repaired()
    expect(await gifts.expectMoney(order)).toBe('FAILED')
    expect(await balances(card.user_id)).toEqual([500])
  })

  test('that covers everything pays by the compare-and-set alone, and a payment begun before is closed', async () => {
    const card = await gifts.cardFor(buyer(), PRICE + 1)
    const order = await flow.pending(item, { user_id: card.user_id })
    const payment = await pay.starting(order)
    expect(await put(order, card.code)).toEqual({ kind: 'paid', part: PRICE })
    await flow.app.payments.finish(order.user_id, order.order_id)
    expect(await pay.stateOf(payment)).toBe('cancelled')
    expect(await flow.app.inventory.findClaim(item, order.order_id)).toBeUndefined()
    expect(await gifts.expectMoney(order)).toBe('PAID')
    expect(await balances(card.user_id)).toEqual([1])
    expect(await put(order, card.code)).toEqual({ kind: 'not_payable', status: 'PAID' })
    expect(await flow.app.giftCards.takeOff(order.user_id, order.order_id)).toEqual({
      kind: 'not_payable',
      status: 'PAID',
    })
  })

  test('leaves no rest that is too small for a provider', async () => {
    const card = await gifts.cardFor(buyer(), PRICE - 1)
    const order = await flow.pending(item, { user_id: card.user_id })
    expect(await put(order, card.code)).toEqual({ kind: 'put', part: PRICE - LEAST_CHARGE })
    const second = await gifts.cardFor(card.user_id, LEAST_CHARGE - 1)
    expect(await put(order, second.code)).toEqual({ kind: 'nothing_to_put' })
    const third = await gifts.cardFor(card.user_id, LEAST_CHARGE)
    expect(await put(order, third.code)).toEqual({ kind: 'paid', part: PRICE })
  })

  test('is nobody else’s, of this currency only, not expired, and of an order that can be paid', async () => {
    const card = await gifts.cardFor(buyer(), 500)
    const stranger = await flow.pending(item, { user_id: buyer() })
    expect(await put(stranger, card.code)).toEqual({ kind: 'unknown_card' })
    expect(await put(stranger, '0000-0000-0000-0000')).toEqual({ kind: 'unknown_card' })
    const foreign = await flow.pending(item, { user_id: card.user_id, currency: 'CHF' })
    expect(await put(foreign, card.code)).toEqual({ kind: 'other_currency' })
    const order = await flow.pending(item, { user_id: card.user_id })
    expect(await put({ ...order, order_id: stranger.order_id }, card.code)).toEqual({ kind: 'unknown_order' })
    const old = await gifts.cardFor(card.user_id, 500, -1)
    expect(await put(order, old.code)).toEqual({ kind: 'expired' })
    expect(await balances(card.user_id)).toContain(500)
    await flow.app.orders.fail(order.user_id, order.order_id, 'payment_timeout')
    expect(await put(order, card.code)).toEqual({ kind: 'not_payable', status: 'FAILED' })
  })

  test('used for an order that is then cancelled as oversold lives on with the new one', async () => {
    const card = await gifts.cardFor(buyer(), 500, 1)
    const order = await flow.pending(item, { user_id: card.user_id })
    await put(order, card.code)
    const row = await flow.row(order)
    await flow.app.giftCards.issue(
      flow.app.shards.of(order.user_id),
      row,
      { amount: 200, currency: 'EUR' },
      365,
    )
    const expiries = (await flow.app.giftCards.of(card.user_id)).map(({ expires_at }) => expires_at)
    expect(Math.min(...expiries) - card.issued_at).toBeGreaterThan(364 * 86_400_000)
  })
})

test('a payment begun with another amount pays nothing and is cancelled in the end', async () => {
  const card = await gifts.cardFor(buyer(), 500)
  const order = await flow.pending(item, { user_id: card.user_id })
  const full = await pay.starting(order)
  await confirm(full.secret)
  await put(order, card.code)
  expect(await pay.receive(full.ref, 'authorised')).toBe('recorded')
  expect((await flow.row(order)).status).toBe('PENDING')
  const rest = await pay.starting(order)
  await confirm(rest.secret)
  expect(await pay.receive(rest.ref, 'authorised')).toBe('paid')
  await pay.repaired()
  expect([await pay.stateOf(full), await pay.stateOf(rest)]).toEqual(['cancelled', 'captured'])
  expect(await gifts.expectMoney(order)).toBe('PAID')
})

test('taken off, the whole price is to be paid again, and the payment begun first does it', async () => {
  const card = await gifts.cardFor(buyer(), 500)
  const order = await flow.pending(item, { user_id: card.user_id })
  const full = await pay.starting(order)
  await put(order, card.code)
  expect(await flow.app.giftCards.takeOff(order.user_id, order.order_id)).toEqual({ kind: 'taken_off' })
  expect(await balances(card.user_id)).toEqual([500])
  expect((await pay.starting(order)).ref).toBe(full.ref)
  await confirm(full.secret)
  expect(await pay.receive(full.ref, 'authorised')).toBe('paid')
  expect(await gifts.expectMoney(order)).toBe('PAID')
})

describe('at the same moment', () => {
  /** The same flow, which stops before its first statement that begins so until `go` is called. */
  const stopped = (statement: string) => {
    const [reached, go] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const shards = watchShards(flow.app.shards, async ({ text }) => {
      if (!text.trimStart().startsWith(statement)) return
      reached.resolve(undefined)
      await go.promise
    })
    return { shards, reached: reached.promise, go: () => go.resolve(undefined) }
  }
  /** Long enough for whatever is not held up to be done. */
  const meanwhile = (work: Promise<unknown>) => Promise.race([work, flow.app.clock.sleep(300)])

  test('two orders do not spend one card twice', async () => {
    const card = await gifts.cardFor(buyer(), 800)
    const [one, two] = [
      await flow.pending(item, { user_id: card.user_id }),
      await flow.pending(item, { user_id: card.user_id }),
    ]
    const { shards, reached, go } = stopped('insert into gift_card_uses')
    const slow = createGiftCards({ shards, orders: flow.app.orders, newCode: () => '' })
    const first = slow.put(one.user_id, one.order_id, card.code)
    await reached
    const second = put(two, card.code)
    await meanwhile(second)
    go()
    expect(await first).toEqual({ kind: 'put', part: 800 })
    expect(await second).toEqual({ kind: 'nothing_to_put' })
    expect(await balances(card.user_id)).toEqual([0])
  })

  test('two cards do not pay one order twice', async () => {
    const user = buyer()
    const cards = [await gifts.cardFor(user, PRICE), await gifts.cardFor(user, PRICE)]
    const order = await flow.pending(item, { user_id: user })
    const { shards, reached, go } = stopped('insert into gift_card_uses')
    const slow = createGiftCards({ shards, orders: flow.app.orders, newCode: () => '' })
    const first = slow.put(user, order.order_id, cards[0]?.code ?? '')
    await reached
    const second = put(order, cards[1]?.code ?? '')
    await meanwhile(second)
    go()
    expect(await first).toEqual({ kind: 'paid', part: PRICE })
    expect(await second).toEqual({ kind: 'not_payable', status: 'PAID' })
    expect((await balances(user)).sort()).toEqual([0, PRICE])
  })

  test('a card put while a payment of the whole price arrives comes too late', async () => {
    const card = await gifts.cardFor(buyer(), 500)
    const order = await flow.pending(item, { user_id: card.user_id })
    const full = await pay.starting(order)
    await confirm(full.secret)
    const { shards, reached, go } = stopped(`update orders set status = 'PAID'`)
    const { app } = flow
    const slow = createPayments({
      ...{ shards, orders: app.orders, providers: [flow.provider], log: app.log },
      settle: () => Promise.resolve(),
      giftPart: (sql, user, id) => app.giftCards.part(user, id, sql),
    })
    const paid = pay.receive(full.ref, 'authorised', slow)
    await reached
    const late = put(order, card.code)
    await meanwhile(late)
    go()
    expect(await paid).toBe('paid')
    expect(await late).toEqual({ kind: 'not_payable', status: 'PAID' })
    expect(await gifts.expectMoney(order)).toBe('PAID')
    expect(await balances(card.user_id)).toEqual([500])
  })
})
