/** Confirming a PaymentIntent: asking the card holder's bank, and what follows from its answer. */
import type { Decline, Outcome } from './cards.ts'
import { outcomeOf } from './cards.ts'
import { authorise, declineCharge, emitIntent } from './charges.ts'
import { StripeFailure } from './errors.ts'
import { viewIntent } from './render.ts'
import type { Caller } from './render.ts'
import { next } from './states.ts'
import type { Challenge, ErrorBody, Intent, Method, NextAction } from './types.ts'
import type { Work } from './work.ts'

export interface Confirmation {
  method: Method
  returnUrl: string | undefined
  caller: Caller
}

/**
 * @returns whether the answer is to be withheld from the caller (the card of ours that times out).
 * @throws StripeFailure 402 when declined; the decline is then part of the work, to be committed all the same.
 */
export function confirmIntent(work: Work, intent: Intent, confirmation: Confirmation): { silent: boolean } {
  const { method, caller } = confirmation
  const view = () => viewIntent(work, intent, caller)
  const outcome = bankSays(work, method)
  // Refused before anything changes, whatever the card.
  next(intent, outcome.kind === 'decline' ? 'decline' : approval(intent), view())
  intent.payment_method = method.id
  intent.last_payment_error = null
  intent.next_action = null
  switch (outcome.kind) {
    case 'approve':
    case 'approve_silently':
      approve(work, intent, method)
      return { silent: outcome.kind === 'approve_silently' }
    case 'challenge':
      challenge(work, intent, confirmation)
      return { silent: false }
    case 'decline': {
      const error = decline(work, intent, method, outcome.decline)
      throw new StripeFailure(402, { ...error, payment_intent: view() }, true)
    }
  }
}

/** The card holder answered the bank's question. A second answer, or one that comes too late, changes nothing. */
export function answerChallenge(work: Work, asked: Challenge, approved: boolean): void {
  const intent = work.get('payment_intent', asked.payment_intent)
  const method = work.get('payment_method', asked.payment_method)
  const current = intent?.status === 'requires_action' && intent.payment_method === asked.payment_method
  if (asked.answer !== null || !intent || !method || !current) return
  const outcome = bankSays(work, method)
  const verdict: Outcome = outcome.kind === 'challenge' ? outcome.then : outcome
  const accepted = approved && verdict.kind === 'approve'
  intent.next_action = null
  if (accepted) approve(work, intent, method)
  else if (approved && verdict.kind === 'decline') decline(work, intent, method, verdict.decline)
  else failed(work, intent, { ...unauthenticated, payment_method: method })
  work.put({ ...asked, answer: accepted ? 'approved' : 'failed' })
}

const unauthenticated: ErrorBody = {
  type: 'invalid_request_error',
  code: 'payment_intent_authentication_failure',
  message:
    'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
}

function bankSays(work: Work, method: Method): Outcome {
  return outcomeOf(work.get('sandbox.card', method.id)?.number ?? '')
}

const approval = (intent: Intent) => (intent.capture_method === 'manual' ? 'authorise' : 'charge')

function approve(work: Work, intent: Intent, method: Method): void {
  intent.status = next(intent, approval(intent), null)
  const charge = authorise(work, intent, method)
  intent.latest_charge = charge.id
  intent.amount_capturable = charge.captured ? 0 : intent.amount
  intent.amount_received = charge.amount_captured
  work.put(intent)
  emitIntent(work, charge.captured ? 'succeeded' : 'amount_capturable_updated', intent)
}

function decline(work: Work, intent: Intent, method: Method, reason: Decline): ErrorBody {
  const charge = declineCharge(work, intent, method, reason)
  intent.latest_charge = charge.id
  const { code, decline_code, message } = reason
  const error: ErrorBody = {
    type: 'card_error',
    code,
    decline_code,
    message,
    advice_code: 'try_again_later',
    charge: charge.id,
    payment_method: method,
  }
  failed(work, intent, error)
  return error
}

/** Back to the start, free to try another card. */
function failed(work: Work, intent: Intent, error: ErrorBody): void {
  intent.status = next(intent, 'decline', null)
  intent.payment_method = null
  intent.last_payment_error = error
  work.put(intent)
  emitIntent(work, 'payment_failed', intent)
}

function challenge(work: Work, intent: Intent, { method, returnUrl, caller }: Confirmation): void {
  intent.status = next(intent, 'challenge', viewIntent(work, intent, caller))
  const asked: Challenge = {
    object: 'sandbox.challenge',
    id: work.newId('payatt'),
    payment_intent: intent.id,
    payment_method: method.id,
    return_url: returnUrl ?? null,
    answer: null,
  }
  intent.next_action = nextAction(`${work.origin}/_sandbox/3ds/${asked.id}`, asked)
  work.put(asked)
  work.put(intent)
  emitIntent(work, 'requires_action', intent)
}

/** A redirect when the caller said where to come back to; otherwise the form Stripe.js would handle. */
function nextAction(url: string, asked: Challenge): NextAction {
  if (asked.return_url !== null) {
    return { type: 'redirect_to_url', redirect_to_url: { url, return_url: asked.return_url } }
  }
  const source = asked.id
  return {
    type: 'use_stripe_sdk',
    use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url, source },
  }
}
