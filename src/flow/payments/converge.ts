/**
 * Bringing a payment to a wished-for state at a provider that keeps its first answer to an idempotency key.
 *
 * Stripe replays that answer for a day, refusals and server errors included: a capture refused a moment too early would
 * stay refused under its key, and a replayed success may be older than the payment. So a stale answer is checked
 * against the payment itself, and the change is asked for once more, under a key of this very attempt to pay, if it is
 * still possible. The changes used here cannot happen twice at the provider, whatever the keys.
 */
import { ProviderRefused, ProviderUnavailable } from './provider.ts'
import type { ProviderName, ProviderPayment } from './provider.ts'

export type Answer =
  /** `payment` when the answer itself shows it. */
  | { kind: 'done'; payment: ProviderPayment | undefined; stale: boolean }
  | { kind: 'failed'; error: Error; stale: boolean }

export interface Change {
  provider: ProviderName
  /** The key of the first request. */
  key: string
  request(key: string): Promise<Answer>
  /** The payment as it is now, and a name for the authorisation it rests on. */
  look(): Promise<{ payment: ProviderPayment; authorisation: string } | undefined>
  /** The wished-for state. */
  reached(payment: ProviderPayment): boolean
  /** A state from which asking again can help. */
  possible(payment: ProviderPayment): boolean
}

export type Converged =
  | { done: true; payment: ProviderPayment }
  /** `code` is the provider's reason, empty if it gave none. */
  | { done: false; payment: ProviderPayment; code: string }

/**
 * @throws ProviderUnavailable when the outcome is unknown; repeat the call.
 * @throws ProviderRefused when the provider refuses although the payment allows the change, or knows no such payment.
 */
export async function converge(change: Change): Promise<Converged> {
  const answer = await change.request(change.key)
  const first = await judge(change, answer)
  if (!first.again) return first.result
  const retried = await change.request(`${change.key}:${first.authorisation}`)
  const second = await judge(change, retried)
  if (!second.again) return second.result
  if (retried.kind === 'failed') throw retried.error
  throw new ProviderUnavailable(change.provider, `${change.key} has not taken effect yet`)
}

type Judgement = { again: false; result: Converged } | { again: true; authorisation: string }

async function judge(change: Change, answer: Answer): Promise<Judgement> {
  if (answer.kind === 'done' && answer.payment && !answer.stale) {
    return { again: false, result: { done: true, payment: answer.payment } }
  }
  if (answer.kind === 'failed' && !answer.stale && !(answer.error instanceof ProviderRefused))
    throw answer.error
  const seen = await change.look()
  if (!seen)
    throw new ProviderRefused(change.provider, 'resource_missing', 'The provider knows no such payment')
  const { payment, authorisation } = seen
  if (change.reached(payment)) return { again: false, result: { done: true, payment } }
  if (!change.possible(payment)) {
    const code = answer.kind === 'failed' && answer.error instanceof ProviderRefused ? answer.error.code : ''
    return { again: false, result: { done: false, payment, code } }
  }
  if (answer.kind === 'failed' && !answer.stale) throw answer.error
  return { again: true, authorisation }
}
