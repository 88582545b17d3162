/** Charges: one attempt to take money, made by confirming a PaymentIntent. */
import type { Decline } from './cards.ts'
import { showCharge, showIntent } from './render.ts'
import type { Charge, Intent, Method } from './types.ts'
import type { Work } from './work.ts'

/** An authorised charge, captured at once when the intent says so. Emits its events; the intent is not yet put. */
export function authorise(work: Work, intent: Intent, method: Method): Charge {
  const captured = intent.capture_method !== 'manual'
  const charge: Charge = {
    ...newCharge(work, intent, method),
    amount_captured: captured ? intent.amount : 0,
    captured,
    outcome: {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: 'approved_by_network',
      reason: null,
      risk_level: 'normal',
      risk_score: 12,
      seller_message: 'Payment complete.',
      type: 'authorized',
    },
  }
  work.put(charge)
  work.record('authorise', intent.id, intent.amount)
  if (captured) work.record('capture', intent.id, intent.amount)
  work.emit('charge.succeeded', showCharge(charge))
  return charge
}

/** A declined charge. */
export function declineCharge(work: Work, intent: Intent, method: Method, decline: Decline): Charge {
  const charge: Charge = {
    ...newCharge(work, intent, method),
    failure_code: decline.code,
    failure_message: decline.message,
    paid: false,
    status: 'failed',
    outcome: {
      advice_code: 'try_again_later',
      network_advice_code: null,
      network_decline_code: '01',
      network_status: 'declined_by_network',
      reason: decline.decline_code,
      risk_level: 'normal',
      risk_score: 12,
      seller_message: 'The bank did not return any further details with this decline.',
      type: 'issuer_declined',
    },
  }
  work.put(charge)
  work.emit('charge.failed', showCharge(charge))
  return charge
}

export function captureCharge(work: Work, charge: Charge, amount: number): void {
  charge.captured = true
  charge.amount_captured = amount
  // What is not captured goes back to the card holder, and Stripe counts it as refunded.
  charge.amount_refunded = charge.amount - amount
  work.put(charge)
  work.record('capture', charge.payment_intent, amount)
  work.emit('charge.captured', showCharge(charge))
}

/** Gives up an authorisation that was never captured: to Stripe that is a refund of the whole charge. */
export function releaseCharge(work: Work, charge: Charge): void {
  charge.amount_refunded = charge.amount
  charge.refunded = true
  work.put(charge)
  work.record('release', charge.payment_intent, charge.amount)
  work.emit('charge.refunded', showCharge(charge))
}

export function emitIntent(work: Work, type: string, intent: Intent): void {
  work.emit(`payment_intent.${type}`, showIntent(work, intent))
}

function newCharge(work: Work, intent: Intent, method: Method): Charge {
  const { amount, currency, description, metadata } = intent
  const { card } = method
  return {
    object: 'charge',
    id: work.newId('ch'),
    amount,
    amount_captured: 0,
    amount_refunded: 0,
    billing_details: method.billing_details,
    captured: false,
    created: work.now,
    currency,
    description,
    failure_code: null,
    failure_message: null,
    metadata,
    outcome: {},
    paid: true,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: {
      type: 'card',
      card: {
        ...card,
        amount_authorized: amount,
        authorization_code: null,
        capture_before: work.now + 7 * 86_400,
        checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
        electronic_commerce_indicator: null,
        installments: null,
        mandate: null,
        network: card.brand,
        network_transaction_id: null,
        regulated_status: null,
        three_d_secure: null,
        transaction_link_id: null,
        wallet: null,
      },
    },
    refunded: false,
    status: 'succeeded',
  }
}
