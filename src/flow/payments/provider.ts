/**
 * What the payment step needs from a payment provider. A provider authorises first and captures later, so that the
 * order's one compare-and-set in SQL stands between the two.
 *
 * Outcomes a caller must be ready for are unions; `ProviderUnavailable` means the outcome is unknown (repeat the same
 * call: every call is idempotent by order id), `ProviderRefused` means a definite no that changed nothing.
 */

export type ProviderName = 'stripe' | 'paypal'

export interface PaymentRef {
  provider: ProviderName
  provider_ref: string
}

export interface StartPayment {
  order_id: string
  user_id: string
  /** Integer minor units. */
  amount: number
  /** ISO 4217, any case. */
  currency: string
  description: string
  /** How many payments of this order this provider has had that are over: each gets a payment of its own. */
  attempt: number
  /** The page of the order at the shop, for buyers who come back from a page of the provider. */
  return_url: string
}

/**
 * The idempotency key of a payment: the same attempt to pay the same amount opens it once. Another amount, since a gift
 * card was put towards the order, is another payment.
 */
export const startKey = ({ order_id, amount, attempt }: StartPayment): string =>
  `${order_id}:create:${amount}${attempt === 0 ? '' : `:${attempt}`}`

/** `approved`: the buyer has agreed, and it is for us to authorise. */
export type ProviderState =
  'requires_payment' | 'processing' | 'requires_action' | 'approved' | 'authorised' | 'captured' | 'cancelled'

/** The provider's view of one payment. Amounts are integer minor units, `currency` is upper-case ISO 4217. */
export interface ProviderPayment {
  provider_ref: string
  order_id: string
  user_id: string
  state: ProviderState
  amount: number
  /** Captured so far. */
  amount_received: number
  /** Captured and given back. Releasing an authorisation is not a refund. */
  amount_refunded: number
  currency: string
  /** Why the last attempt failed, in the provider's words (`insufficient_funds`, `generic_decline`, ...). */
  failure_code?: string
}

export interface StartedPayment {
  payment: ProviderPayment
  /**
   * What the browser needs to pay: `publishable_key`, `client_secret`, `api_url`, `script_url` for Stripe, `approve_url` for PayPal.
   * Nothing secret to us.
   */
  browser: Record<string, string>
}

export type AuthoriseResult =
  /** The money is reserved, or taken already: see the state. */
  | { kind: 'authorised'; payment: ProviderPayment }
  /** Refused for good: this payment is over, another may be started. `payment.failure_code` says why. */
  | { kind: 'declined'; payment: ProviderPayment }
  /** The buyer has not agreed, or the provider has not decided yet. */
  | { kind: 'waiting'; payment: ProviderPayment }

export type CaptureResult =
  | { kind: 'captured'; payment: ProviderPayment }
  | { kind: 'not_capturable'; payment: ProviderPayment; code: string }

export type CancelResult =
  { kind: 'cancelled'; payment: ProviderPayment } | { kind: 'already_captured'; payment: ProviderPayment }

export type RefundResult =
  { kind: 'refunded'; payment: ProviderPayment } | { kind: 'nothing_captured'; payment: ProviderPayment }

/**
 * A verified message from the provider. `payment` is the state when the event was made: events come late, twice and
 * out of order, so it may be older than what is already known.
 */
export interface ProviderEvent {
  event_id: string
  type: 'approved' | 'authorised' | 'captured' | 'failed' | 'cancelled' | 'refunded'
  payment: ProviderPayment
  /** Milliseconds since the epoch. */
  occurred_at: number
}

/** What an event may say of the money itself. */
export type MoneyEvent = Exclude<ProviderEvent['type'], 'approved'>

export type WebhookReading =
  | { kind: 'event'; event: ProviderEvent }
  /** Genuine, but of no interest to us. Acknowledge it. */
  | { kind: 'ignored'; event_id: string }
  | { kind: 'invalid'; reason: 'no_signature' | 'bad_signature' | 'too_old' | 'bad_payload' }

export interface PaymentProvider {
  readonly name: ProviderName
  /** Opens the payment of an order; the same order gives the same payment, in its present state. */
  start(payment: StartPayment): Promise<StartedPayment>
  find(provider_ref: string): Promise<ProviderPayment | undefined>
  /** Reserves the money of a payment that the buyer has approved, where that is for us to do. */
  authorise(provider_ref: string, order_id: string): Promise<AuthoriseResult>
  /** Takes the authorised amount, at most once. Already captured is `captured`. */
  capture(provider_ref: string, order_id: string): Promise<CaptureResult>
  /** Releases the authorisation or closes the payment. Cancelling twice is `cancelled`. */
  cancel(provider_ref: string, order_id: string): Promise<CancelResult>
  /** Gives the whole captured amount back, at most once. `reason` is kept with the refund for people to read. */
  refund(provider_ref: string, order_id: string, reason: string): Promise<RefundResult>
  /**
   * Checks the signature over the raw body. `now_s` (seconds) overrides the clock. Throws ProviderUnavailable where the
   * provider has to be asked and does not answer.
   */
  readWebhook(raw_body: string, headers: Headers, now_s?: number): WebhookReading | Promise<WebhookReading>
}

/** No answer, a server error, or too many requests: whether it took effect is unknown, and repeating it is safe. */
export class ProviderUnavailable extends Error {
  readonly retryable = true
  readonly provider: ProviderName

  constructor(provider: ProviderName, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ProviderUnavailable'
    this.provider = provider
  }
}

/** A definite refusal: nothing changed at the provider, and repeating the call unchanged will not help. */
export class ProviderRefused extends Error {
  readonly retryable = false
  readonly provider: ProviderName
  readonly code: string

  constructor(provider: ProviderName, code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ProviderRefused'
    this.provider = provider
    this.code = code
  }
}
