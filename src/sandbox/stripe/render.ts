/** Objects as the API shows them: with the fields that never change filled in, expanded, or cut to what a browser may see. */
import type { Charge, Intent, Refund } from './types.ts'
import type { Work } from './work.ts'

export function showIntent(
  work: Work,
  intent: Intent,
  expand: readonly string[] = [],
): Record<string, unknown> {
  const charge = intent.latest_charge === null ? undefined : work.get('charge', intent.latest_charge)
  const method =
    intent.payment_method === null ? undefined : work.get('payment_method', intent.payment_method)
  return {
    ...intent,
    allowed_payment_method_types: ['card'],
    amount_details: { tip: {} },
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    confirmation_method: 'automatic',
    customer: null,
    customer_account: null,
    excluded_payment_method_types: null,
    latest_charge: expand.includes('latest_charge') && charge ? showCharge(charge) : intent.latest_charge,
    livemode: false,
    managed_payments: null,
    on_behalf_of: null,
    payment_method: expand.includes('payment_method') && method ? method : intent.payment_method,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
    },
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    transfer_data: null,
    transfer_group: null,
  }
}

const browserFields = [
  'id',
  'object',
  'amount',
  'amount_details',
  'automatic_payment_methods',
  'canceled_at',
  'cancellation_reason',
  'capture_method',
  'client_secret',
  'confirmation_method',
  'created',
  'currency',
  'description',
  'last_payment_error',
  'livemode',
  'next_action',
  'payment_method',
  'payment_method_configuration_details',
  'payment_method_types',
  'processing',
  'receipt_email',
  'setup_future_usage',
  'shipping',
  'source',
  'status',
]

export type Caller = 'secret' | 'publishable'

/** As `showIntent`; with a publishable key no metadata, no charge and nothing expanded. */
export function viewIntent(work: Work, intent: Intent, caller: Caller, expand: readonly string[] = []) {
  const shown = showIntent(work, intent, expand)
  if (caller === 'secret') return shown
  return Object.fromEntries(browserFields.map((name) => [name, shown[name]]))
}

export function showCharge(charge: Charge): Record<string, unknown> {
  return {
    ...charge,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    calculated_statement_descriptor: 'SANDBOX',
    customer: null,
    disputed: false,
    failure_balance_transaction: null,
    fraud_details: {},
    livemode: false,
    on_behalf_of: null,
    radar_options: {},
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    transfer_data: null,
    transfer_group: null,
  }
}

export function showRefund(refund: Refund): Record<string, unknown> {
  return {
    ...refund,
    balance_transaction: null,
    customer: null,
    customer_account: null,
    destination_details: { card: { type: 'refund' }, type: 'card' },
    payment_method: null,
    receipt_number: null,
    source_transfer_reversal: null,
    transfer_reversal: null,
  }
}

export function showList(url: string, data: readonly unknown[], hasMore: boolean): Record<string, unknown> {
  return { object: 'list', data, has_more: hasMore, url }
}
