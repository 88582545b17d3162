import type { z } from 'zod'
import type { Order } from '../../src/contracts/http.ts'
import { sleep } from '../clock.ts'
import type { BuyerPlan } from './plan.ts'
import { presentReceipt } from './receipts.ts'
import { backOff, type Browser, isTransient, JSON_BODY, persist, type Shopping, sendToShop } from './scene.ts'

const GOOD_CARD = '4242424242424242'
const DECLINED_CARD = '4000000000000002'

type Status = z.infer<typeof Order>['status']
/** LOST: the shop does not know the order any more, and does not take its receipt. */
type Seen = Status | 'LOST'

/** Pays as the checkout page does, and watches until the order has a last word; undefined: none in time. */
export async function pay(
  scene: Shopping,
  plan: BuyerPlan,
  browser: Browser,
  order_id: string,
): Promise<'PAID' | 'FAILED' | 'LOST' | undefined> {
  await sleep(plan.random() * 300)
  for (let attempt = 0; !scene.over(); attempt++) {
    const status = await watch(scene, plan, browser, order_id, (now) => now !== 'PROCESSING')
    if (status !== 'PENDING') return final(status)
    const started = await persist(scene, plan.random, () =>
      sendToShop(scene, browser, {
        method: 'POST',
        path: `/api/orders/${order_id}/payment`,
        headers: JSON_BODY,
        body: JSON.stringify({ provider: 'stripe' }),
      }),
    )
    if (started?.status === 200 || started?.status === 201) {
      const { browser: form } = JSON.parse(started.text) as { browser: Form }
      if (plan.declinedFirst && attempt === 0) await confirm(scene, plan, form, DECLINED_CARD)
      if (await confirm(scene, plan, form, GOOD_CARD)) break
    }
    await backOff(attempt, plan.random)
  }
  return final(await watch(scene, plan, browser, order_id, (now) => now === 'PAID' || now === 'FAILED'))
}

/** Changes its mind; undefined where that was refused or never answered. */
export async function cancel(
  scene: Shopping,
  plan: BuyerPlan,
  browser: Browser,
  order_id: string,
): Promise<'FAILED' | undefined> {
  await sleep(plan.random() * 500)
  await watch(scene, plan, browser, order_id, (now) => now !== 'PROCESSING')
  const answer = await persist(scene, plan.random, () =>
    sendToShop(scene, browser, { method: 'DELETE', path: `/api/orders/${order_id}` }),
  )
  if (answer?.status !== 200) return undefined
  return (JSON.parse(answer.text) as { status: Status }).status === 'FAILED' ? 'FAILED' : undefined
}

const final = (status: Seen | undefined) =>
  status === 'PAID' || status === 'FAILED' || status === 'LOST' ? status : undefined

/** Reads the order until it passes the test, asking less often the longer it takes. */
async function watch(
  scene: Shopping,
  plan: BuyerPlan,
  browser: Browser,
  order_id: string,
  test: (status: Status) => boolean,
): Promise<Seen | undefined> {
  for (let time = 0; !scene.over(); time++) {
    const answer = await persist(scene, plan.random, () =>
      sendToShop(scene, browser, { method: 'GET', path: `/api/orders/${order_id}` }),
    )
    if (answer?.status === 200) {
      const { status } = JSON.parse(answer.text) as { status: Status }
      if (test(status)) return status
    }
    if (answer?.status === 404 && (await presentReceipt(scene, plan.random, order_id)) === 'gone')
      return 'LOST'
    await sleep(Math.min(1000, 100 + 50 * time) * (0.75 + plan.random() / 2))
  }
  return undefined
}

interface Form {
  readonly publishable_key: string
  readonly client_secret: string
  readonly api_url: string
}

/**
 * Confirms the PaymentIntent as Stripe.js does: with the publishable key and the client secret, form-encoded.
 * True once the bank has said yes, or has said so before.
 */
async function confirm(scene: Shopping, plan: BuyerPlan, form: Form, card: string): Promise<boolean> {
  const { origin, host } = new URL(form.api_url)
  const intent = form.client_secret.split('_secret_')[0]
  const body = new URLSearchParams({
    client_secret: form.client_secret,
    'payment_method_data[type]': 'card',
    'payment_method_data[card][number]': card,
    'payment_method_data[card][exp_month]': '12',
    'payment_method_data[card][exp_year]': '2040',
    'payment_method_data[card][cvc]': '123',
  }).toString()
  for (let attempt = 0; attempt < 5 && !scene.over(); attempt++) {
    const answer = await scene.provider(origin).send({
      method: 'POST',
      host,
      path: `/v1/payment_intents/${intent}/confirm`,
      headers: {
        Authorization: `Bearer ${form.publishable_key}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body,
    })
    if (answer.kind === 'answer' && !isTransient(answer)) {
      // A refusal after an answer that was lost: the intent is past confirming.
      return answer.status === 200 || (attempt > 0 && answer.status === 400)
    }
    await backOff(attempt, plan.random)
  }
  return false
}
