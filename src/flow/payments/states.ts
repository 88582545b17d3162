import type { OrderStatus } from '../../contracts/orders.ts'
import type { ProviderEvent } from './provider.ts'

/** What we know of one payment at a provider. */
export type PaymentState =
  'started' | 'failed' | 'authorised' | 'captured' | 'refund_due' | 'cancelled' | 'refunded'

/**
 * From which states a state may be reached. Provider events come late, twice and out of order; one that would lead
 * backwards changes nothing.
 */
export const REACHED_FROM: Readonly<Record<PaymentState, readonly PaymentState[]>> = {
  started: [],
  failed: ['started'],
  authorised: ['started', 'failed'],
  captured: ['started', 'failed', 'authorised'],
  refund_due: ['started', 'failed', 'authorised', 'captured', 'cancelled'],
  cancelled: ['started', 'failed', 'authorised'],
  refunded: ['captured', 'refund_due'],
}

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
export function stateAfter(type: ProviderEvent['type'], winner: boolean): PaymentState {
  switch (type) {
    case 'authorised':
      return winner ? 'authorised' : 'started'
    case 'captured':
      return winner ? 'captured' : 'refund_due'
    case 'failed':
    case 'cancelled':
    case 'refunded':
      return type
  }
}
