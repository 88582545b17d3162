import type { z } from 'zod'
import type { Order } from '../../src/contracts/http.ts'
import { sleep } from '../clock.ts'
import type { BuyerPlan } from './plan.ts'
import { presentReceipt } from './receipts.ts'
import {
  backOff,
  type Browser,
  codeOf,
  isTransient,
  JSON_BODY,
  persist,
  type Shopping,
  sendToShop,
} from './scene.ts'

const GOOD_CARD = '4242424242424242'
const DECLINED_CARD = '4000000000000002'
/** Of those who have agreed at PayPal. */
const CLOSES_BROWSER = 0.2

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
  let way = plan.paysWith
  for (let attempt = 0; !scene.over(); attempt++) {
    const status = await watch(scene, plan, browser, order_id, (now) => now !== 'PROCESSING')
    if (status !== 'PENDING') return final(status)
    const started = await ask(scene, plan, browser, `${order_id}/payment`, way)
    if (started?.status === 409 && codeOf(started) === 'provider_not_offered') way = 'stripe'
    if (started?.status === 200) {
      const { browser: form } = JSON.parse(started.text) as { browser: Form }
      const refused = plan.declinedFirst && attempt === 0
      if (await payBy[way](scene, plan, form, refused)) {
        if (way === 'stripe' || !(await comesBackDeclined(scene, plan, browser, order_id))) break
      }
      if (refused) way = way === 'stripe' ? 'paypal' : 'stripe'
    }
    await backOff(attempt, plan.random)
  }
  return final(await watch(scene, plan, browser, order_id, (now) => now === 'PAID' || now === 'FAILED'))
}

const ask = (scene: Shopping, plan: BuyerPlan, browser: Browser, what: string, provider: string) =>
  persist(scene, plan.random, () =>
    sendToShop(scene, browser, {
      method: 'POST',
      path: `/api/orders/${what}`,
      headers: JSON_BODY,
      body: JSON.stringify({ provider }),
    }),
  )

/** Back from PayPal's page: some close the browser instead, and leave it to the shop to find out. */
async function comesBackDeclined(scene: Shopping, plan: BuyerPlan, browser: Browser, order_id: string) {
  if (plan.random() < CLOSES_BROWSER) return false
  const answer = await ask(scene, plan, browser, `${order_id}/payment/check`, 'paypal')
  return answer?.status === 200 && (JSON.parse(answer.text) as { payment: string }).payment === 'declined'
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

/** What the shop hands to the browser: the first three for Stripe, the last for PayPal. */
interface Form {
  readonly publishable_key: string
  readonly client_secret: string
  readonly api_url: string
  readonly approve_url: string
}

type Way = (scene: Shopping, plan: BuyerPlan, form: Form, refused: boolean) => Promise<boolean>

/** True once the buyer has done their part. With `refused` what they pay with is declined. */
const payBy: Readonly<Record<BuyerPlan['paysWith'], Way>> = {
  stripe: (scene, plan, form, refused) => confirm(scene, plan, form, refused ? DECLINED_CARD : GOOD_CARD),
  paypal: (scene, plan, form, refused) => agree(scene, plan, form, refused ? 'declined_card' : 'balance'),
}

/** Presses the button on PayPal's page. */
async function agree(scene: Shopping, plan: BuyerPlan, form: Form, instrument: string): Promise<boolean> {
  const { origin, host, pathname, search } = new URL(form.approve_url)
  for (let attempt = 0; attempt < 5 && !scene.over(); attempt++) {
    const answer = await scene.provider(origin).send({
      method: 'POST',
      host,
      path: pathname + search,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ result: 'approve', instrument }).toString(),
    })
    if (answer.kind === 'answer' && !isTransient(answer)) return answer.status === 303
    await backOff(attempt, plan.random)
  }
  return false
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
