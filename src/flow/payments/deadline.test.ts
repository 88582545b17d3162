import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Claim, type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { type Paying, paying } from '../../../test/support/paying.ts'
import { createPayments } from './payments.ts'

// The clock of the database decides at the deadline, to the millisecond.

let flow: Flow
let pay: Paying
let item: string
beforeAll(async () => {
  flow = await startFlow()
  item = await flow.newItem(100)
  pay = paying(flow, item)
})
afterAll(() => flow[Symbol.asyncDispose]())

/** Payments whose transactions see the order's deadline so many ms away from their own now(). */
function paymentsAt(claimed: Claim, ms: number) {
  const { shards } = flow.app
  const at = {
    ...shards,
    of: (user: string) => {
      const database = shards.of(user)
      return {
        ...database,
        query: database.query.bind(database),
        transaction: <Answer>(work: Parameters<typeof database.transaction<Answer>>[0]) =>
          database.transaction<Answer>(async (sql) => {
            await sql.query(
              `update orders set pay_by = now() + make_interval(secs => $3::float8 / 1000)
               where user_id = $1 and id = $2`,
              [claimed.user_id, claimed.order_id, ms],
            )
            return work(sql)
          }),
      }
    },
  }
  return createPayments({
    shards: at,
    orders: flow.app.orders,
    providers: [flow.provider, flow.paypalProvider],
    settle: (order) => flow.app.inventory.settle(order.item_id, order.order_id),
    log: flow.app.log,
  })
}

test.each([
  [1, 'PAID'],
  [0, 'FAILED'],
  [-1, 'FAILED'],
] as const)('authorised %i ms before the deadline: %s', async (ms, status) => {
  for (const way of ['stripe', 'paypal'] as const) {
    const payment = way === 'stripe' ? await pay.authorised() : await pay.withPaypal(await flow.pending(item))
    if (way === 'paypal') await flow.paypal.answer(payment.secret, 'approve')
    const event =
      way === 'stripe'
        ? await pay.eventOf(payment.ref, 'authorised')
        : await pay.paypalEvent(payment.ref, 'approved')
    const outcome = await paymentsAt(payment, ms).receive(way, event)
    expect(outcome).toBe(status === 'PAID' ? 'paid' : 'recorded')
    await flow.lapse(payment)
    await flow.app.restock.sweep()
    await pay.repaired()
    expect(await pay.expectLedger(payment)).toBe(status)
    const [entry] = [...flow.stripe.entry(payment.order_id), ...flow.paypal.entry(payment.order_id)]
    expect(entry).toMatchObject({ authorised: PRICE, released: status === 'PAID' ? 0 : PRICE })
  }
})

test('captured by the provider although the deadline was over: the money goes back, once', async () => {
  const payment = await pay.authorised()
  await flow.provider.capture(payment.ref, payment.order_id)
  await paymentsAt(payment, -1).receive('stripe', await pay.eventOf(payment.ref, 'captured'))
  await flow.app.restock.sweep()
  await pay.repaired()
  expect(await pay.expectLedger(payment)).toBe('FAILED')
  expect(flow.stripe.entry(payment.order_id)).toMatchObject([
    { captured: PRICE, refunded: PRICE, refunds: 1 },
  ])
})
