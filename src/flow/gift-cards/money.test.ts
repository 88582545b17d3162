import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Claim, type Flow, PRICE, startFlow } from '../../../test/support/flow.ts'
import { giftCards } from '../../../test/support/gift-cards.ts'
import { paying } from '../../../test/support/paying.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import type { GiftCard } from './gift-cards.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

const CARDS = [300, 1500, PRICE + 700]
const ORDERS = 3
let buyers = 0

test('whatever is put, taken off, paid, failed and cancelled at once: no card is overspent, no order paid twice', async () => {
  const act = fc.record({
    what: fc.constantFrom('put', 'put', 'put', 'take off', 'pay', 'pay', 'fail', 'oversell'),
    order: fc.nat(ORDERS - 1),
    card: fc.nat(CARDS.length - 1),
  })
  // Those of one step begin at the same moment.
  const steps = fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 })
  const item = await flow.newItem(5000)
  const [pay, gifts] = [paying(flow, item), giftCards(flow, item)]
  const { app, stripe } = flow

  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const user_id = `gift-money-${++buyers}`
      const cards: GiftCard[] = []
      for (const amount of CARDS) cards.push(await gifts.cardFor(user_id, amount))
      const orders: Claim[] = []
      for (let n = 0; n < ORDERS; n += 1) orders.push(await flow.pending(item, { user_id }))

      const perform = async ({ what, order: n, card }: { what: string; order: number; card: number }) => {
        const order = orders[n] as Claim
        if (what === 'put') {
          const { kind } = await app.giftCards.put(user_id, order.order_id, cards[card]?.code ?? '')
          if (kind === 'paid') await app.payments.finish(user_id, order.order_id)
        } else if (what === 'take off') await app.giftCards.takeOff(user_id, order.order_id)
        else if (what === 'fail') await app.orders.fail(user_id, order.order_id, 'declined')
        else if (what === 'oversell') await app.orders.fail(user_id, order.order_id, 'oversold')
        else if ((await flow.row(order)).status === 'PENDING') {
          // It may be decided meanwhile, or another amount may be due: then this payment pays nothing.
          const payment = await pay.starting(order).catch(() => undefined)
          if (payment === undefined) return
          await stripe.confirm(payment.secret, { payment_method: 'pm_card_visa' })
          await pay.receive(payment.ref, 'authorised')
        }
      }
      const expectSound = async () => {
        const now = await app.giftCards.of(user_id)
        for (const { balance, amount } of now) {
          expect(balance).toBeGreaterThanOrEqual(0)
          expect(balance).toBeLessThanOrEqual(amount)
        }
        // What is gone from the cards is exactly what they pay of orders that stand.
        let used = 0
        for (const order of orders) {
          const [{ status, amount }, part] = [
            await flow.row(order),
            await app.giftCards.part(user_id, order.order_id),
          ]
          expect(part).toBeLessThanOrEqual(amount)
          if (status !== 'FAILED') used += part
        }
        expect(now.reduce((sum, { amount, balance }) => sum + amount - balance, 0)).toBe(used)
      }
      for (const step of run) {
        await Promise.all(step.map(perform))
        await expectSound()
      }
      await pay.repaired()
      await pay.repaired()
      for (const order of orders) await gifts.expectMoney(order)
    }),
    { numRuns: 12, ...replaySettings('gift card money') },
  )
}, 120_000)
