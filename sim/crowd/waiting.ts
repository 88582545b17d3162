import { sleep } from '../clock.ts'
import type { WireAnswer } from '../wire/client.ts'
import type { BuyerPlan } from './plan.ts'
import { join, timesOf } from './joining.ts'
import { backOff, codeOf, isTransient, JSON_BODY, type Scene } from './scene.ts'
import { isFinal } from './status-board.ts'

/** Join, wait for the turn, enter: from the street to a pass. */
export type Admission =
  | { readonly kind: 'admitted'; readonly pass: string; readonly position: number }
  | { readonly kind: 'sold_out' | 'ended' | 'turn_lapsed' | 'gave_up' }
  | { readonly kind: 'refused'; readonly detail: string }

interface Place {
  readonly ticket: string
  readonly position: number
}

export async function waitInLine(scene: Scene, plan: BuyerPlan): Promise<Admission> {
  const place = await join(scene, plan)
  if (place.kind === 'refused' && plan.bot !== undefined)
    return enterWithSharedTicket(scene, plan, place.detail)
  if (place.kind !== 'placed') return place
  scene.counts.joined++
  if (plan.bot !== undefined) scene.proofs?.share(place)
  if (plan.impatient) await askTooEarly(scene, plan, place)
  while (!scene.over()) {
    const status = await scene.board.until((now) => isFinal(now) || now.now_serving >= place.position)
    if (status === undefined) break
    if (status.phase === 'sold_out' || status.phase === 'ended') return { kind: status.phase }
    // Every page polls at a moment of its own; a bot does not wait.
    if (plan.bot === undefined) await sleep(plan.random() * scene.pollMs)
    const answer = await enter(scene, plan, place)
    if (answer.kind !== 'answer' || isTransient(answer)) {
      await backOff(2, plan.random)
      continue
    }
    if (answer.status === 200) {
      scene.counts.admitted++
      const { pass } = JSON.parse(answer.text) as { pass: string }
      return { kind: 'admitted', pass, position: place.position }
    }
    const code = codeOf(answer)
    if (code === 'sold_out' || code === 'ended' || code === 'turn_lapsed') return { kind: code }
    if (code !== 'too_early' && code !== 'paused') return { kind: 'refused', detail: `enter: ${code}` }
    await scene.board.next()
  }
  return { kind: 'gave_up' }
}

async function enter(scene: Scene, plan: BuyerPlan, { ticket, position }: Place): Promise<WireAnswer> {
  const answer = await scene.web.send({
    method: 'POST',
    host: scene.hosts.queue,
    path: `/api/queue/${scene.sale.id}/enter`,
    headers: JSON_BODY,
    body: JSON.stringify({ ticket, device: plan.device }),
  })
  const outcome = answer.kind === 'lost' ? 'lost' : answer.status === 200 ? 'entered' : codeOf(answer)
  scene.history.enters.push({ buyer: plan.buyer, ...timesOf(answer), outcome, position })
  return answer
}

/** Out of turn on purpose. Being let in would be a win for the buyer; the auditor has the exchange. */
async function askTooEarly(scene: Scene, plan: BuyerPlan, place: Place): Promise<void> {
  for (let time = 0; time < 3; time++) {
    const status = scene.board.latest()
    if (status !== undefined && status.now_serving >= place.position) return
    await enter(scene, plan, place)
    await sleep(200 + plan.random() * 600)
  }
}

/** A bot without a place of its own shows that of another, from its own device. */
async function enterWithSharedTicket(scene: Scene, plan: BuyerPlan, detail: string): Promise<Admission> {
  const shared = scene.proofs?.ticket()
  const answer = shared && (await enter(scene, plan, shared))
  if (shared === undefined || answer?.kind !== 'answer' || answer.status !== 200)
    return { kind: 'refused', detail }
  const { pass } = JSON.parse(answer.text) as { pass: string }
  return { kind: 'admitted', pass, position: shared.position }
}
