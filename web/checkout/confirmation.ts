import { declineText } from '../../src/contracts/words/decline.ts'
import type { Say } from '../../src/contracts/words/say.ts'

/** What Stripe's `confirmCardPayment` resolves with. */
export interface ConfirmResult {
  readonly paymentIntent?: unknown
  readonly error?: unknown
}

export type Confirmation =
  /** The bank agreed; the order becomes PAID when the provider has told the shop. */
  | { readonly kind: 'authorised' }
  /** The bank wants to ask its customer, at this address. */
  | { readonly kind: 'action'; readonly url: string }
  | { readonly kind: 'declined'; readonly message: string }
  /** What was typed is no card yet. */
  | { readonly kind: 'incomplete'; readonly message: string }
  /** This payment was closed; another may be started. */
  | { readonly kind: 'over' }
  /** No answer: the payment may have gone through, the order tells. */
  | { readonly kind: 'unsure' }

interface IntentLike {
  readonly status?: string
  readonly next_action?: { readonly redirect_to_url?: { readonly url?: string } } | null
}
interface ErrorLike {
  readonly type?: string
  readonly code?: string
  readonly decline_code?: string
  readonly message?: string
  readonly payment_intent?: IntentLike
}

/** Reads the provider's answer: a PaymentIntent, or an error. */
export function readConfirmation(say: Say, answer: ConfirmResult): Confirmation {
  const error = (answer.error ?? undefined) as ErrorLike | undefined
  // A second confirmation of a payment that went through is an error that carries the payment.
  const intent = (answer.paymentIntent ?? error?.payment_intent) as IntentLike | undefined
  const status = intent?.status ?? 'none'
  switch (status) {
    case 'requires_capture':
    case 'succeeded':
    case 'processing':
      return { kind: 'authorised' }
    case 'requires_action': {
      const url = intent?.next_action?.redirect_to_url?.url
      if (url !== undefined && /^https?:/.test(url)) return { kind: 'action', url }
      return { kind: 'declined', message: say('checkout.card.bank') }
    }
    case 'canceled':
      return { kind: 'over' }
    default:
  }
  if (error === undefined || UNCLEAR.test(error.type ?? '')) return { kind: 'unsure' }
  // Of what was typed the provider alone knows; it says it in the reader's language.
  if (error.type === 'validation_error')
    return { kind: 'incomplete', message: error.message ?? say('checkout.card.incomplete') }
  return { kind: 'declined', message: declineText(say, error.decline_code ?? error.code) }
}

/** Errors after which the payment may have gone through all the same. */
const UNCLEAR = /^api_(connection_)?error$/
