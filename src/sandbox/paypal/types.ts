/** What the sandbox keeps. Amounts are integers in the precision PayPal takes for the currency. Times in ms. */
import type { Effect } from '../ledger.ts'
import type { Delivery } from '../webhooks.ts'

export type OrderStatus = 'CREATED' | 'PAYER_ACTION_REQUIRED' | 'APPROVED' | 'COMPLETED' | 'VOIDED'

export interface Order {
  object: 'order'
  id: string
  status: OrderStatus
  amount: number
  currency: string
  description: string | undefined
  custom_id: string | undefined
  invoice_id: string | undefined
  /** Where the buyer goes back to; an order made without a payment source has none. */
  return_url: string | undefined
  cancel_url: string | undefined
  /** What the buyer has chosen to pay with. */
  instrument: string | undefined
  approved_at: number | undefined
  created: number
  updated: number
}

export interface Authorization {
  object: 'authorization'
  id: string
  order: string
  status: 'CREATED' | 'PENDING' | 'PARTIALLY_CAPTURED' | 'CAPTURED' | 'DENIED' | 'VOIDED'
  amount: number
  created: number
  updated: number
}

export interface Capture {
  object: 'capture'
  id: string
  order: string
  authorization: string
  status: 'COMPLETED' | 'PARTIALLY_REFUNDED' | 'REFUNDED'
  amount: number
  refunded: number
  final: boolean
  created: number
  updated: number
}

export interface Refund {
  object: 'refund'
  id: string
  order: string
  capture: string
  amount: number
  note: string | undefined
  created: number
}

export interface WebhookEvent {
  object: 'event'
  id: string
  /** As it goes over the wire. */
  wire: Record<string, unknown>
}

/** The answer kept under a PayPal-Request-Id; refusals are not kept. */
export interface StoredAnswer {
  object: 'sandbox.answer'
  /** Path and key. */
  id: string
  status: number
  body: unknown
  created: number
}

export type Row = Order | Authorization | Capture | Refund | WebhookEvent | StoredAnswer | Effect | Delivery
