import type { OrderStatus } from '../../contracts/orders.ts'
import type { PaymentState } from '../../contracts/payments.ts'
import type { MoneyEvent } from './provider.ts'

export type { PaymentState }

/**
 * From which states a state may be reached. Provider events come late, twice and out of order; one that would lead
 * backwards changes nothing.
 */
export const REACHED_FROM: Readonly<Record<PaymentState, readonly PaymentState[]>> = {
  // Authorised after it was closed, for an order that is decided: it is closed once more.
  started: ['cancelled'],
  failed: ['started'],
  authorised: ['started', 'failed'],
  captured: ['started', 'failed', 'authorised', 'lost'],
  lost: ['authorised'],
  refund_due: ['started', 'failed', 'authorised', 'captured', 'lost', 'cancelled'],
  cancelled: ['started', 'failed', 'authorised'],
  refunded: ['captured', 'refund_due'],
}

/** Nothing more comes of it: its order may have another one. */
export const isOver = (state: PaymentState): boolean =>
  state === 'cancelled' || state === 'lost' || state === 'refund_due' || state === 'refunded'

/** What a payment needs from its provider, given its order; the one table that decides about money. */
export function nextStep(
  order: OrderStatus,
  payment: PaymentState,
): 'capture' | 'cancel' | 'refund' | 'none' {
  if (payment === 'refund_due') return 'refund'
  if (order === 'PAID') {
    if (payment === 'authorised') return 'capture'
    // Another payment of the same order has won.
    return payment === 'started' || payment === 'failed' ? 'cancel' : 'none'
  }
  if (order === 'FAILED') {
    // Paid in time, and cancelled because more was sold than there is.
    if (payment === 'captured') return 'refund'
    return payment === 'started' || payment === 'failed' || payment === 'authorised' ? 'cancel' : 'none'
  }
  return 'none'
}

/**
 * The state a provider event asks for. `winner`: this payment is the one that has paid the order. Any other stays
 * `started`, which `nextStep` cancels once the order is decided, or gives its money back.
 */
export function stateAfter(type: MoneyEvent, winner: boolean): PaymentState {
  switch (type) {
    case 'authorised':
      return winner ? 'authorised' : 'started'
    case 'captured':
      return winner ? 'captured' : 'refund_due'
    case 'cancelled':
      return winner ? 'lost' : 'cancelled'
    case 'failed':
    case 'refunded':
      return type
  }
}
