import type { Key, Say } from './say.ts'

/**
 * Why a payment was declined, for its buyer; `code` as the provider says it (Stripe's decline codes, PayPal's issues).
 * Codes that would help a thief (lost, stolen, suspected of fraud) get the same words as one without a reason.
 */
export function declineText(say: Say, code: string | undefined): string {
  return say(REASONS[code ?? ''] ?? 'decline.other')
}

const REASONS: Readonly<Record<string, Key>> = {
  insufficient_funds: 'decline.no_money',
  expired_card: 'decline.expired',
  incorrect_cvc: 'decline.cvc',
  invalid_cvc: 'decline.cvc',
  incorrect_number: 'decline.number',
  invalid_number: 'decline.number',
  processing_error: 'decline.bank_away',
  try_again_later: 'decline.bank_away',
  issuer_not_available: 'decline.bank_away',
  card_velocity_exceeded: 'decline.limit',
  card_not_supported: 'decline.not_supported',
  currency_not_supported: 'decline.currency',
  authentication_required: 'decline.confirm',
  payment_intent_authentication_failure: 'decline.not_confirmed',
  test_mode_live_card: 'decline.test_mode',
  INSTRUMENT_DECLINED: 'decline.paypal_means',
  PAYER_CANNOT_PAY: 'decline.paypal_account',
  PAYER_ACCOUNT_RESTRICTED: 'decline.paypal_account',
  PAYER_ACCOUNT_LOCKED_OR_CLOSED: 'decline.paypal_account',
  ORDER_EXPIRED: 'decline.paypal_late',
}
