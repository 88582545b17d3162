import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { testDatabases, type TestDatabases } from '../../test/support/postgres.ts'
import { replaySettings } from '../../test/support/seed.ts'
import type { NewOrder, OrderStore } from '../../src/flow/orders/orders.ts'
import * as sqlOrders from '../../src/flow/orders/sql.ts'
import type { PaymentStore } from '../../src/flow/payments/payments.ts'
import type { PaymentState } from '../../src/flow/payments/states.ts'
import * as sqlPayments from '../../src/flow/payments/sql.ts'
import { connectDatabase, type Database, type Sql } from '../../src/platform/postgres.ts'
import { modelOrders } from './orders-model.ts'
import { modelPayments } from './payments-model.ts'
import { directDatabase, PostgresModel } from './postgres-model.ts'

/** The same statements to the model and to a real PostgreSQL: same answers, and the same rows after each. */

let databases: TestDatabases
let real: Database
beforeAll(async () => {
  databases = await testDatabases(1)
  real = connectDatabase(databases.urls[0] ?? '', { max: 6 })
})
afterAll(async () => {
  await real.close()
  await databases.drop()
})

interface Side {
  readonly database: Database
  readonly orders: OrderStore
  readonly payments: PaymentStore
}
const realSide = (): Side => ({ database: real, orders: sqlOrders, payments: sqlPayments })
/** A clock that never shows the same time twice, as a real one hardly does. */
function modelSide(): Side {
  let time = Date.now()
  const model = new PostgresModel(() => ++time)
  return { database: directDatabase(model), orders: modelOrders, payments: modelPayments }
}

const PAST = Date.now() - 3_600_000
const FUTURE = Date.now() + 3_600_000
const idOf = (number: number) => `00000000-0000-7000-8000-00000000000${number}`

/** Few ids, so that statements meet; an order always belongs to the same buyer and was claimed at a time of its own. */
const orderOf = (number: number, change: Partial<NewOrder> = {}): NewOrder => ({
  ...{
    order_id: idOf(number),
    user_id: `buyer-${number % 3}`,
    sale_id: 'sale',
    item_id: `item-${number % 2}`,
  },
  ...{ quantity: 1 + (number % 2), amount: 500, currency: 'EUR', status: 'PENDING', failure_reason: null },
  ...{ claim_seq: number + 1, claimed_at: PAST + number, pay_by: (number % 2 ? PAST : FUTURE) + number },
  hold_expires_at: FUTURE + 1000 + number,
  ...change,
})
const paymentOf = (number: number, provider_ref: string) => ({
  ...{ provider_ref, order_id: idOf(number), user_id: orderOf(number).user_id, state: 'authorised' as const },
  ...{ amount: 500, amount_received: 0, amount_refunded: 0, currency: 'EUR' },
})

type Act = (side: Side, sql: Sql) => Promise<unknown>
interface Step {
  readonly name: string
  readonly act: Act
}
const step =
  (name: string, act: (number: number, ref: string) => Act) =>
  (number: number, ref: string): Step => ({ name: `${name}(${number}, ${ref})`, act: act(number, ref) })

