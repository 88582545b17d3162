import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Flow, startFlow } from '../../../test/support/flow.ts'
import { type Paying, paying } from '../../../test/support/paying.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import { noFaults } from '../../sandbox/faults.ts'
import { ProviderUnavailable, type ProviderEvent } from './payments.ts'

// Webhooks come twice, out of order, late, at once, or never: the end is the same.

let flow: Flow
let pay: Paying
beforeAll(async () => {
  flow = await startFlow()
  pay = paying(flow, await flow.newItem(1000))
})
afterAll(() => flow[Symbol.asyncDispose]())
beforeEach(() => flow.stripe.faults(noFaults))

/** A declined card, an accepted one, and the provider's events about them as each was at its time. */
async function bought() {
  const payment = await pay.started()
  const events: ProviderEvent[] = []
  await flow.stripe.confirm(payment.secret, { payment_method: 'pm_card_visa_chargeDeclined' })
  events.push(await pay.eventOf(payment.ref, 'failed'))
  await flow.stripe.confirm(payment.secret, { payment_method: 'pm_card_visa' })
  events.push(await pay.eventOf(payment.ref, 'authorised'))
  return { payment, events }
}

/** Each event once or twice, in any order; some lost. */
const deliveries = (events: number) =>
  fc
    .array(fc.nat({ max: events - 1 }), { maxLength: 2 * events })
    .filter((order) => [...Array(events).keys()].every((n) => order.filter((one) => one === n).length <= 2))

const settings = (name: string) => ({ numRuns: 30, ...replaySettings(name) })

test('paid, whatever becomes of the webhooks: one capture, one unit sold', async () => {
  await fc.assert(
    fc.asyncProperty(deliveries(3), fc.boolean(), async (order, atOnce) => {
      const { payment, events } = await bought()
      // The capture's own event: true once we have captured, early when it overtakes the authorisation.
      const [, authorised] = events
      if (authorised !== undefined)
        events.push({
          ...authorised,
          event_id: `${authorised.event_id}-captured`,
          type: 'captured',
          payment: { ...authorised.payment, state: 'captured', amount_received: authorised.payment.amount },
        })
      const deliver = (n: number) => flow.app.payments.receive('stripe', events[n] as ProviderEvent)
      if (atOnce) await Promise.all(order.map(deliver))
      else for (const n of order) await deliver(n)
      // What has captured for real only if we did: an event of a capture that never was would be the provider's lie.
      if (order.includes(2)) await flow.provider.capture(payment.ref, payment.order_id)
      await pay.repaired()
      expect(await pay.expectLedger(payment)).toBe('PAID')
      expect(await pay.stateOf(payment)).toBe('captured')
      await flow.app.restock.cancel(payment.user_id, payment.order_id)
      expect(await pay.expectLedger(payment)).toBe('PAID')
    }),
    settings('webhooks of a paid order'),
  )
}, 30_000)

test('failed at any moment: what the provider has captured is kept exactly when the order is paid', async () => {
  await fc.assert(
    fc.asyncProperty(deliveries(4), fc.nat({ max: 8 }), fc.boolean(), async (order, failsAt, captured) => {
      const { payment, events } = await bought()
      const { user_id, order_id, ref } = payment
      const fail = () => flow.app.orders.fail(user_id, order_id, 'payment_timeout')
      // Nobody but us cancels, and only for an order that has failed; capturing on its own a provider may do.
      let failed = !captured && (await fail())
      if (captured) await flow.provider.capture(ref, order_id)
      else await flow.provider.cancel(ref, order_id)
      const last = await pay.eventOf(ref, captured ? 'captured' : 'cancelled')
      events.push(last, { ...last, event_id: `${last.event_id}-again` })
      for (const [index, n] of order.entries()) {
        if (index === failsAt) failed ||= await fail()
        await flow.app.payments.receive('stripe', events[n] as ProviderEvent)
      }
      failed ||= await fail()
      await pay.repaired()
      expect(await pay.expectLedger(payment)).toBe(failed ? 'FAILED' : 'PAID')
    }),
    settings('webhooks of a failed order'),
  )
}, 30_000)

test('with a provider that fails at random the ledger is right as soon as it answers again', async () => {
  const flaw = fc.constantFrom('fine', 'lost before', 'lost after')
  await fc.assert(
    fc.asyncProperty(fc.array(flaw, { minLength: 20 }), fc.boolean(), async (flaws, fails) => {
      const { payment, events } = await bought()
      const left = [...flaws]
      const shaky = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
        const flawed = left.shift()
        if (flawed === 'lost before') throw new ProviderUnavailable('stripe', 'not sent')
        const answer = await call()
        if (flawed === 'lost after') throw new ProviderUnavailable('stripe', 'answer lost')
        return answer
      }
      const payments = pay.paymentsWith({
        capture: (...call) => shaky(() => flow.provider.capture(...call)),
        cancel: (...call) => shaky(() => flow.provider.cancel(...call)),
        refund: (...call) => shaky(() => flow.provider.refund(...call)),
        find: (ref) => shaky(() => flow.provider.find(ref)),
      })
      if (fails) await flow.app.orders.fail(payment.user_id, payment.order_id, 'payment_timeout')
      for (const event of events) await payments.receive('stripe', event)
      for (let n = 0; n < 3; n += 1) await pay.repaired(payments)
      await pay.repaired()
      expect(await pay.expectLedger(payment)).toBe(fails ? 'FAILED' : 'PAID')
    }),
    settings('a shaky provider'),
  )
}, 30_000)
