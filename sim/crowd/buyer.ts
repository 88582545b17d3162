import { sleep } from '../clock.ts'
import type { Fate } from '../history.ts'
import { claim, type Claiming } from './claiming.ts'
import { tryForMore } from './greedy.ts'
import { cancel, pay } from './paying.ts'
import type { BuyerPlan } from './plan.ts'
import { type Browser, dressed, type Scene } from './scene.ts'
import { waitInLine } from './waiting.ts'

/** One buyer's day, from arriving to leaving; what happens goes into the history. */
export async function liveBuyer(scene: Scene, plan: BuyerPlan): Promise<void> {
  await sleep(plan.arrivesMs)
  // An answer that can not even be read is the system's fault and goes into the verdict; the crowd goes on.
  const [web, checkout] = [dressed(scene.web, plan.guise), dressed(scene.checkout, plan.guise)]
  const end = await day({ ...scene, web, checkout }, plan).catch((error: unknown): Day => ({
    ending: 'refused',
    detail: `unreadable answer: ${String(error)}`,
  }))
  scene.history.fates.push({ buyer: plan.buyer, ...NOTHING, ...end })
  scene.counts.done++
}

const NOTHING = { user_id: undefined, order_id: undefined, shown: undefined, detail: undefined }

type Day = Pick<Fate, 'ending'> & Partial<Omit<Fate, 'buyer' | 'ending'>>

async function day(scene: Scene, plan: BuyerPlan): Promise<Day> {
  const admission = await waitInLine(scene, plan)
  if (admission.kind === 'refused') return { ending: 'refused', detail: admission.detail }
  if (admission.kind !== 'admitted') return { ending: admission.kind }

  const browser: Browser = { random: plan.random, cookie: undefined }
  const claiming = await claim(scene, plan, browser, admission)
  const { user_id } = claiming
  if (claiming.kind === 'refused') return { ending: 'refused', detail: claiming.detail, user_id }
  if (claiming.kind !== 'reserved') return { ending: claiming.kind, user_id }

  scene.counts.ordered++
  const atCheckout = { ...scene, web: scene.checkout }
  const day = await afterClaim(atCheckout, plan, browser, claiming)
  if (plan.greedy) await tryForMore(scene, plan, browser, admission)
  return day
}

type Reserved = Extract<Claiming, { kind: 'reserved' }>

async function afterClaim(
  scene: Scene,
  plan: BuyerPlan,
  browser: Browser,
  { user_id, order_id }: Reserved,
): Promise<Day> {
  if (plan.then === 'forgets') return { ending: 'unpaid', user_id, order_id }
  if (plan.then === 'cancels') {
    const shown = await cancel(scene, plan, browser, order_id)
    return { ending: shown === undefined ? 'unpaid' : 'cancelled', user_id, order_id, shown }
  }
  const shown = await pay(scene, plan, browser, order_id)
  if (shown === 'LOST')
    return { ending: 'refused', detail: 'the order is gone, and its receipt', user_id, order_id }
  if (shown === 'PAID') scene.counts.paid++
  return {
    ending: shown === 'PAID' ? 'paid' : shown === 'FAILED' ? 'failed' : 'gave_up',
    user_id,
    order_id,
    shown,
  }
}
