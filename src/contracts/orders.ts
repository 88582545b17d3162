/** The three states of an order in SQL, and PROCESSING until the order worker has written the row. */
export const ORDER_STATUSES = ['PENDING', 'PAID', 'FAILED'] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]

export const FAILURE_REASONS = [
  'declined',
  'payment_timeout',
  'hold_expired',
  'cancelled_by_user',
  'oversold',
] as const
export type FailureReason = (typeof FAILURE_REASONS)[number]

/** Every transition there is: from, to, and the reasons that allow it. Anything else is refused. */
export const TRANSITIONS = [
  { from: 'PENDING', to: 'PAID', reasons: [] },
  {
    from: 'PENDING',
    to: 'FAILED',
    reasons: ['declined', 'payment_timeout', 'hold_expired', 'cancelled_by_user', 'oversold'],
  },
  { from: 'PAID', to: 'FAILED', reasons: ['oversold'] },
] as const satisfies readonly {
  from: OrderStatus
  to: OrderStatus
  reasons: readonly FailureReason[]
}[]
