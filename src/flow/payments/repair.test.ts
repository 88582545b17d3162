import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { type Paying, paying } from '../../../test/support/paying.ts'
import { connectionLost, watchShards } from '../../../test/support/sql.ts'
import { noFaults } from '../../sandbox/faults.ts'
import { createPayments } from './payments.ts'
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

describe('repair', () => {
  test.each(['before', 'after'] as const)('finishes what a crash %s the capture left', async (when) => {
    const payment = await pay.authorised()
    const crashing = pay.paymentsWith({
      capture: async (...call) => {
        if (when === 'after') await flow.provider.capture(...call)
        throw new Error('the process died')
      },
    })
    expect(await pay.receive(payment.ref, 'authorised', crashing)).toBe('paid')
    expect(await pay.stateOf(payment)).toBe('authorised')
    expect(await flow.app.payments.repair(500)).toBe(0) // rests first
    await pay.repaired()
    expect(await pay.stateOf(payment)).toBe('captured')
    expect(await pay.expectLedger(payment)).toBe('PAID')
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([{ captures: 1 }])
  })

  test('a capture whose answer was lost is not done twice', async () => {
    const payment = await pay.authorised()
    await flow.stripe.faults({ lose_next: 1, on: 'capture' })
    const impatient = flow.stripe.provider({ timeoutMs: 100, maxNetworkRetries: 0 })
    expect(await pay.receive(payment.ref, 'authorised', pay.paymentsWith(impatient))).toBe('paid')
    await pay.repaired()
    await pay.repaired()
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([{ captures: 1, captured: PRICE }])
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('a refund that failed is done later', async () => {
    const payment = await pay.authorised()
    await flow.provider.capture(payment.ref, payment.order_id)
    await flow.app.orders.fail(payment.user_id, payment.order_id, 'payment_timeout')
    await flow.stripe.faults({ fail_next: 1, on: 'refund' })
    expect(await pay.receive(payment.ref, 'captured')).toBe('recorded')
    expect(await pay.stateOf(payment)).toBe('refund_due')
    await pay.repaired()
    expect(await pay.stateOf(payment)).toBe('refunded')
    expect(await pay.expectLedger(payment)).toBe('FAILED')
  })

  test('what was captured for an order that was then cancelled as oversold is given back', async () => {
    const payment = await pay.authorised()
    expect(await pay.receive(payment.ref, 'authorised')).toBe('paid')
    expect(await pay.stateOf(payment)).toBe('captured')
    await pay.repaired()
    expect(await pay.expectLedger(payment)).toBe('PAID')
    expect(await flow.app.orders.fail(payment.user_id, payment.order_id, 'oversold')).toBe(true)
    await pay.repaired()
    expect(await pay.stateOf(payment)).toBe('refunded')
    expect(await pay.expectLedger(payment)).toBe('FAILED')
    expect(await pay.repaired()).toBe(0)
  })

  test('one payment, or one shard, in trouble does not keep the others waiting', async () => {
    const broken = await flow.pending(item, { user_id: flow.buyerOn(0) })
    const fine = await Promise.all(
      [0, 1].map((shard) => flow.pending(item, { user_id: flow.buyerOn(shard) })),
    )
    const open = await Promise.all([broken, ...fine].map(pay.starting))
    for (const { user_id, order_id } of open) await flow.app.orders.fail(user_id, order_id, 'payment_timeout')
    await flow.rest()
    const stubborn = pay.paymentsWith({
      cancel: (ref, id) =>
        ref === open[0]?.ref
          ? Promise.reject(new ProviderUnavailable('stripe', 'away'))
          : flow.provider.cancel(ref, id),
    })
    await stubborn.repair(500)
    expect(await Promise.all(open.map(pay.stateOf))).toEqual(['started', 'cancelled', 'cancelled'])

    const other = await pay.starting(await flow.pending(item, { user_id: flow.buyerOn(1) }))
    await flow.app.orders.fail(other.user_id, other.order_id, 'payment_timeout')
    await flow.rest()
    const halved = createPayments({
      shards: watchShards(flow.app.shards, ({ shard }) => {
        if (shard === 0) throw connectionLost()
      }),
      orders: flow.app.orders,
      providers: [flow.provider],
      settle: async () => undefined,
      log: flow.app.log,
    })
    await halved.repair(500)
    expect(await pay.stateOf(other)).toBe('cancelled')
    await pay.repaired()
  })

  test('a payment that keeps failing goes to the back of the line', async () => {
    const stuck = await pay.starting(await flow.pending(item, { user_id: flow.buyerOn(0) }))
    const next = await pay.starting(await flow.pending(item, { user_id: flow.buyerOn(0) }))
    for (const { user_id, order_id } of [stuck, next])
      await flow.app.orders.fail(user_id, order_id, 'payment_timeout')
    await flow.rest()
    for (const [{ ref }, hours] of [[stuck, 3] as const, [next, 2] as const])
      await flow.app.shards.all[0]?.query(
        `update payments set updated_at = now() - make_interval(hours => $2) where provider_ref = $1`,
        [ref, hours],
      )
    const stubborn = pay.paymentsWith({
      cancel: (ref, id) =>
        ref === stuck.ref
          ? Promise.reject(new ProviderUnavailable('stripe', 'away'))
          : flow.provider.cancel(ref, id),
    })
    for (let n = 0; n < 2; n += 1) await stubborn.repair(1)
    expect(await pay.stateOf(next)).toBe('cancelled')
    await pay.repaired()
  })

  test('a paid order that can not be captured is not asked for again and again', async () => {
    const payment = await pay.authorised()
    const event = await pay.eventOf(payment.ref, 'authorised')
    await flow.stripe.api('POST', `/v1/payment_intents/${payment.ref}/cancel`)
    let asked = 0
    const payments = pay.paymentsWith({
      capture: (...call) => {
        asked += 1
        return flow.provider.capture(...call)
      },
    })
    expect(await payments.receive('stripe', event)).toBe('paid')
    await pay.repaired(payments)
    await pay.repaired(payments)
    expect(asked).toBe(1)
    expect(await pay.stateOf(payment)).toBe('lost')
  })
})

describe('lost webhooks', () => {
  test('an authorisation nobody told us of is found, and pays', async () => {
    const payment = await pay.authorised()
    await flow.app.payments.repair(500)
    expect(await flow.row(payment)).toMatchObject({ status: 'PENDING' }) // it may still come
    await pay.repaired()
    expect(await pay.expectLedger(payment)).toBe('PAID')
    expect(await pay.receive(payment.ref, 'authorised')).toBe('recorded')
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('a payment that waits for its buyer is looked at, and left alone', async () => {
    const payment = await pay.started()
    await pay.repaired()
    expect(await pay.stateOf(payment)).toBe('started')
    expect(await flow.row(payment)).toMatchObject({ status: 'PENDING' })
    await flow.stripe.confirm(payment.secret, visa)
    expect(await pay.receive(payment.ref, 'authorised')).toBe('paid')
  })

  test('a provider that does not answer is asked again later', async () => {
    const payment = await pay.authorised()
    await flow.stripe.faults({ fail_next: 1_000, on: 'retrieve' })
    await pay.repaired()
    expect(await flow.row(payment)).toMatchObject({ status: 'PENDING' })
    await flow.stripe.faults(noFaults)
    await pay.repaired()
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })
})
