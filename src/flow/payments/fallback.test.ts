import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { PAGE, type Paying, paying } from '../../../test/support/paying.ts'
import { noFaults } from '../../sandbox/faults.ts'
import { ProviderUnavailable } from './payments.ts'

// PayPal's way through the payment step, and both providers for one order.

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
beforeEach(async () => {
  await flow.stripe.faults(noFaults)
  await flow.paypal.faults(noFaults)
})

const approved = async () => {
  const payment = await pay.withPaypal(await flow.pending(item))
  await flow.paypal.answer(payment.secret, 'approve')
  return payment
}
const receive = async (ref: string, type: Parameters<Paying['paypalEvent']>[1], id?: string) =>
  flow.app.payments.receive('paypal', await pay.paypalEvent(ref, type, id))
const check = async (claimed: { user_id: string; order_id: string }) => {
  const order = await flow.app.orders.find(claimed.user_id, claimed.order_id)
  if (order === undefined) throw new Error('no row')
  return flow.app.payments.check(order, 'paypal')
}

describe('what the buyer has approved is authorised, pays the order, and is captured', () => {
  test('by the webhook, once, however often it comes', async () => {
    const payment = await approved()
    const event = await pay.paypalEvent(payment.ref, 'approved')
    const all = await Promise.all([1, 2, 3, 4].map(() => flow.app.payments.receive('paypal', event)))
    expect(all.filter((outcome) => outcome === 'paid')).toHaveLength(1)
    expect(await flow.app.payments.receive('paypal', event)).not.toBe('paid')
    expect(flow.paypal.entry(payment.order_id)).toMatchObject([
      { authorisations: 1, captures: 1, captured: PRICE },
    ])
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('by the buyer who comes back', async () => {
    const payment = await approved()
    expect(await check(payment)).toMatchObject({ status: 'PAID', payment: 'accepted' })
    expect(await check(payment)).toMatchObject({ status: 'PAID', payment: 'accepted' })
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('by the poller, when the webhook is lost and the browser closed', async () => {
    const payment = await approved()
    await pay.repaired()
    await pay.repaired()
    expect(await pay.expectLedger(payment)).toBe('PAID')
    expect(await pay.stateOf(payment)).toBe('captured')
  })

  test('by whoever asks to pay again', async () => {
    const payment = await approved()
    const outcome = await flow.app.payments.start(await flow.row(payment), 'paypal', PAGE)
    expect(outcome).toEqual({ kind: 'not_payable', status: 'PAID' })
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('by all of them at once', async () => {
    const payment = await approved()
    await flow.rest()
    await Promise.all([
      receive(payment.ref, 'approved'),
      check(payment),
      flow.app.payments.repair(500),
      receive(payment.ref, 'approved'),
    ])
    await pay.repaired()
    expect(await pay.expectLedger(payment)).toBe('PAID')
    expect(flow.paypal.entry(payment.order_id)).toMatchObject([{ authorisations: 1, captures: 1 }])
  })

  test('although an answer of PayPal is lost on the way', async () => {
    const impatient = flow.paypal.provider({ timeoutMs: 150 })
    for (const on of ['authorize', 'capture'] as const) {
      const payment = await approved()
      await flow.paypal.faults({ lose_next: 1, on })
      const found = await pay.paypalEvent(payment.ref, 'approved')
      const payments = pay.paymentsWith({}, impatient)
      const outcome = await payments.receive('paypal', found).catch((error: unknown) => error)
      if (on === 'authorize') expect(outcome).toBeInstanceOf(ProviderUnavailable)
      await pay.repaired()
      await pay.repaired()
      expect(await pay.expectLedger(payment)).toBe('PAID')
    }
  })
})

describe('an order that is decided is never authorised', () => {
  test('cancelled by its buyer before they agreed', async () => {
    const payment = await pay.withPaypal(await flow.pending(item))
    await flow.app.restock.cancel(payment.user_id, payment.order_id)
    await flow.paypal.answer(payment.secret, 'approve')
    expect(await receive(payment.ref, 'approved')).toBe('recorded')
    await pay.repaired()
    expect(flow.paypal.entry(payment.order_id)).toMatchObject([{ authorisations: 0 }])
    expect(await pay.expectLedger(payment)).toBe('FAILED')
  })

  test('failed a moment ago, the payment not closed yet', async () => {
    const payment = await approved()
    await flow.app.orders.fail(payment.user_id, payment.order_id, 'payment_timeout')
    expect(await receive(payment.ref, 'approved')).toBe('recorded')
    expect(flow.paypal.entry(payment.order_id)).toMatchObject([{ authorisations: 0 }])
    expect(await pay.stateOf(payment)).toBe('cancelled')
    expect(await pay.expectLedger(payment)).toBe('FAILED')
  })

  test('the order without a row is early, and authorised when it is there', async () => {
    const claimed = await flow.claim(item)
    const order = {
      ...{ order_id: claimed.order_id, user_id: claimed.user_id, amount: PRICE, currency: 'EUR' },
      ...{ description: 'A lamp', attempt: 0, return_url: PAGE },
    }
    const { payment, browser } = await flow.paypalProvider.start(order)
    await flow.paypal.answer(browser['approve_url'] ?? '', 'approve')
    expect(await receive(payment.provider_ref, 'approved')).toBe('early')
    expect(flow.paypal.entry(claimed.order_id)).toMatchObject([{ authorisations: 0 }])
    await flow.deliver(item)
    expect(await receive(payment.provider_ref, 'approved')).toBe('paid')
    expect(await pay.expectLedger(claimed)).toBe('PAID')
  })

  test('failed in the middle of the authorisation: it is voided, no money moves', async () => {
    const payment = await approved()
    const slow = {
      ...flow.paypalProvider,
      authorise: async (ref: string, id: string) => {
        await flow.app.orders.fail(payment.user_id, id, 'payment_timeout')
        await flow.app.payments.finish(payment.user_id, id)
        expect(await pay.stateOf(payment)).toBe('cancelled')
        return flow.paypalProvider.authorise(ref, id)
      },
    }
    const payments = pay.paymentsWith({}, slow)
    expect(await payments.receive('paypal', await pay.paypalEvent(payment.ref, 'approved'))).toBe('recorded')
    expect(flow.paypal.entry(payment.order_id)).toMatchObject([
      { authorised: PRICE, released: PRICE, captures: 0 },
    ])
    expect(await pay.stateOf(payment)).toBe('cancelled')
    expect(await pay.expectLedger(payment)).toBe('FAILED')
  })

  test('an approval that PayPal takes back after hours makes room for another try', async () => {
    const payment = await approved()
    expect(await flow.paypal.reverseApproval(payment.ref)).toBe(200)
    expect(await receive(payment.ref, 'cancelled')).toBe('recorded')
    const again = await pay.withPaypal(payment)
    expect(again.ref).not.toBe(payment.ref)
    await flow.paypal.answer(again.secret, 'approve')
    expect(await receive(again.ref, 'approved')).toBe('paid')
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })
})

describe('a failed payment may be tried again, with either provider', () => {
  test.each([
    ['declined_card', 'INSTRUMENT_DECLINED'],
    ['blocked_account', 'PAYER_CANNOT_PAY'],
    ['refused', 'TRANSACTION_REFUSED'],
    ['denied', 'AUTHORIZATION_DENIED'],
  ])('PayPal says no to %s; the order stays open, and PayPal or a card pays it', async (instrument, code) => {
    for (const next of ['paypal', 'stripe'] as const) {
      const first = await pay.withPaypal(await flow.pending(item))
      await flow.paypal.answer(first.secret, 'approve', instrument)
      expect(await check(first)).toEqual({ status: 'PENDING', payment: 'declined', failure_code: code })
      // A late word of the declined one changes nothing.
      if (instrument !== 'denied') expect(await receive(first.ref, 'approved')).toBe('recorded')
      if (next === 'paypal') {
        const again = await pay.withPaypal(first)
        await flow.paypal.answer(again.secret, 'approve')
        expect(await receive(again.ref, 'approved')).toBe('paid')
      } else {
        const card = await pay.starting(first)
        await flow.stripe.confirm(card.secret, visa)
        expect(await pay.receive(card.ref, 'authorised')).toBe('paid')
      }
      await pay.repaired()
      expect(await pay.expectLedger(first)).toBe('PAID')
    }
  })

  test('a card is declined, PayPal pays, and the card can pay no more', async () => {
    const card = await pay.started()
    await flow.stripe.confirm(card.secret, { payment_method: 'pm_card_visa_chargeDeclined' })
    expect(await pay.receive(card.ref, 'failed')).toBe('recorded')
    const other = await pay.withPaypal(card)
    await flow.paypal.answer(other.secret, 'approve')
    expect(await receive(other.ref, 'approved')).toBe('paid')
    expect(await pay.stateOf(card)).toBe('cancelled')
    expect((await flow.stripe.confirm(card.secret, visa)).status).toBe(400)
    expect(await pay.expectLedger(card)).toBe('PAID')
  })

  test('both accepted at once: one is captured, the other released', async () => {
    for (let round = 0; round < 5; round += 1) {
      const card = await pay.authorised()
      const other = await pay.withPaypal(card)
      await flow.paypal.answer(other.secret, 'approve')
      const both = await Promise.all([pay.receive(card.ref, 'authorised'), receive(other.ref, 'approved')])
      expect(both.filter((outcome) => outcome === 'paid')).toHaveLength(1)
      await pay.repaired()
      expect(await pay.expectLedger(card)).toBe('PAID')
      const entries = [...flow.stripe.entry(card.order_id), ...flow.paypal.entry(card.order_id)]
      for (const { authorised, released, captured } of entries) expect(authorised).toBe(released + captured)
    }
  })

  test('a payment cancelled at the provider makes room for another with it', async () => {
    const first = await pay.started()
    await flow.stripe.api('POST', `/v1/payment_intents/${first.ref}/cancel`)
    // Nobody has told us; opening it again finds out.
    const order = await flow.row(first)
    const told = await flow.app.payments.start(order, 'stripe', PAGE).catch((error: unknown) => error)
    expect(told).toBeInstanceOf(ProviderUnavailable)
    const second = await pay.starting(first)
    expect(second.ref).not.toBe(first.ref)
    await flow.stripe.confirm(second.secret, visa)
    expect(await pay.receive(second.ref, 'authorised')).toBe('paid')
    expect(await pay.expectLedger(first)).toBe('PAID')
  })
})

describe('paid, and the authorisation is gone before it is captured', () => {
  /** The provider gives it up between our commit and our call. */
  const lost = async () => {
    const payment = await pay.authorised()
    const payments = pay.paymentsWith({
      capture: async (...call) => {
        await flow.stripe.api('POST', `/v1/payment_intents/${payment.ref}/cancel`)
        return flow.provider.capture(...call)
      },
    })
    expect(await pay.receive(payment.ref, 'authorised', payments)).toBe('paid')
    expect(await pay.stateOf(payment)).toBe('lost')
    expect(await flow.row(payment)).toMatchObject({ status: 'PAID' })
    return payment
  }
  const listed = async (order_id: string) => {
    for (const shard of flow.app.shards.all)
      await shard.query(`update orders set paid_at = paid_at - interval '1 hour' where id = $1`, [order_id])
    return (await flow.app.payments.unfunded(500)).filter((one) => one.order_id === order_id)
  }

  test('an operator sees it, and it is paid again, with either provider, once', async () => {
    for (const way of ['paypal', 'stripe'] as const) {
      const payment = await lost()
      expect(await listed(payment.order_id)).toMatchObject([
        { state: 'lost', provider: 'stripe', amount: PRICE },
      ])
      if (way === 'paypal') {
        const again = await pay.withPaypal(payment)
        await flow.paypal.answer(again.secret, 'approve')
        expect(await receive(again.ref, 'approved')).toBe('recorded')
      } else {
        const again = await pay.starting(payment)
        await flow.stripe.confirm(again.secret, visa)
        expect(await pay.receive(again.ref, 'authorised')).toBe('recorded')
      }
      expect(await pay.expectLedger(payment)).toBe('PAID')
      expect(await listed(payment.order_id)).toEqual([])
      const over = await flow.app.payments.start(await flow.row(payment), 'paypal', PAGE)
      expect(over.kind).toBe('not_payable')
    }
  })

  test('a new payment is not taken for abandoned while its buyer types, and found where its news are lost', async () => {
    for (const way of ['paypal', 'stripe'] as const) {
      const payment = await lost()
      expect(await flow.app.payments.owing(payment.user_id)).toEqual(new Set([payment.order_id]))
      const again = way === 'paypal' ? await pay.withPaypal(payment) : await pay.starting(payment)
      await pay.repaired()
      expect(await pay.stateOf(again)).toBe('started')
      if (way === 'paypal') await flow.paypal.answer(again.secret, 'approve')
      else expect((await flow.stripe.confirm(again.secret, visa)).status).toBe(200)
      await pay.repaired()
      expect(await pay.stateOf(again)).toBe('captured')
      expect(await flow.app.payments.owing(payment.user_id)).toEqual(new Set())
      expect(await pay.expectLedger(payment)).toBe('PAID')
    }
  })

  test('of two that were begun anew the one left over is closed, and none when the order is cancelled', async () => {
    const payment = await lost()
    const [card, other] = [await pay.starting(payment), await pay.withPaypal(payment)]
    await flow.stripe.confirm(card.secret, visa)
    await pay.receive(card.ref, 'authorised')
    expect(await pay.stateOf(other)).toBe('cancelled')
    const given = await lost()
    const late = await pay.starting(given)
    await flow.app.orders.fail(given.user_id, given.order_id, 'oversold')
    await pay.repaired()
    expect(await pay.stateOf(late)).toBe('cancelled')
    expect(await flow.app.payments.owing(given.user_id)).toEqual(new Set())
    expect(await pay.expectLedger(given)).toBe('FAILED')
  })

  test('two new payments at once: one is kept, the other released', async () => {
    const payment = await lost()
    const [card, other] = [await pay.starting(payment), await pay.withPaypal(payment)]
    await flow.stripe.confirm(card.secret, visa)
    await flow.paypal.answer(other.secret, 'approve')
    await Promise.all([pay.receive(card.ref, 'authorised'), receive(other.ref, 'approved')])
    await pay.repaired()
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('told by an event, before we have asked for the capture', async () => {
    const payment = await pay.authorised()
    const away = pay.paymentsWith({
      capture: () => Promise.reject(new ProviderUnavailable('stripe', 'away')),
    })
    expect(await pay.receive(payment.ref, 'authorised', away)).toBe('paid')
    expect(await listed(payment.order_id)).toMatchObject([{ state: 'authorised' }])
    await flow.stripe.api('POST', `/v1/payment_intents/${payment.ref}/cancel`)
    expect(await pay.receive(payment.ref, 'cancelled')).toBe('recorded')
    expect(await pay.stateOf(payment)).toBe('lost')
    expect(await listed(payment.order_id)).toMatchObject([{ state: 'lost' }])
  })

  test('a payment that was kept is never replaced', async () => {
    const payment = await pay.authorised()
    await pay.receive(payment.ref, 'authorised')
    const rival = await pay.rivalOf(payment)
    await flow.stripe.confirm(rival.secret, visa)
    expect(await pay.receive(rival.ref, 'authorised')).toBe('recorded')
    await pay.repaired()
    expect(await pay.expectLedger(payment)).toBe('PAID')
    expect(await listed(payment.order_id)).toEqual([])
  })
})
