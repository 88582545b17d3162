import { declineText } from '../../src/contracts/words/decline.ts'
import type { Card } from './card.ts'
import { say } from '../lib/words.ts'

/** What the server hands the browser to pay one order (`browser` of the payment answer). */
export interface StripePayment {
  readonly publishable_key: string
  readonly client_secret: string
  /** Origin of the provider's API, as browsers reach it. */
  readonly api_url: string
}

export type Confirmation =
  /** The bank agreed; the order becomes PAID when the provider has told the shop. */
  | { readonly kind: 'authorised' }
  /** The bank wants to ask its customer, at this address. */
  | { readonly kind: 'action'; readonly url: string }
  | { readonly kind: 'declined'; readonly message: string }
  /** This payment was closed; another may be started. */
  | { readonly kind: 'over' }
  /** No answer: the payment may have gone through, the order tells. */
  | { readonly kind: 'unsure' }

const TIMEOUT_MS = 15_000

/**
 * Confirms the payment with a card, straight at the provider: the number never touches the shop's server.
 * `returnUrl` is where the bank's page sends the buyer back to. Never throws.
 */
export async function confirmCard(
  payment: StripePayment,
  card: Card,
  returnUrl: string,
): Promise<Confirmation> {
  const id = encodeURIComponent(intentId(payment.client_secret))
  try {
    const response = await fetch(`${payment.api_url}/v1/payment_intents/${id}/confirm`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${payment.publishable_key}` },
      body: confirmationForm(payment.client_secret, card, returnUrl),
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return readConfirmation(response.ok, await response.json())
  } catch {
    return { kind: 'unsure' }
  }
}

export function intentId(clientSecret: string): string {
  return clientSecret.split('_secret_')[0] ?? ''
}

export function confirmationForm(clientSecret: string, card: Card, returnUrl: string): URLSearchParams {
  const form = new URLSearchParams({ client_secret: clientSecret, return_url: returnUrl })
  form.set('payment_method_data[type]', 'card')
  for (const [field, value] of Object.entries<string>({ ...card }))
    form.set(`payment_method_data[card][${field}]`, value)
  return form
}

interface IntentLike {
  readonly status?: string
  readonly next_action?: { readonly redirect_to_url?: { readonly url?: string } } | null
}
interface ConfirmBody extends IntentLike {
  readonly error?: {
    readonly type?: string
    readonly code?: string
    readonly decline_code?: string
    readonly payment_intent?: IntentLike
  }
}

/** Reads the provider's answer: a PaymentIntent, or `{error}`. */
export function readConfirmation(ok: boolean, answer: unknown): Confirmation {
  const body = (answer ?? {}) as ConfirmBody
  // A second confirmation of a payment that went through is an error that carries the payment.
  const intent = ok ? body : body.error?.payment_intent
  const status = intent?.status ?? 'none'
  switch (status) {
    case 'requires_capture':
    case 'succeeded':
    case 'processing':
      return { kind: 'authorised' }
    case 'requires_action': {
      const url = intent?.next_action?.redirect_to_url?.url
      if (url !== undefined && /^https?:/.test(url)) return { kind: 'action', url }
      return {
        kind: 'declined',
        message: 'Your bank asks for a confirmation this page can not show. Try another card.',
      }
    }
    case 'canceled':
      return { kind: 'over' }
    default:
  }
  if (body.error === undefined || body.error.type === 'api_error') return { kind: 'unsure' }
  return { kind: 'declined', message: declineText(say, body.error.decline_code ?? body.error.code) }
}
