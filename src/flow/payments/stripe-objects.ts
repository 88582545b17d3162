/** Stripe's objects, as much of them as we read, turned into the provider's terms. */
import type { ProviderEvent, ProviderPayment, ProviderState, WebhookReading } from './provider.ts'

type Reference = string | { id: string } | null

export interface IntentObject {
  id: string
  status: string
  amount: number
  amount_received: number
  currency: string
  metadata: Record<string, string>
  latest_charge: string | ChargeObject | null
  last_payment_error: { code?: string; decline_code?: string } | null
}

export interface ChargeObject {
  id: string
  amount: number
  amount_captured: number
  amount_refunded: number
  captured: boolean
  currency: string
  metadata: Record<string, string>
  payment_intent: Reference
}

const states: Partial<Record<string, ProviderState>> = {
  requires_payment_method: 'requires_payment',
  requires_confirmation: 'requires_payment',
  requires_action: 'requires_action',
  processing: 'processing',
  requires_capture: 'authorised',
  succeeded: 'captured',
  canceled: 'cancelled',
}

/** Refunds show only where `latest_charge` is expanded, as it is in our own calls; in an event they count as 0. */
export function toPayment(intent: IntentObject): ProviderPayment {
  const failure = intent.last_payment_error?.decline_code || intent.last_payment_error?.code
  const charge = intent.latest_charge
  return {
    provider_ref: intent.id,
    order_id: intent.metadata['order_id'] ?? '',
    user_id: intent.metadata['user_id'] ?? '',
    // A status this version does not know is neither payable nor final.
    state: states[intent.status] ?? 'processing',
    amount: intent.amount,
    amount_received: intent.amount_received,
    amount_refunded: charge && typeof charge === 'object' ? refundedOf(charge) : 0,
    currency: intent.currency.toUpperCase(),
    ...(failure ? { failure_code: failure } : {}),
  }
}

/** @returns `ignored` for what we do not act on, and for payments that carry no order of ours. */
export function readEvent(event: {
  id: string
  type: string
  created: number
  data: { object: unknown }
}): WebhookReading {
  const read = readers[event.type]?.(event.data.object)
  if (!read?.payment.order_id) return { kind: 'ignored', event_id: event.id }
  return { kind: 'event', event: { ...read, event_id: event.id, occurred_at: event.created * 1000 } }
}

type EventRead = Pick<ProviderEvent, 'type' | 'payment'>

const ofIntent = (type: ProviderEvent['type']) => (object: unknown) => ({
  type,
  payment: toPayment(object as IntentObject),
})

const readers: Partial<Record<string, (object: unknown) => EventRead | undefined>> = {
  'payment_intent.amount_capturable_updated': ofIntent('authorised'),
  'payment_intent.succeeded': ofIntent('captured'),
  'payment_intent.payment_failed': ofIntent('failed'),
  'payment_intent.canceled': ofIntent('cancelled'),
  'charge.refunded': (object) => readRefund(object as ChargeObject),
}

/** A charge carries its PaymentIntent's metadata. A released authorisation also reports itself refunded: not ours. */
function readRefund(charge: ChargeObject): EventRead | undefined {
  const intent = charge.payment_intent
  if (!intent || !charge.captured) return undefined
  return {
    type: 'refunded',
    payment: {
      provider_ref: typeof intent === 'string' ? intent : intent.id,
      order_id: charge.metadata['order_id'] ?? '',
      user_id: charge.metadata['user_id'] ?? '',
      state: 'captured',
      amount: charge.amount,
      amount_received: charge.amount_captured,
      amount_refunded: refundedOf(charge),
      currency: charge.currency.toUpperCase(),
    },
  }
}

/** Stripe counts the released part of an authorisation as refunded; only captured money can be given back. */
function refundedOf(charge: ChargeObject): number {
  return Math.max(0, charge.amount_refunded - (charge.amount - charge.amount_captured))
}
