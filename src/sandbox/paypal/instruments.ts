/** What the buyer may pay with at the sandbox, and what comes of it. */

export type Outcome =
  | { readonly kind: 'approve' }
  /** Refused when the shop authorises, after the buyer has approved. */
  | { readonly kind: 'decline'; readonly issue: string; readonly description: string }
  /** The order completes, with an authorisation that was denied. */
  | { readonly kind: 'deny' }

export interface Instrument {
  readonly id: string
  readonly name: string
  readonly outcome: Outcome
}

const decline = (issue: string, description: string): Outcome => ({ kind: 'decline', issue, description })

export const INSTRUMENTS: readonly Instrument[] = [
  { id: 'balance', name: 'PayPal balance', outcome: { kind: 'approve' } },
  {
    id: 'declined_card',
    name: 'A card that is declined',
    outcome: decline(
      'INSTRUMENT_DECLINED',
      'The instrument presented was either declined by the processor or bank, or it can’t be used for this payment.',
    ),
  },
  {
    id: 'blocked_account',
    name: 'An account that can not pay',
    outcome: decline('PAYER_CANNOT_PAY', 'Payer cannot pay for this transaction.'),
  },
  {
    id: 'refused',
    name: 'A payment PayPal refuses',
    outcome: decline('TRANSACTION_REFUSED', 'The transaction was refused.'),
  },
  { id: 'denied', name: 'An authorisation that is denied', outcome: { kind: 'deny' } },
]

export const instrumentOf = (id: string): Instrument | undefined =>
  INSTRUMENTS.find((instrument) => instrument.id === id)