const STATES: readonly PaymentState[] = ['failed', 'authorised', 'captured', 'lost', 'refund_due', 'refunded']
const user = (number: number) => orderOf(number).user_id
const MAX = 3
const STEPS = [
  step(
    'insert',
    (number) => (side, sql) => side.orders.insertOrders(sql, [orderOf(number), orderOf(number)]),
  ),
  step(
    'insert three',
    (number) => (side, sql) =>
      side.orders.insertOrders(sql, [orderOf(number), orderOf((number + 1) % 6), orderOf((number + 2) % 6)]),
  ),
  step(
    'bury',
    (number) => (side, sql) =>
      side.orders.insertOrders(sql, [orderOf(number, { status: 'FAILED', failure_reason: 'hold_expired' })]),
  ),
  step('pay', (number) => (side, sql) => side.orders.compareAndPay(sql, user(number), idOf(number))),
  step(
    'fail',
    (number) => (side, sql) =>
      side.orders.compareAndFail(sql, user(number), idOf(number), ['PENDING'], 'payment_timeout'),
  ),
  step(
    'oversold',
    (number) => (side, sql) =>
      side.orders.compareAndFail(sql, user(number), idOf(number), ['PENDING', 'PAID'], 'oversold'),
  ),
  step('restocked', (number) => (side, sql) => {
    const { order_id, user_id, item_id, sale_id, quantity } = orderOf(number)
    const event = { type: 'Restocked', version: 1, timestamp: PAST } as const
    return side.orders.markRestocked(sql, [{ ...event, order_id, user_id, item_id, sale_id, quantity }])
  }),
  step('find', (number) => (side, sql) => side.orders.selectOrder(sql, user(number), idOf(number))),
  step('lock', (number) => (side, sql) => side.orders.selectOrderForUpdate(sql, user(number), idOf(number))),
  step('a stranger finds', (number) => (side, sql) => side.orders.selectOrder(sql, 'nobody', idOf(number))),
  step('of', (number) => (side, sql) => side.orders.selectOrdersOf(sql, user(number))),
  step('overdue', () => (side, sql) => side.orders.selectOverdue(sql, MAX)),
  step('unreleased', () => (side, sql) => side.orders.selectUnreleased(sql, MAX)),
  step(
    'count',
    (number) => async (side, sql) =>
      (await side.orders.countByStatus(sql, `item-${number % 2}`))
        .map(({ status, orders, units }) => `${status} ${orders} ${units}`)
        .sort(),
  ),
  step(
    'last active',
    (number) => (side, sql) => side.orders.selectLastActive(sql, `item-${number % 2}`, MAX),
  ),
  step(
    'event',
    (number, ref) => (side, sql) => side.payments.insertEvent(sql, user(number), 'stripe', `event-${ref}`),
  ),
  step(
    'lock payment',
    (number, ref) => (side, sql) =>
      side.payments.lockPayment(sql, user(number), 'stripe', paymentOf(number, ref)),
  ),
  ...STATES.map((state) =>
    step(
      `to ${state}`,
      (number, provider_ref) => (side, sql) =>
        side.payments.advance(sql, user(number), idOf(number), { provider: 'stripe', provider_ref }, state),
    ),
  ),
  step('decline', (number, provider_ref) => (side, sql) => {
    const payment = { provider: 'stripe', provider_ref, failure_code: 'declined' } as const
    return side.payments.advance(sql, user(number), idOf(number), payment, 'failed')
  }),
  step('payments', (number) => (side, sql) => side.payments.selectPayments(sql, user(number), idOf(number))),
  step('lacks money', (number) => (side, sql) => side.payments.lacksMoney(sql, user(number), idOf(number))),
  step(
    'lacking',
    (number) => async (side, sql) => (await side.payments.selectLacking(sql, user(number))).toSorted(),
  ),
  step(
    'unfinished, decided',
    () => (side, sql) =>
      side.payments.takeUnfinished(sql, { quietS: 0, pollS: 3600, max: MAX }).then(inOrder),
  ),
  step(
    'unfinished',
    () => (side, sql) => side.payments.takeUnfinished(sql, { quietS: 0, pollS: 0, max: 10 }).then(inOrder),
  ),
  step(
    'unfunded',
    () => async (side, sql) =>
      (await side.payments.selectUnfunded(sql, 0, 10))
        .map(({ paid_at: _at, ...row }) => JSON.stringify(row))
        .sort(),
  ),
]
/** An update tells its rows in no order. */
const inOrder = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort()

const anyStep = fc
  .tuple(fc.constantFrom(...STEPS), fc.nat(5), fc.constantFrom('pi-1', 'pi-2'))
  .map(([make, number, ref]) => make(number, ref))
/** One statement, or a transaction of several that is committed or given up. */
const anyUnit = fc.oneof(
  { weight: 4, arbitrary: anyStep.map((one) => ({ steps: [one], ends: 'alone' as const })) },
  {
    weight: 1,
    arbitrary: fc.record({
      steps: fc.array(anyStep, { minLength: 1, maxLength: 5 }),
      ends: fc.constantFrom('commit', 'rollback'),
    }),
  },
)
type Unit = { readonly steps: readonly Step[]; readonly ends: 'alone' | 'commit' | 'rollback' }

class GivenUp extends Error {}

async function perform(side: Side, { steps, ends }: Unit): Promise<unknown[]> {
  const answers: unknown[] = []
  const all = async (sql: Sql) => {
    for (const { act } of steps) answers.push(await act(side, sql))
    if (ends === 'rollback') throw new GivenUp()
  }
  if (ends === 'alone') await all(side.database)
  else
    await side.database.transaction(all).catch((error: unknown) => {
      if (!(error instanceof GivenUp)) throw error
    })
  return answers
}

