import { Challenge } from '../../src/contracts/guard.ts'
import { sleep } from '../clock.ts'
import type { WireAnswer } from '../wire/client.ts'
import { type BotOperator, prove, type Proven } from './bot-operator.ts'
import type { BuyerPlan } from './plan.ts'
import { backOff, codeOf, isTransient, JSON_BODY, type Scene } from './scene.ts'
import { isFinal, type Status } from './status-board.ts'

/** How an attempt to get a place ended. */
export type Joining =
  | { readonly kind: 'placed'; readonly ticket: string; readonly position: number }
  | { readonly kind: 'sold_out' | 'ended' | 'gave_up' }
  | { readonly kind: 'refused'; readonly detail: string }

/** Refusals that a new challenge puts right, as the page knows. */
const PROVE_AGAIN = new Set(['proof_missing', 'proof_expired', 'proof_too_weak', 'proof_used'])
/** A bot has no patience: after so many refusals it is gone. */
const BOT_TRIES = 3

/** Asks for a place until there is one, or a word that settles it. */
export async function join(scene: Scene, plan: BuyerPlan): Promise<Joining> {
  const { sale, hosts, web, history, proofs } = scene
  let refusals = 0
  for (let attempt = 0; !scene.over(); attempt++) {
    const solution = proofs === undefined ? undefined : await proofFor(scene, plan, proofs)
    const answer = await web.send({
      method: 'POST',
      host: hosts.queue,
      path: `/api/queue/${sale.id}/join`,
      headers: JSON_BODY,
      body: JSON.stringify({ device: plan.device, ...(solution === undefined ? {} : { solution }) }),
    })
    const joined = answer.kind === 'answer' && answer.status === 201
    const { ticket = '', ...place } = joined ? (JSON.parse(answer.text) as JoinBody) : {}
    const position = place.position ?? place.lobby_index
    const outcome = answer.kind === 'lost' ? 'lost' : joined ? 'joined' : codeOf(answer)
    history.joins.push({ buyer: plan.buyer, ...timesOf(answer), outcome, position })
    if (position !== undefined) return { kind: 'placed', ticket, position }
    if (outcome === 'sold_out' || outcome === 'ended') return { kind: outcome }
    const goesOn = isTransient(answer) || (proofs !== undefined && PROVE_AGAIN.has(outcome))
    if (plan.bot === undefined ? !goesOn : ++refusals >= BOT_TRIES)
      return { kind: 'refused', detail: `join: ${outcome}` }
    if (plan.bot === undefined) await backOff(attempt, plan.random)
    else await sleep(scene.pollMs)
  }
  return { kind: 'gave_up' }
}

interface JoinBody {
  readonly ticket?: string
  readonly position?: number
  readonly lobby_index?: number
}

/** What is sent as proof of work; an honest buyer's own browser solves, a bot does as its trick is. */
async function proofFor(scene: Scene, plan: BuyerPlan, operator: BotOperator): Promise<Proven | undefined> {
  const trick = plan.bot?.trick
  if (trick === 'bare') return undefined
  if (trick === 'replays') return operator.used()
  const answer = await scene.web.send({
    method: 'GET',
    host: scene.hosts.queue,
    path: `/api/queue/${scene.sale.id}/challenge?device=${plan.device}`,
  })
  if (answer.kind === 'lost' || answer.status !== 200) return undefined
  const challenge = Challenge.parse(JSON.parse(answer.text))
  if (trick !== 'farms') return prove(challenge)
  return operator.solve(challenge, () => scene.over() || isOver(scene.board.latest()))
}

const isOver = (status: Status | undefined) => status !== undefined && isFinal(status)

/** The times of an answer as the history wants them. */
export function timesOf({ wanted, sent, answered }: WireAnswer) {
  return { wanted, sent, answered }
}
