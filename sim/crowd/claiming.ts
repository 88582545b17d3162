import { sleep } from '../clock.ts'
import type { BuyerPlan } from './plan.ts'
import {
  backOff,
  codeOf,
  isTransient,
  JSON_BODY,
  persist,
  type Browser,
  type Scene,
  sendToShop,
} from './scene.ts'
import { isFinal, type Status } from './status-board.ts'
import { timesOf } from './joining.ts'

export type Claiming =
  | { readonly kind: 'reserved'; readonly order_id: string; readonly user_id: string }
  | { readonly kind: 'sold_out' | 'ended' | 'pass_expired' | 'gave_up'; readonly user_id?: string }
  | { readonly kind: 'refused'; readonly detail: string; readonly user_id?: string }

export interface Pass {
  readonly pass: string
  readonly position: number
}

/** Refusals after which the page tries the same again, with the same Idempotency-Key. */
const AGAIN = new Set(['held_out', 'not_enough_left', 'not_open', 'paused'])

/** Claims with a pass until there is an order, nothing left to hope for, or the pass has run out. */
export async function claim(
  scene: Scene,
  plan: BuyerPlan,
  browser: Browser,
  pass: Pass,
  firstTime = 1,
): Promise<Claiming> {
  const session = await persist(scene, plan.random, () =>
    sendToShop(scene, browser, { method: 'GET', path: '/api/session' }),
  )
  if (session === undefined) return { kind: 'gave_up' }
  if (session.status !== 200) return { kind: 'refused', detail: `session: ${codeOf(session)}` }
  const { user_id } = JSON.parse(session.text) as { user_id: string }

  for (let time = firstTime; !scene.over(); time++) {
    const key = `${plan.device}-${firstTime}`
    const answer = await claimOnce(scene, plan, browser, { ...pass, user_id, key, time })
    switch (answer.outcome) {
      case 'lost':
        return { kind: 'gave_up', user_id }
      case 'reserved':
        return { kind: 'reserved', order_id: answer.order_id, user_id }
      case 'sold_out':
      case 'ended':
      case 'pass_expired':
        return { kind: answer.outcome, user_id }
      case 'again': {
        const status = await untilWorthAnother(scene, plan)
        if (status?.phase === 'sold_out' || status?.phase === 'ended') return { kind: status.phase, user_id }
        break
      }
      case 'refused':
        return { kind: 'refused', detail: `claim: ${answer.code}`, user_id }
    }
  }
  return { kind: 'gave_up', user_id }
}

/** All are held: asks no more often than the published policy says, and rather when something has come back. */
async function untilWorthAnother(scene: Scene, plan: BuyerPlan): Promise<Status | undefined> {
  const { min_s, jitter } = scene.board.latest()?.poll ?? { min_s: 1, jitter: 0.25 }
  // A bot tries again as soon as anything is there.
  if (plan.bot === undefined) await sleep(min_s * 1000 * (1 + jitter * (2 * plan.random() - 1)))
  const status = await Promise.race([
    scene.board.until((now) => isFinal(now) || now.available > 0),
    sleep(2000).then(() => scene.board.latest()),
  ])
  // Every page polls at a moment of its own.
  if (plan.bot === undefined) await sleep(plan.random() * min_s * 1000)
  else await scene.board.next()
  return status
}

type Once =
  | { readonly outcome: 'reserved'; readonly order_id: string }
  | { readonly outcome: 'sold_out' | 'ended' | 'pass_expired' | 'again' | 'lost' }
  | { readonly outcome: 'refused'; readonly code: string }

/** Sent again until somebody says what became of it. */
async function claimOnce(
  scene: Scene,
  plan: BuyerPlan,
  browser: Browser,
  { pass, position, user_id, key, time }: Pass & { user_id: string; key: string; time: number },
): Promise<Once> {
  const item_id = scene.sale.products[plan.itemIndex]?.id ?? ''
  for (let attempt = 0; !scene.over(); attempt++) {
    const hangUp = plan.losesAnswer && time === 1 && attempt === 0
    const answer = await sendToShop(scene, browser, {
      method: 'POST',
      path: '/api/claims',
      headers: {
        ...JSON_BODY,
        Authorization: `Bearer ${pass}`,
        'Idempotency-Key': key,
        'X-Device': plan.device,
      },
      body: JSON.stringify({ item_id, quantity: 1 }),
      hangUp,
    })
    const reserved = answer.kind === 'answer' && answer.status === 201
    const { order_id, receipt } = reserved
      ? (JSON.parse(answer.text) as { order_id: string; receipt: string })
      : { order_id: undefined, receipt: '' }
    const outcome = answer.kind === 'lost' ? 'lost' : reserved ? 'reserved' : codeOf(answer)
    const { buyer } = plan
    const times = timesOf(answer)
    scene.history.claims.push({
      buyer,
      ...times,
      outcome,
      key,
      position,
      item_id,
      user_id,
      order_id,
      hung_up: hangUp,
    })
    if (order_id !== undefined) {
      scene.wallets.set(order_id, { buyer, cookie: browser.cookie, receipt })
      return { outcome: 'reserved', order_id }
    }
    if (outcome === 'sold_out' || outcome === 'ended' || outcome === 'pass_expired') return { outcome }
    if (AGAIN.has(outcome)) return { outcome: 'again' }
    if (!isTransient(answer)) return { outcome: 'refused', code: outcome }
    await backOff(attempt, plan.random)
  }
  return { outcome: 'lost' }
}
