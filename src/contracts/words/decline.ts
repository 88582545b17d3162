/**
 * Why a payment was declined, for its buyer; `code` as the provider says it (Stripe's decline codes, PayPal's issues).
 * Codes that would help a thief (lost, stolen, suspected of fraud) get the same words as one without a reason.
 */
export function declineText(code: string | undefined): string {
  return REASONS[code ?? ''] ?? 'The payment was declined. Try again, or pay another way.'
}

const REASONS: Readonly<Record<string, string>> = {
  insufficient_funds: 'There is not enough money on this card. Try another one, or pay another way.',
  expired_card: 'This card has expired. Try another one.',
  incorrect_cvc: 'The security code does not fit the card. Check it and try again.',
  invalid_cvc: 'The security code does not fit the card. Check it and try again.',
  incorrect_number: 'The card number is not right. Check it and try again.',
  invalid_number: 'The card number is not right. Check it and try again.',
  processing_error: 'The bank could not answer just now. Try again in a moment.',
  try_again_later: 'The bank could not answer just now. Try again in a moment.',
  issuer_not_available: 'The bank could not answer just now. Try again in a moment.',
  card_velocity_exceeded: 'This card has reached a limit of your bank. Try another one.',
  card_not_supported: 'This card can not be used for this purchase. Try another one.',
  currency_not_supported: 'This card can not pay in this currency. Try another one.',
  authentication_required: 'Your bank wants you to confirm the payment. Try again and confirm it.',
  payment_intent_authentication_failure:
    'Your bank did not get your confirmation. Try again, or pay another way.',
  test_mode_live_card: 'This shop is in test mode: real cards are not taken.',
  INSTRUMENT_DECLINED:
    'PayPal could not use what you chose to pay with. Try PayPal again and choose another card or account, or pay by card here.',
  PAYER_CANNOT_PAY: 'PayPal does not let this account pay. Log in there to see why, or pay by card here.',
  PAYER_ACCOUNT_RESTRICTED:
    'PayPal does not let this account pay. Log in there to see why, or pay by card here.',
  PAYER_ACCOUNT_LOCKED_OR_CLOSED:
    'PayPal does not let this account pay. Log in there to see why, or pay by card here.',
  ORDER_EXPIRED: 'You agreed at PayPal, but that was too long ago. Try again, or pay by card here.',
}
