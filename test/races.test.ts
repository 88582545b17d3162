import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { orderConsumer } from '../src/flow/orders/consumer.ts'
import { createOrders } from '../src/flow/orders/orders.ts'
import { createPayments } from '../src/flow/payments/payments.ts'
import { createReconcile } from '../src/flow/reconcile/reconcile.ts'
import { createRestock } from '../src/flow/restock/restock.ts'
import { actions, type Claim, type Flow, startFlow } from './support/flow.ts'
import { type Gate, gateInventory, gateProvider, gateShards } from './support/gate.ts'
import { keyOf } from './support/inventory.ts'
import { paying } from './support/paying.ts'
import { replaySettings } from './support/seed.ts'

// Everything that can happen to a few orders, at once, in orders of steps that fast-check chooses: each statement,
// script and call to the provider is let through one by one. Whatever the order, the books balance in the end.

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

const ORDERS = 4
const UNITS = 5

const whatHappens = fc.record({
  kind: fc.constantFrom(
    ...([
      'webhook',
      'webhook',
      'same webhook',
      'paypal',
      'same paypal',
      'back from paypal',
      'cancel',
      'expire',
      'lapse',
      'deliver',
      'reconcile',
      'repair',
      'drift',
    ] as const),
  ),
  order: fc.nat({ max: ORDERS - 1 }),
})
type Happening = typeof whatHappens extends fc.Arbitrary<infer One> ? One : never

/** Orders of one item, half of them written and paid for at the provider, half still on their way to SQL. */
async function prepare() {
  const item = await flow.newItem(UNITS)
  const pay = paying(flow, item)
  const claims: (Claim & { ref?: string; paypal?: string })[] = []
  for (let n = 0; n < ORDERS; n += 1) {
    if (n % 2 === 1) {
      claims.push(await flow.claim(item))
      continue
    }
    const payment = await pay.starting(await flow.pending(item))
    await flow.stripe.confirm(payment.secret, { payment_method: 'pm_card_visa' })
    // The same buyer has agreed at PayPal too, in another tab.
    const other = await pay.withPaypal(payment)
    await flow.paypal.answer(other.secret, 'approve')
    claims.push({ ...payment, paypal: other.ref })
  }
  return { item, pay, claims }
}

/** The flow's parts with every call to the outside behind the gate. */
function behind(gate: Gate, item: string) {
  const { app } = flow
  const shards = gateShards(app.shards, gate)
  const orders = createOrders({ shards })
  const inventory = gateInventory(app.inventory, item, gate)
  const settle = (order: { item_id: string; order_id: string }) =>
    inventory.settle(order.item_id, order.order_id)
  const { log, catalogue } = app
  const providers = [gateProvider(flow.provider, gate), gateProvider(flow.paypalProvider, gate)]
  const payments = createPayments({ shards, orders, providers, settle, log })
  return {
    payments,
    restock: createRestock({ inventory, orders, payments, catalogue, log }),
    reconcile: createReconcile({
      ...app,
      inventory,
      orders,
      database: app.shards.catalogue,
      runId: () => app.redis.runId(),
    }),
    consume: orderConsumer({ ...app, orders }),
  }
}

test('webhooks, sweeps, cancellations, events and reconciliation at once leave the books balanced', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(whatHappens, { minLength: 3, maxLength: 10 }),
      async (scheduler, happenings) => {
        const { item, pay, claims } = await prepare()
        const gate: Gate = (label, call) => scheduler.scheduleFunction({ [label]: call }[label] ?? call)()
        const { payments, restock, reconcile, consume } = behind(gate, item)

        const happen = async ({ kind, order }: Happening): Promise<unknown> => {
          const claimed = claims[order] as Claim & { ref?: string; paypal?: string }
          switch (kind) {
            case 'webhook':
            case 'same webhook': {
              if (claimed.ref === undefined) return
              const id = kind === 'webhook' ? undefined : `same-${claimed.order_id}`
              return payments.receive('stripe', await pay.eventOf(claimed.ref, 'authorised', id))
            }
            case 'paypal':
            case 'same paypal': {
              if (claimed.paypal === undefined) return
              const id = kind === 'paypal' ? undefined : `same-paypal-${claimed.order_id}`
              const event = await pay.paypalEvent(claimed.paypal, 'approved', id)
              return payments.receive('paypal', event)
            }
            case 'back from paypal':
              return claimed.paypal === undefined
                ? undefined
                : payments.check(await flow.row(claimed), 'paypal')
            case 'cancel':
              return restock.cancel(claimed.user_id, claimed.order_id)
            case 'expire':
              await flow.expire(claimed)
              return restock.sweep()
            case 'lapse':
              await flow.lapse(claimed)
              return restock.sweep()
            case 'deliver':
              return consume(await flow.outbox(item))
            case 'drift':
              // One too few, once; the other way round a unit could rightly be sold that is not there.
              await flow.app.redis.commands.hincrby(keyOf(item, 'stock'), 'available', -1)
              return reconcile.item(item)
            case 'reconcile':
              return reconcile.item(item)
            case 'repair':
              await flow.rest()
              return payments.repair(100)
          }
        }
        await scheduler.waitFor(Promise.all(happenings.map(happen)))

        // What is left ends by itself: everything becomes due, and nobody interferes any more.
        const restocked = (await flow.outbox(item)).filter(({ event }) => event.type === 'Restocked')
        await flow.app.reconcile.item(item)
        await actions(flow.app).deliver(item)
        for (const claimed of claims) await flow.expire(claimed)
        await flow.app.restock.sweep()
        await pay.repaired()
        restocked.push(...(await flow.outbox(item)))

        const rows = await Promise.all(claims.map(flow.row))
        const paid = rows.filter(({ status }) => status === 'PAID')
        expect(rows.filter(({ status }) => status === 'PENDING')).toEqual([])
        expect(await flow.counts(item)).toEqual({
          total: UNITS,
          available: UNITS - paid.length,
          held: 0,
          sold: paid.length,
        })
        for (const claimed of claims) await pay.expectLedger(claimed)
        const back = restocked.map(({ event }) => event.order_id).sort()
        expect(back).toEqual(
          rows
            .filter(({ status }) => status === 'FAILED')
            .map((row) => row.order_id)
            .sort(),
        )
        expect(await flow.app.reconcile.item(item)).toMatchObject({ outcome: 'clean', drift: 0 })
      },
    ),
    { numRuns: 40, ...replaySettings('races') },
  )
}, 60_000)
