/**
 * Test cards, as Stripe's documentation lists them: by number, and by the ready-made payment methods that stand for
 * them. One is ours: 4000 0000 0000 5043 is authorised, but the answer to the confirmation never comes.
 */

export interface Decline {
  code: string
  decline_code: string
  message: string
}

export type Outcome =
  | { kind: 'approve' }
  | { kind: 'approve_silently' }
  | { kind: 'decline'; decline: Decline }
  | { kind: 'challenge'; then: { kind: 'approve' } | { kind: 'decline'; decline: Decline } }

export interface TestCard {
  number: string
  method_ids: readonly string[]
  outcome: Outcome
}

const approve = { kind: 'approve' } as const

function decline(declineCode: string, message = 'Your card was declined.', code = 'card_declined') {
  return { kind: 'decline', decline: { code, decline_code: declineCode, message } } as const
}

const insufficientFunds = decline('insufficient_funds', 'Your card has insufficient funds.')

export const testCards: readonly TestCard[] = [
  { number: '4242424242424242', method_ids: ['pm_card_visa'], outcome: approve },
  { number: '4000056655665556', method_ids: ['pm_card_visa_debit'], outcome: approve },
  { number: '5555555555554444', method_ids: ['pm_card_mastercard'], outcome: approve },
  { number: '378282246310005', method_ids: ['pm_card_amex'], outcome: approve },
  { number: '6011111111111117', method_ids: ['pm_card_discover'], outcome: approve },
  {
    number: '4000000000000002',
    method_ids: ['pm_card_visa_chargeDeclined', 'pm_card_chargeDeclined'],
    outcome: decline('generic_decline'),
  },
  {
    number: '4000000000009995',
    method_ids: ['pm_card_visa_chargeDeclinedInsufficientFunds', 'pm_card_chargeDeclinedInsufficientFunds'],
    outcome: insufficientFunds,
  },
  {
    number: '4000000000009987',
    method_ids: ['pm_card_visa_chargeDeclinedLostCard'],
    outcome: decline('lost_card'),
  },
  {
    number: '4000000000009979',
    method_ids: ['pm_card_visa_chargeDeclinedStolenCard'],
    outcome: decline('stolen_card'),
  },
  {
    number: '4000000000000069',
    method_ids: ['pm_card_chargeDeclinedExpiredCard'],
    outcome: decline('expired_card', 'Your card has expired.', 'expired_card'),
  },
  {
    number: '4000000000000127',
    method_ids: ['pm_card_chargeDeclinedIncorrectCvc'],
    outcome: decline('incorrect_cvc', "Your card's security code is incorrect.", 'incorrect_cvc'),
  },
  {
    number: '4000000000000119',
    method_ids: ['pm_card_chargeDeclinedProcessingError'],
    outcome: decline(
      'processing_error',
      'An error occurred while processing your card. Try again in a little bit.',
      'processing_error',
    ),
  },
  {
    number: '4000000000006975',
    method_ids: ['pm_card_visa_chargeDeclinedVelocityLimitExceeded'],
    outcome: decline('card_velocity_exceeded'),
  },
  { number: '4100000000000019', method_ids: ['pm_card_radarBlock'], outcome: decline('fraudulent') },
  {
    number: '4000002500003155',
    method_ids: ['pm_card_authenticationRequiredOnSetup'],
    outcome: { kind: 'challenge', then: approve },
  },
  {
    number: '4000002760003184',
    method_ids: ['pm_card_authenticationRequired'],
    outcome: { kind: 'challenge', then: approve },
  },
  {
    number: '4000000000003220',
    method_ids: ['pm_card_threeDSecure2Required'],
    outcome: { kind: 'challenge', then: approve },
  },
  {
    number: '4000008400001629',
    method_ids: ['pm_card_threeDSecureRequiredChargeDeclined'],
    outcome: { kind: 'challenge', then: decline('generic_decline') },
  },
  {
    number: '4000008260003178',
    method_ids: ['pm_card_authenticationRequiredChargeDeclinedInsufficientFunds'],
    outcome: { kind: 'challenge', then: insufficientFunds },
  },
  {
    number: '4000000000005043',
    method_ids: ['pm_card_sandbox_noAnswer'],
    outcome: { kind: 'approve_silently' },
  },
]

const byNumber = new Map(testCards.map((card) => [card.number, card]))
const byMethod = new Map(testCards.flatMap((card) => card.method_ids.map((id) => [id, card] as const)))

/** What the bank says to a card number; a real-looking number is declined as such. */
export function outcomeOf(number: string): Outcome {
  const message =
    'Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.'
  return byNumber.get(number)?.outcome ?? decline('test_mode_live_card', message)
}

export function cardOfMethod(methodId: string): TestCard | undefined {
  return byMethod.get(methodId)
}

export function brandOf(number: string): string {
  if (number.startsWith('4')) return 'visa'
  if (/^3[47]/.test(number)) return 'amex'
  if (/^5[1-5]|^2[2-7]/.test(number)) return 'mastercard'
  if (/^6/.test(number)) return 'discover'
  return 'unknown'
}
