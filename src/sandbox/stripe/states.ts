/** The life of a PaymentIntent as a table: from each status, what may be done and where it leads. */
import { StripeFailure } from './errors.ts'
import type { Intent, IntentStatus } from './types.ts'

export type Action =
  /** A payment method is named, not yet charged. */
  | 'attach'
  /** The bank wants to ask the card holder. */
  | 'challenge'
  | 'decline'
  | 'authorise'
  /** Authorised and captured in one step (automatic capture). */
  | 'charge'
  | 'capture'
  | 'cancel'

const confirmable = {
  challenge: 'requires_action',
  decline: 'requires_payment_method',
  authorise: 'requires_capture',
  charge: 'succeeded',
  cancel: 'canceled',
} as const

export const transitions: Record<IntentStatus, Partial<Record<Action, IntentStatus>>> = {
  requires_payment_method: { ...confirmable, attach: 'requires_confirmation' },
  requires_confirmation: confirmable,
  requires_action: confirmable,
  // Cards never stay here; bank debits would.
  processing: { cancel: 'canceled' },
  requires_capture: { capture: 'succeeded', cancel: 'canceled' },
  succeeded: {},
  canceled: {},
}

/** The statuses from which an action is allowed, in the order Stripe lists them. */
export function allowedFrom(action: Action): IntentStatus[] {
  return (Object.keys(transitions) as IntentStatus[]).filter((status) => transitions[status][action])
}

/** Where `action` leads. @throws StripeFailure 400 `payment_intent_unexpected_state` when it is not allowed now. */
export function next(intent: Intent, action: Action, rendered: unknown): IntentStatus {
  const status = transitions[intent.status][action]
  if (status) return status
  throw new StripeFailure(
    400,
    {
      type: 'invalid_request_error',
      code: 'payment_intent_unexpected_state',
      message: refusal(intent.status, action),
      payment_intent: rendered,
    },
    true,
  )
}

function refusal(status: IntentStatus, action: Action): string {
  const allowed = allowedFrom(action).join(', ')
  if (action === 'capture') {
    return `This PaymentIntent could not be captured because it has a status of ${status}. Only a PaymentIntent with one of the following statuses may be captured: ${allowed}.`
  }
  if (action === 'cancel') {
    return `You cannot cancel this PaymentIntent because it has a status of ${status}. Only a PaymentIntent with one of the following statuses may be canceled: ${allowed}.`
  }
  if (status === 'succeeded') {
    return 'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.'
  }
  return `You cannot confirm this PaymentIntent because it has a status of ${status}. Only a PaymentIntent with one of the following statuses may be confirmed: ${allowed}.`
}
