/** Payment methods: made from card fields, checked with Stripe's error codes, or from a ready-made test id. */
import { brandOf, cardOfMethod } from './cards.ts'
import { StripeFailure, invalidRequest, missing } from './errors.ts'
import type { Params } from './form.ts'
import type { BillingDetails, CardDetails, Method } from './types.ts'
import type { Work } from './work.ts'

const noDetails: BillingDetails = { address: null, email: null, name: null, phone: null, tax_id: null }

/** `payment_method` or `payment_method_data`, if either was given. */
export function readMethod(work: Work, params: Params): Method | undefined {
  const id = params.text('payment_method')
  const data = params.nested('payment_method_data')
  if (id !== undefined && data) {
    const message =
      'Received both payment_method and payment_method_data parameters. Please provide only one.'
    throw invalidRequest(message, { code: 'parameters_exclusive', param: 'payment_method' })
  }
  if (id !== undefined) return findMethod(work, id)
  return data && fromCardFields(work, data)
}

function findMethod(work: Work, id: string): Method {
  const card = cardOfMethod(id)
  if (card) return keep(work, card.number, 12, new Date(work.now * 1000).getUTCFullYear() + 1, noDetails)
  const method = work.get('payment_method', id)
  if (method) return method
  throw missing('PaymentMethod', id, 'payment_method')
}

function fromCardFields(work: Work, data: Params): Method {
  data.oneOf('type', ['card'])
  const card = data.nested('card')
  if (!card) {
    const param = data.path('card')
    throw invalidRequest(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
  }
  const number = card.required('number').replaceAll(/[\s-]/g, '')
  const month = card.integer('exp_month') ?? 0
  const year = fullYear(card.integer('exp_year') ?? 0)
  const cvc = card.text('cvc')
  card.refuseOthers()
  const details = readBilling(data.nested('billing_details'))
  data.refuseOthers()
  checkNumber(number)
  checkExpiry(work, month, year)
  if (cvc !== undefined && !(brandOf(number) === 'amex' ? /^\d{3,4}$/ : /^\d{3}$/).test(cvc)) {
    throw cardError('invalid_cvc', "Your card's security code is invalid.", 'cvc')
  }
  return keep(work, number, month, year, details)
}

function readBilling(params: Params | undefined): BillingDetails {
  if (!params) return noDetails
  params.nested('address')
  const text = (name: string) => params.text(name) ?? null
  const details = { ...noDetails, name: text('name'), email: text('email'), phone: text('phone') }
  params.refuseOthers()
  return details
}

function keep(work: Work, number: string, month: number, year: number, details: BillingDetails): Method {
  const card: CardDetails = {
    brand: brandOf(number),
    country: 'US',
    exp_month: month,
    exp_year: year,
    fingerprint: `sandbox${number.slice(-8)}`,
    funding: 'credit',
    last4: number.slice(-4),
  }
  const id = work.newId('pm')
  const method: Method = {
    object: 'payment_method',
    id,
    type: 'card',
    created: work.now,
    livemode: false,
    metadata: {},
    customer: null,
    billing_details: details,
    card,
  }
  work.put(method)
  work.put({ object: 'sandbox.card', id, number })
  return method
}

const fullYear = (year: number): number => (year >= 0 && year < 100 ? 2000 + year : year)

function checkNumber(number: string): void {
  if (!/^\d{12,19}$/.test(number)) {
    throw cardError('invalid_number', 'The card number is not a valid credit card number.', 'number')
  }
  if (!luhn(number)) throw cardError('incorrect_number', 'Your card number is incorrect.', 'number')
}

function checkExpiry(work: Work, month: number, year: number): void {
  const now = new Date(work.now * 1000)
  const thisYear = now.getUTCFullYear()
  if (month < 1 || month > 12) {
    throw cardError('invalid_expiry_month', "Your card's expiration month is invalid.", 'exp_month')
  }
  if (year < thisYear || year > thisYear + 50) {
    throw cardError('invalid_expiry_year', "Your card's expiration year is invalid.", 'exp_year')
  }
  if (year === thisYear && month < now.getUTCMonth() + 1) {
    throw cardError('invalid_expiry_month', "Your card's expiration month is invalid.", 'exp_month')
  }
}

function cardError(code: string, message: string, param: string): StripeFailure {
  return new StripeFailure(402, { type: 'card_error', code, message, param })
}

/** The check digit of a card number, ISO/IEC 7812. */
export function luhn(number: string): boolean {
  let sum = 0
  for (let i = 0; i < number.length; i++) {
    const digit = Number(number[number.length - 1 - i]) * (i % 2 === 0 ? 1 : 2)
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}
