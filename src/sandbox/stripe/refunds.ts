/** Giving captured money back. */
import { StripeFailure, invalidRequest, missing } from './errors.ts'
import type { Params } from './form.ts'
import type { Reply } from './intents.ts'
import { showCharge, showRefund } from './render.ts'
import type { Charge, Refund } from './types.ts'
import type { Work } from './work.ts'

const reasons = ['duplicate', 'fraudulent', 'requested_by_customer'] as const

export function createRefund(work: Work, params: Params): Reply {
  const intentId = params.text('payment_intent')
  const chargeId = params.text('charge')
  const wanted = params.integer('amount')
  const reason = params.oneOf('reason', reasons) ?? null
  const metadata = params.strings('metadata')
  params.list('expand')
  params.refuseOthers()
  const charge = findCharge(work, intentId, chargeId)
  const left = charge.amount_captured - refundedOf(charge)
  if (left === 0) throw refused('charge_already_refunded', `Charge ${charge.id} has already been refunded.`)
  const amount = wanted ?? left
  if (amount < 1)
    throw invalidRequest('Invalid positive integer', { code: 'parameter_invalid_integer', param: 'amount' })
  if (amount > left) {
    const message = `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`
    throw invalidRequest(message, { param: 'amount' })
  }
  const refund: Refund = {
    object: 'refund',
    id: work.newId('re'),
    amount,
    charge: charge.id,
    created: work.now,
    currency: charge.currency,
    metadata,
    payment_intent: charge.payment_intent,
    reason,
    status: 'succeeded',
  }
  charge.amount_refunded += amount
  charge.refunded = charge.amount_refunded === charge.amount
  work.put(refund)
  work.put(charge)
  work.record('refund', charge.payment_intent, amount)
  work.emit('refund.created', showRefund(refund))
  work.emit('charge.refunded', showCharge(charge))
  return { body: showRefund(refund) }
}

/** Of the captured amount; the released part of an authorisation counts as refunded on the charge. */
const refundedOf = (charge: Charge): number =>
  charge.amount_refunded - (charge.amount - charge.amount_captured)

function findCharge(work: Work, intentId: string | undefined, chargeId: string | undefined): Charge {
  if (intentId === undefined && chargeId === undefined) {
    const message =
      'One of the following params should be provided for this request: payment_intent or charge.'
    throw invalidRequest(message, { code: 'parameter_missing' })
  }
  const intent = intentId === undefined ? undefined : work.get('payment_intent', intentId)
  if (intentId !== undefined && !intent) throw missing('payment_intent', intentId, 'payment_intent')
  const id = chargeId ?? intent?.latest_charge ?? undefined
  const charge = id === undefined ? undefined : work.get('charge', id)
  if (chargeId !== undefined && !charge) throw missing('charge', chargeId, 'charge')
  if (charge?.captured) return charge
  const name = intentId ?? charge?.payment_intent ?? ''
  throw refused(undefined, `This PaymentIntent (${name}) does not have a successful charge to refund.`)
}

function refused(code: string | undefined, message: string): StripeFailure {
  return new StripeFailure(400, { type: 'invalid_request_error', message, ...(code ? { code } : {}) }, true)
}
