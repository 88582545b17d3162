/**
 * What we know of one payment at a provider. `lost`: it has paid the order, and before it was captured the provider gave
 * the authorisation up; the order is PAID without money until its buyer pays again.
 */
export const PAYMENT_STATES = [
  'started',
  'failed',
  'authorised',
  'captured',
  'lost',
  'refund_due',
  'cancelled',
  'refunded',
] as const
export type PaymentState = (typeof PAYMENT_STATES)[number]
