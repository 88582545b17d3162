import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Shards } from '../../platform/postgres.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Order, Orders } from '../orders/orders.ts'
import type { PaymentProvider, ProviderName } from './provider.ts'
import type { PaymentStore } from './payments.ts'
import type { Payment } from './sql.ts'
import { nextStep } from './states.ts'

export interface ClosingParts {
  readonly shards: Shards
  readonly store: PaymentStore
  readonly orders: Orders
  readonly providers: ReadonlyMap<ProviderName, PaymentProvider>
  readonly settle: (order: Order) => Promise<unknown>
  readonly log: Log
}

/** Carries out at the provider what SQL has decided; see `Payments.finish`. */
export function createClosing({ shards, store, orders, providers, settle, log }: ClosingParts) {
  const act = async (order: Order, payment: Payment, owing: boolean): Promise<void> => {
    const provider = providers.get(payment.provider)
    if (provider === undefined) throw new Error(`no adapter for ${payment.provider}`)
    const { user_id, order_id } = order
    const ref = payment.provider_ref
    const moveTo = (state: Payment['state']) =>
      store.advance(
        shards.of(user_id),
        user_id,
        order_id,
        { provider: payment.provider, provider_ref: ref },
        state,
      )
    // An order whose money was lost waits for a new payment as an open one does.
    switch (nextStep(owing ? 'PENDING' : order.status, payment.state)) {
      case 'none':
        return
      case 'capture': {
        const result = await provider.capture(ref, order_id)
        if (result.kind === 'captured') {
          await moveTo('captured')
          return
        }
        // Somebody withdrew the authorisation at the provider between our commit and our call.
        log.error({ order_id, provider_ref: ref, code: result.code }, 'a paid order can not be captured')
        if (result.payment.state === 'cancelled') await moveTo('lost')
        return
      }
      case 'cancel': {
        const result = await provider.cancel(ref, order_id)
        if (result.kind === 'cancelled') {
          await moveTo('cancelled')
          return
        }
        await moveTo('refund_due')
        return act(order, { ...payment, state: 'refund_due' }, owing)
      }
      case 'refund': {
        const why = order.failure_reason ?? 'not what paid the order'
        await provider.refund(ref, order_id, why)
        await moveTo('refunded')
        return
      }
    }
  }

  /** Throws the first failure, after every payment of the order has been tried. */
  return async (user: UserId, id: OrderId): Promise<void> => {
    const order = await orders.find(user, id)
    if (order === undefined) return
    if (order.status === 'PAID')
      await settle(order).catch((error: unknown) =>
        log.warn({ err: error, order_id: id }, 'settle failed; the cleanup worker will do it'),
      )
    const failures: unknown[] = []
    const sql = shards.of(user)
    const owing = order.status === 'PAID' && (await store.lacksMoney(sql, user, id))
    for (const payment of await store.selectPayments(sql, user, id))
      await act(order, payment, owing).catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
}
