/** What the API does with a PaymentIntent: create, confirm, capture, cancel. */
import { captureCharge, emitIntent, releaseCharge } from './charges.ts'
import { confirmIntent } from './confirm.ts'
import { StripeFailure, invalidRequest, missing } from './errors.ts'
import type { Params } from './form.ts'
import { readMethod } from './methods.ts'
import { viewIntent } from './render.ts'
import type { Caller } from './render.ts'
import { next } from './states.ts'
import type { Intent } from './types.ts'
import type { Work } from './work.ts'

/** A successful answer; `silent` ones take effect but are never sent. */
export interface Reply {
  body: unknown
  silent?: boolean
}

const currencies = new Set(Intl.supportedValuesOf('currency'))
const captureMethods = ['automatic', 'automatic_async', 'manual'] as const
const cancellationReasons = ['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'] as const

export function createIntent(work: Work, params: Params): Reply {
  const amount = readAmount(params)
  const currency = readCurrency(params)
  const expand = params.list('expand')
  const confirm = params.flag('confirm')
  const returnUrl = readReturnUrl(params)
  params.list('allowed_payment_method_types')
  params.nested('automatic_payment_methods')
  params.flag('use_stripe_sdk')
  const id = work.newId('pi')
  const intent: Intent = {
    object: 'payment_intent',
    id,
    amount,
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: params.oneOf('capture_method', captureMethods) ?? 'automatic_async',
    client_secret: work.newId(`${id}_secret`),
    created: work.now,
    currency,
    description: params.text('description') ?? null,
    last_payment_error: null,
    latest_charge: null,
    metadata: params.strings('metadata'),
    next_action: null,
    payment_method: null,
    receipt_email: params.text('receipt_email') ?? null,
    status: 'requires_payment_method',
  }
  const method = readMethod(work, params)
  params.refuseOthers()
  if (returnUrl !== undefined && !confirm) {
    throw invalidRequest('You can only pass return_url when confirm is true.', { param: 'return_url' })
  }
  if (confirm && !method) throw noMethod()
  if (method) {
    intent.payment_method = method.id
    intent.status = next(intent, 'attach', null)
  }
  work.put(intent)
  emitIntent(work, 'created', intent)
  const silent =
    confirm && method ? confirmIntent(work, intent, { method, returnUrl, caller: 'secret' }).silent : false
  return { body: viewIntent(work, intent, 'secret', expand), silent }
}

export function confirm(work: Work, intent: Intent, params: Params, caller: Caller): Reply {
  const expand = params.list('expand')
  const returnUrl = readReturnUrl(params)
  params.flag('use_stripe_sdk')
  params.text('expected_payment_method_type')
  const email = params.text('receipt_email')
  const given = readMethod(work, params)
  params.refuseOthers()
  const kept = intent.payment_method === null ? undefined : work.get('payment_method', intent.payment_method)
  const method = given ?? kept
  if (!method) throw noMethod()
  if (email !== undefined) intent.receipt_email = email
  const { silent } = confirmIntent(work, intent, { method, returnUrl, caller })
  return { body: viewIntent(work, intent, caller, expand), silent }
}

export function capture(work: Work, intent: Intent, params: Params): Reply {
  const expand = params.list('expand')
  const wanted = params.integer('amount_to_capture')
  params.refuseOthers()
  const status = next(intent, 'capture', viewIntent(work, intent, 'secret'))
  const charge = intent.latest_charge === null ? undefined : work.get('charge', intent.latest_charge)
  if (!charge) throw missing('charge', String(intent.latest_charge))
  const amount = wanted ?? intent.amount_capturable
  if (amount < 1 || amount > intent.amount_capturable) {
    const code = amount < 1 ? 'parameter_invalid_integer' : 'amount_too_large'
    throw invalidRequest('The amount to capture is outside the capturable amount.', {
      code,
      param: 'amount_to_capture',
    })
  }
  if (amount < charge.amount) work.record('release', intent.id, charge.amount - amount)
  captureCharge(work, charge, amount)
  work.put(Object.assign(intent, { status, amount_capturable: 0, amount_received: amount }))
  emitIntent(work, 'succeeded', intent)
  return { body: viewIntent(work, intent, 'secret', expand) }
}

export function cancel(work: Work, intent: Intent, params: Params): Reply {
  const expand = params.list('expand')
  const reason = params.oneOf('cancellation_reason', cancellationReasons) ?? null
  params.refuseOthers()
  const status = next(intent, 'cancel', viewIntent(work, intent, 'secret'))
  const charge = intent.latest_charge === null ? undefined : work.get('charge', intent.latest_charge)
  if (charge?.paid && !charge.captured) releaseCharge(work, charge)
  const closed = {
    canceled_at: work.now,
    cancellation_reason: reason,
    amount_capturable: 0,
    next_action: null,
  }
  work.put(Object.assign(intent, { status, ...closed }))
  emitIntent(work, 'canceled', intent)
  return { body: viewIntent(work, intent, 'secret', expand) }
}

/** The intent named in the path. With a publishable key only its client secret opens it. */
export function findIntent(work: Work, id: string, params: Params, caller: Caller): Intent {
  const secret = params.text('client_secret')
  const intent = work.get('payment_intent', id)
  if (caller === 'publishable' && secret === undefined) {
    throw invalidRequest('Missing required param: client_secret.', {
      code: 'parameter_missing',
      param: 'client_secret',
    })
  }
  if (secret !== undefined && secret !== intent?.client_secret) {
    const message =
      'The client_secret provided does not match any associated PaymentIntent on this account. Ensure the publishable key used belongs to the same account that created the PaymentIntent.'
    throw invalidRequest(message, { code: 'payment_intent_invalid_parameter', param: 'client_secret' })
  }
  if (!intent) throw missing('payment_intent', id, 'intent', 404)
  return intent
}

function readAmount(params: Params): number {
  params.required('amount')
  const amount = params.integer('amount') ?? 0
  if (amount < 1) {
    const message = 'This value must be greater than or equal to 1.'
    throw invalidRequest(message, { code: 'parameter_invalid_integer', param: 'amount' })
  }
  if (amount < 50) {
    const message = 'The Checkout or payment amount must convert to at least 50 cents.'
    throw invalidRequest(message, { code: 'amount_too_small', param: 'amount' })
  }
  if (amount <= 99_999_999) return amount
  throw invalidRequest('Amount must be no more than 99999999', { code: 'amount_too_large', param: 'amount' })
}

function readCurrency(params: Params): string {
  const currency = params.required('currency').toLowerCase()
  if (currencies.has(currency.toUpperCase())) return currency
  throw invalidRequest(`Invalid currency: ${currency}.`, { param: 'currency' })
}

function readReturnUrl(params: Params): string | undefined {
  const url = params.text('return_url')
  if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url
  throw invalidRequest('Not a valid URL', { code: 'url_invalid', param: 'return_url' })
}

function noMethod(): StripeFailure {
  const message =
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method."
  return new StripeFailure(
    400,
    { type: 'invalid_request_error', code: 'payment_intent_unexpected_state', message },
    true,
  )
}
