/** What the sandbox keeps: Stripe's own objects as they go over the wire, and a few rows of its own (`sandbox.*`). */
import type { Effect } from '../ledger.ts'
import type { Delivery } from '../webhooks.ts'

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled'

export type Metadata = Record<string, string>

export interface Method {
  object: 'payment_method'
  id: string
  type: 'card'
  created: number
  livemode: false
  metadata: Metadata
  customer: null
  billing_details: BillingDetails
  card: CardDetails
}

export interface BillingDetails {
  address: null
  email: string | null
  name: string | null
  phone: string | null
  tax_id: null
}

export interface CardDetails {
  brand: string
  country: string
  exp_month: number
  exp_year: number
  fingerprint: string
  funding: string
  last4: string
}

export interface ErrorBody {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'
  message: string
  code?: string
  decline_code?: string
  advice_code?: string
  param?: string
  charge?: string
  doc_url?: string
  payment_intent?: unknown
  payment_method?: Method
}

export type NextAction =
  | { type: 'redirect_to_url'; redirect_to_url: { url: string; return_url: string } }
  | {
      type: 'use_stripe_sdk'
      use_stripe_sdk: { type: 'three_d_secure_redirect'; stripe_js: string; source: string }
    }

export interface Intent {
  object: 'payment_intent'
  id: string
  amount: number
  amount_capturable: number
  amount_received: number
  canceled_at: number | null
  cancellation_reason: string | null
  capture_method: 'automatic' | 'automatic_async' | 'manual'
  client_secret: string
  created: number
  currency: string
  description: string | null
  last_payment_error: ErrorBody | null
  latest_charge: string | null
  metadata: Metadata
  next_action: NextAction | null
  payment_method: string | null
  receipt_email: string | null
  status: IntentStatus
}

export interface Charge {
  object: 'charge'
  id: string
  amount: number
  amount_captured: number
  amount_refunded: number
  billing_details: BillingDetails
  captured: boolean
  created: number
  currency: string
  description: string | null
  failure_code: string | null
  failure_message: string | null
  metadata: Metadata
  outcome: Record<string, unknown>
  paid: boolean
  payment_intent: string
  payment_method: string
  payment_method_details: { type: 'card'; card: Record<string, unknown> }
  refunded: boolean
  status: 'succeeded' | 'failed'
}

export interface Refund {
  object: 'refund'
  id: string
  amount: number
  charge: string
  created: number
  currency: string
  metadata: Metadata
  payment_intent: string
  reason: string | null
  status: 'succeeded'
}

export interface Event {
  object: 'event'
  id: string
  api_version: string
  created: number
  data: { object: unknown }
  livemode: false
  pending_webhooks: number
  request: { id: string | null; idempotency_key: string | null }
  type: string
}

/** Which test card stands behind a payment method. */
export interface CardLink {
  object: 'sandbox.card'
  /** The payment method's id. */
  id: string
  number: string
}

/** A bank's question to the card holder, waiting for its answer. */
export interface Challenge {
  object: 'sandbox.challenge'
  id: string
  payment_intent: string
  payment_method: string
  return_url: string | null
  answer: 'approved' | 'failed' | null
}

/** The stored answer to an idempotency key. */
export interface StoredAnswer {
  object: 'sandbox.answer'
  /** The key. */
  id: string
  fingerprint: string
  path: string
  request_id: string
  status: number
  body: unknown
  /** Seconds since the epoch. */
  created: number
}

export type Row =
  Method | Intent | Charge | Refund | Event | CardLink | Challenge | StoredAnswer | Effect | Delivery

export type Kind = Row['object']
export type RowOf<K extends Kind> = Extract<Row, { object: K }>