/** Everything that can be read, beside the times that only the database knows. */
async function state({ database: sql, orders, payments }: Side): Promise<unknown> {
  const numbers = [0, 1, 2, 3, 4, 5]
  return {
    orders: await Promise.all(numbers.map((number) => orders.selectOrder(sql, user(number), idOf(number)))),
    payments: await Promise.all(
      numbers.map((number) => payments.selectPayments(sql, user(number), idOf(number)).then(inOrder)),
    ),
    unreleased: await orders.selectUnreleased(sql, 10),
  }
}

test('the model and PostgreSQL agree on every answer and after every step', async () => {
  const run = fc.asyncProperty(
    fc.array(anyUnit, { minLength: 5, maxLength: 40, size: 'max' }),
    async (units) => {
      await real.query('truncate orders, payments, webhook_events cascade')
      const [ours, theirs] = [modelSide(), realSide()]
      for (const unit of units) {
        const name = unit.steps.map((one) => one.name).join(', ')
        const expected = await perform(theirs, unit)
        expect({ name, answers: await perform(ours, unit) }).toEqual({ name, answers: expected })
        expect(await state(ours)).toEqual(await state(theirs))
      }
    },
  )
  await fc.assert(run, { ...replaySettings('SQL model'), numRuns: 30 })
}, 120_000)

for (const [name, createSide] of [
  ['PostgreSQL', realSide],
  ['the model', modelSide],
] as const)
  for (const ends of ['commit', 'rollback'] as const)
    test(`${name}: whoever meets a row of a transaction waits for its ${ends}, then looks again`, async () => {
      await real.query('truncate orders, payments, webhook_events cascade')
      const side = createSide()
      const { database, orders, payments } = side
      await orders.insertOrders(database, [orderOf(0)])
      const holding = Promise.withResolvers<void>()
      const go = Promise.withResolvers<void>()
      const first = database
        .transaction(async (sql) => {
          const isNew = await payments.insertEvent(sql, user(0), 'stripe', 'event')
          const state = await payments.lockPayment(sql, user(0), 'stripe', paymentOf(0, 'pi'))
          const paid = await orders.compareAndPay(sql, user(0), idOf(0))
          await orders.insertOrders(sql, [orderOf(3)])
          expect([isNew, state, paid]).toEqual([true, 'started', true])
          holding.resolve()
          await go.promise
          if (ends === 'rollback') throw new GivenUp()
        })
        .catch((error: unknown) => {
          if (!(error instanceof GivenUp)) throw error
        })
      await holding.promise
      // Nobody sees what is not committed; what would change it waits.
      expect((await orders.selectOrder(database, user(0), idOf(0)))?.status).toBe('PENDING')
      expect(await payments.takeUnfinished(database, { quietS: -1, pollS: -1, max: 10 })).toEqual([])
      const settled: string[] = []
      const note = <Answer>(what: string, answer: Promise<Answer>) => answer.finally(() => settled.push(what))
      const waiting = Promise.all([
        note('event', payments.insertEvent(database, user(0), 'stripe', 'event')),
        note('fail', orders.compareAndFail(database, user(0), idOf(0), ['PENDING'], 'payment_timeout')),
        note(
          'insert',
          orders.insertOrders(database, [orderOf(3, { status: 'FAILED', failure_reason: 'hold_expired' })]),
        ),
        note('lock', orders.selectOrderForUpdate(database, user(0), idOf(0))),
      ])
      await Bun.sleep(100)
      expect(settled).toEqual([])
      go.resolve()
      await first
      const [isNew, failed, , locked] = await waiting
      const won = ends === 'commit'
      expect({ isNew, failed }).toEqual({ isNew: !won, failed: !won })
      // Whoever of the two that wait goes first.
      expect(won ? ['PAID'] : ['PENDING', 'FAILED']).toContain(locked?.status ?? 'none')
      expect((await orders.selectOrder(database, user(0), idOf(0)))?.status).toBe(won ? 'PAID' : 'FAILED')
      expect((await orders.selectOrder(database, user(3), idOf(3)))?.status).toBe(won ? 'PENDING' : 'FAILED')
      expect(await payments.selectPayments(database, user(0), idOf(0))).toHaveLength(won ? 1 : 0)
    }, 20_000)
