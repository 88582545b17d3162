import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { type Paying, paying } from '../../../test/support/paying.ts'
import { noFaults } from '../../sandbox/faults.ts'
import { ProviderUnavailable } from './provider.ts'

const visa = { payment_method: 'pm_card_visa' }
let flow: Flow
let pay: Paying
let item: string
beforeAll(async () => {
  flow = await startFlow()
  item = await flow.newItem(500)
  pay = paying(flow, item)
})
afterAll(() => flow[Symbol.asyncDispose]())
beforeEach(() => flow.stripe.faults(noFaults))

describe('an event', () => {
  test('has its effect once', async () => {
    const payment = await pay.authorised()
    const event = await pay.eventOf(payment.ref, 'authorised')
    expect(await flow.app.payments.receive('stripe', event)).toBe('paid')
    expect(await flow.app.payments.receive('stripe', event)).toBe('duplicate')
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('that comes ten times at once pays once', async () => {
    const payment = await pay.authorised()
    const event = await pay.eventOf(payment.ref, 'authorised')
    const all = await Promise.all(
      Array.from({ length: 10 }, () => flow.app.payments.receive('stripe', event)),
    )
    expect(all.filter((outcome) => outcome === 'paid')).toHaveLength(1)
    expect(all.filter((outcome) => outcome === 'duplicate')).toHaveLength(9)
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('for an order without a row is early: nothing is kept, and it works once the row is there', async () => {
    const claimed = await flow.claim(item)
    const rival = await pay.rivalOf(claimed)
    await flow.stripe.confirm(rival.secret, visa)
    const event = await pay.eventOf(rival.ref, 'authorised')
    expect(await flow.app.payments.receive('stripe', event)).toBe('early')
    const kept = await flow.app.shards
      .of(claimed.user_id)
      .query('select 1 from webhook_events where event_id = $1', [event.event_id])
    expect(kept.rowCount).toBe(0)
    expect(await pay.stateOf(rival)).toBeUndefined()
    await flow.deliver(item)
    expect(await flow.app.payments.receive('stripe', event)).toBe('paid')
    expect(await pay.expectLedger(claimed)).toBe('PAID')
  })

  test('about something that is no order of ours is no error', async () => {
    const foreign = await pay.rivalOf({ user_id: 'somebody', order_id: 'invoice-17' })
    expect(await pay.receive(foreign.ref, 'authorised')).toBe('foreign')
  })

  test('authorised after the order has failed cancels the authorisation; no money moves', async () => {
    const payment = await pay.authorised()
    await flow.app.orders.fail(payment.user_id, payment.order_id, 'payment_timeout')
    expect(await pay.receive(payment.ref, 'authorised')).toBe('recorded')
    expect(await pay.stateOf(payment)).toBe('cancelled')
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([{ captures: 0, released: PRICE }])
    expect(await pay.expectLedger(payment)).toBe('FAILED')
  })

  test('captured after the order has failed gives the money back, once, and says why', async () => {
    const payment = await pay.authorised()
    await flow.provider.capture(payment.ref, payment.order_id)
    await flow.app.orders.fail(payment.user_id, payment.order_id, 'payment_timeout')
    expect(await pay.receive(payment.ref, 'captured')).toBe('recorded')
    expect(await pay.receive(payment.ref, 'captured')).toBe('recorded')
    await pay.repaired()
    expect(await pay.stateOf(payment)).toBe('refunded')
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([
      { captured: PRICE, refunded: PRICE, refunds: 1 },
    ])
    expect(await pay.expectLedger(payment)).toBe('FAILED')
  })

  test('captured by the provider on its own pays an order that still can be paid', async () => {
    const payment = await pay.authorised()
    await flow.provider.capture(payment.ref, payment.order_id)
    expect(await pay.receive(payment.ref, 'captured')).toBe('paid')
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('authorised that comes after its cancellation does not pay: there is no money behind it', async () => {
    const payment = await pay.authorised()
    const late = await pay.eventOf(payment.ref, 'authorised')
    await flow.stripe.api('POST', `/v1/payment_intents/${payment.ref}/cancel`)
    expect(await pay.receive(payment.ref, 'cancelled')).toBe('recorded')
    expect(await flow.app.payments.receive('stripe', late)).toBe('recorded')
    expect(await pay.expectLedger(payment)).toBe('PENDING')
  })

  test.each([
    ['less money', PRICE - 1],
    ['more money', PRICE + 1],
  ])(
    'about %s than the price does not pay, and the payment is closed with the order',
    async (_name, amount) => {
      const claimed = await flow.pending(item)
      const wrong = await pay.rivalOf(claimed, amount)
      await flow.stripe.confirm(wrong.secret, visa)
      expect(await pay.receive(wrong.ref, 'authorised')).toBe('recorded')
      expect(await pay.expectLedger(claimed)).toBe('PENDING')
      await flow.app.orders.fail(claimed.user_id, claimed.order_id, 'payment_timeout')
      await pay.repaired()
      expect(flow.stripe.entry(claimed.order_id)).toMatchObject([{ captures: 0, status: 'canceled' }])
    },
  )

  test('captured with the wrong amount gives the money back although the order is open', async () => {
    const claimed = await flow.pending(item)
    const wrong = await pay.rivalOf(claimed, PRICE - 1)
    await flow.stripe.confirm(wrong.secret, visa)
    await flow.stripe.api('POST', `/v1/payment_intents/${wrong.ref}/capture`)
    expect(await pay.receive(wrong.ref, 'captured')).toBe('recorded')
    await pay.repaired()
    expect(await pay.expectLedger(claimed)).toBe('PENDING')
  })
})

describe('two payments of one order', () => {
  test('both authorised: the first is captured, the second cancelled', async () => {
    const first = await pay.authorised()
    const second = await pay.rivalOf(first)
    await flow.stripe.confirm(second.secret, visa)
    const both = await Promise.all([
      pay.receive(first.ref, 'authorised'),
      pay.receive(second.ref, 'authorised'),
    ])
    expect(both.sort()).toEqual(['paid', 'recorded'])
    await pay.repaired()
    expect(await pay.expectLedger(first)).toBe('PAID')
    expect(
      flow.stripe
        .entry(first.order_id)
        .map(({ captures, status }) => [captures, status])
        .sort(),
    ).toEqual([
      [0, 'canceled'],
      [1, 'succeeded'],
    ])
  })

  test('both captured: one is kept, the other given back', async () => {
    const first = await pay.authorised()
    const second = await pay.rivalOf(first)
    await flow.stripe.confirm(second.secret, visa)
    for (const { ref } of [first, second]) await flow.stripe.api('POST', `/v1/payment_intents/${ref}/capture`)
    await Promise.all([pay.receive(first.ref, 'captured'), pay.receive(second.ref, 'captured')])
    await pay.repaired()
    expect(await pay.expectLedger(first)).toBe('PAID')
  })

  test('one left open when the other pays is closed', async () => {
    const first = await pay.authorised()
    const second = await pay.rivalOf(first)
    expect(await pay.receive(second.ref, 'failed')).toBe('recorded')
    await pay.receive(first.ref, 'authorised')
    expect(await pay.stateOf(second)).toBe('cancelled')
    expect((await flow.stripe.confirm(second.secret, visa)).status).toBe(400)
    expect(await pay.expectLedger(first)).toBe('PAID')
  })

  test('one that can not be closed does not keep the other from being captured', async () => {
    const first = await pay.authorised()
    const second = await pay.rivalOf(first)
    await pay.receive(second.ref, 'failed')
    // The older row is closed first.
    await flow.app.shards
      .of(first.user_id)
      .query(`update payments set created_at = now() - interval '1 hour' where provider_ref = $1`, [
        second.ref,
      ])
    const payments = pay.paymentsWith({
      cancel: () => Promise.reject(new ProviderUnavailable('stripe', 'away')),
    })
    expect(await pay.receive(first.ref, 'authorised', payments)).toBe('paid')
    expect(await pay.expectLedger(first)).toBe('PAID')
    await pay.repaired()
    expect(await pay.stateOf(second)).toBe('cancelled')
  })
})
