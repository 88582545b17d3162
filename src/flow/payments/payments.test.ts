import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { PAGE, type Paying, paying } from '../../../test/support/paying.ts'
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

describe('authorise, compare-and-set, capture', () => {
  test('an authorised payment pays the order, is captured, and sells the unit', async () => {
    const payment = await pay.authorised()
    const before = await flow.counts(item)
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([{ authorised: PRICE, captured: 0 }])
    expect(await pay.receive(payment.ref, 'authorised')).toBe('paid')
    expect(await pay.expectLedger(payment)).toBe('PAID')
    expect(await pay.stateOf(payment)).toBe('captured')
    expect(await flow.counts(item)).toEqual({ ...before, held: before.held - 1, sold: before.sold + 1 })
  })

  test('no money moves before SQL has committed PAID', async () => {
    const payment = await pay.authorised()
    const seen: string[] = []
    const payments = pay.paymentsWith({
      capture: async (...call) => {
        seen.push((await flow.row(payment)).status)
        return flow.provider.capture(...call)
      },
    })
    await pay.receive(payment.ref, 'authorised', payments)
    expect(seen).toEqual(['PAID'])
  })

  test('a transaction that can not commit captures nothing, and the event works when it comes again', async () => {
    const payment = await pay.authorised()
    const event = await pay.eventOf(payment.ref, 'authorised')
    let calls = 0
    const broken = createPayments({
      shards: watchShards(flow.app.shards, ({ text }) => {
        if (/update payments/.test(text) && ++calls === 1) throw connectionLost()
      }),
      orders: flow.app.orders,
      providers: [flow.provider],
      settle: async () => undefined,
      log: flow.app.log,
    })
    expect(await failure(broken.receive('stripe', event))).toMatchObject({ code: 'ECONNRESET' })
    expect(await flow.row(payment)).toMatchObject({ status: 'PENDING' })
    expect(flow.stripe.entry(payment.order_id)).toMatchObject([{ captures: 0 }])
    expect(await flow.app.payments.receive('stripe', event)).toBe('paid')
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('a declined card leaves the order payable; the next card pays it', async () => {
    const payment = await pay.started()
    const declined = { payment_method: 'pm_card_visa_chargeDeclined' }
    expect((await flow.stripe.confirm(payment.secret, declined)).status).toBe(402)
    expect(await pay.receive(payment.ref, 'failed')).toBe('recorded')
    expect(await flow.row(payment)).toMatchObject({ status: 'PENDING' })
    expect(await pay.stateOf(payment)).toBe('failed')
    await flow.stripe.confirm(payment.secret, visa)
    expect(await pay.receive(payment.ref, 'authorised')).toBe('paid')
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })

  test('a hold whose settling fails does not keep the money from being captured', async () => {
    const payment = await pay.authorised()
    const payments = createPayments({
      shards: flow.app.shards,
      orders: flow.app.orders,
      providers: [flow.provider],
      settle: () => Promise.reject(new Error('Redis is away')),
      log: flow.app.log,
    })
    expect(await pay.receive(payment.ref, 'authorised', payments)).toBe('paid')
    expect(await pay.expectLedger(payment)).toBe('PAID')
  })
})

describe('start', () => {
  test('gives the same payment again, and only while the order can be paid', async () => {
    const payment = await pay.started()
    expect((await pay.starting(payment)).secret).toBe(payment.secret)
    await flow.app.orders.fail(payment.user_id, payment.order_id, 'payment_timeout')
    const late = await flow.app.payments.start(await flow.row(payment), 'stripe', PAGE)
    expect(late).toEqual({ kind: 'not_payable', status: 'FAILED' })
  })

  test('of an order that fails meanwhile is cancelled by repair', async () => {
    const claimed = await flow.pending(item)
    const stale = await flow.row(claimed)
    await flow.app.orders.fail(claimed.user_id, claimed.order_id, 'payment_timeout')
    expect((await flow.app.payments.start(stale, 'stripe', PAGE)).kind).toBe('started')
    await pay.repaired()
    expect(flow.stripe.entry(claimed.order_id)).toMatchObject([{ status: 'canceled' }])
  })

  test('whose answer was lost gives the same payment the next time', async () => {
    const claimed = await flow.pending(item)
    await flow.stripe.faults({ lose_next: 1, on: 'create' })
    const impatient = flow.stripe.provider({ timeoutMs: 100, maxNetworkRetries: 0 })
    const payments = pay.paymentsWith(impatient)
    const order = await flow.row(claimed)
    expect(await failure(payments.start(order, 'stripe', PAGE))).toBeInstanceOf(ProviderUnavailable)
    await pay.starting(claimed)
    expect(flow.stripe.entry(claimed.order_id)).toHaveLength(1)
  })
})

function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}
