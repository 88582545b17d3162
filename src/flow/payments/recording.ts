import type { Shards, Sql } from '../../platform/postgres.ts'
import type { Order, Orders } from '../orders/orders.ts'
import type { EventOutcome, PaymentStore } from './payments.ts'
import type { MoneyEvent, PaymentProvider, ProviderName, ProviderPayment } from './provider.ts'
import { isOver, REACHED_FROM, stateAfter } from './states.ts'

export interface RecordingParts {
  readonly shards: Shards
  readonly store: PaymentStore
  readonly orders: Orders
  readonly providers: ReadonlyMap<ProviderName, PaymentProvider>
  /** What the provider has to pay of an order, in minor units. */
  readonly leftToPay: (sql: Sql, order: Order) => Promise<number>
}

/** What a provider says of a payment: by an event, which has an id, or asked by us. */
interface Said {
  readonly type: MoneyEvent
  readonly payment: ProviderPayment
  readonly event_id: string | undefined
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function createRecording({ shards, store, orders, providers, leftToPay }: RecordingParts) {
  /** Takes in what a provider says of a payment, in one transaction on the buyer's shard. */
  const record = async (provider: ProviderName, said: Said): Promise<EventOutcome> => {
    const { type, payment, event_id } = said
    const { user_id, order_id } = payment
    if (!UUID.test(order_id)) return 'foreign'
    return shards
      .of(user_id)
      .transaction(async (sql): Promise<EventOutcome> => {
        if (event_id !== undefined && !(await store.insertEvent(sql, user_id, provider, event_id)))
          return 'duplicate'
        const before = await store.lockPayment(sql, user_id, provider, payment)
        // Locked, so that what gift cards pay of it stays what it is until the order is decided.
        const order = await orders.lock(sql, user_id, order_id)
        if (order === undefined) throw new EarlyEvent()
        const due = await leftToPay(sql, order)
        // A payment that is over, or of another amount, pays nothing, whatever a late event says.
        const pays =
          (type === 'authorised' || type === 'captured') &&
          REACHED_FROM[type].includes(before) &&
          payment.amount === due &&
          payment.currency === order.currency &&
          (type === 'authorised' || payment.amount_received === due)
        const won = pays && (await orders.pay(sql, user_id, order_id))
        const holdsIt = before === 'authorised' || before === 'captured'
        const winner =
          won ||
          (order.status === 'PAID' && (holdsIt || (pays && (await store.lacksMoney(sql, user_id, order_id)))))
        const after = stateAfter(type, winner)
        // While the order is open a payment that is over stays over.
        if (after !== 'started' || order.status !== 'PENDING')
          await store.advance(sql, user_id, order_id, { provider, ...payment }, after)
        return won ? 'paid' : 'recorded'
      })
      .catch((error: unknown) => {
        if (error instanceof EarlyEvent) return 'early' as const
        throw error
      })
  }

  /**
   * Authorises what the buyer has approved, where the order can be paid with it: what is not needed any more is left
   * alone, and lapses at the provider by itself.
   */
  const authorise = async (
    name: ProviderName,
    payment: ProviderPayment,
    event_id: string | undefined,
  ): Promise<EventOutcome> => {
    const { user_id, order_id, provider_ref } = payment
    if (!UUID.test(order_id)) return 'foreign'
    const sql = shards.of(user_id)
    const order = await orders.find(user_id, order_id)
    if (order === undefined) return 'early'
    if (!(await isPayable(order))) return 'recorded'
    if (payment.currency !== order.currency || payment.amount !== (await leftToPay(sql, order)))
      return 'recorded'
    const known = (await store.selectPayments(sql, user_id, order_id)).find(
      (one) => one.provider === name && one.provider_ref === provider_ref,
    )
    const provider = providers.get(name)
    if (provider === undefined || (known !== undefined && isOver(known.state))) return 'recorded'
    const result = await provider.authorise(provider_ref, order_id)
    switch (result.kind) {
      case 'waiting':
        return 'recorded'
      case 'declined':
        return record(name, { type: 'cancelled', payment: result.payment, event_id })
      case 'authorised': {
        const type = result.payment.state === 'captured' ? 'captured' : 'authorised'
        return record(name, { type, payment: result.payment, event_id })
      }
    }
  }

  /** Whether money is still wanted for it: it is open, or paid with an authorisation that came to nothing. */
  const isPayable = async ({ status, user_id, order_id }: Order): Promise<boolean> =>
    status === 'PENDING' ||
    (status === 'PAID' && (await store.lacksMoney(shards.of(user_id), user_id, order_id)))

  /** Asks the provider how a payment stands, and does what follows from it. */
  const ask = async (name: ProviderName, provider_ref: string): Promise<EventOutcome> => {
    const payment = await providers.get(name)?.find(provider_ref)
    return payment === undefined ? 'recorded' : follow(name, payment)
  }

  const follow = async (name: ProviderName, payment: ProviderPayment): Promise<EventOutcome> => {
    switch (payment.state) {
      case 'approved':
        return authorise(name, payment, undefined)
      case 'authorised':
      case 'captured':
      case 'cancelled':
        return record(name, { type: payment.state, payment, event_id: undefined })
      case 'requires_payment':
      case 'requires_action':
      case 'processing':
        return 'recorded'
    }
  }

  return { record, authorise, follow, ask, isPayable }
}

/** Rolls the transaction back: the provider sends the event again, and by then the order is written. */
class EarlyEvent extends Error {}
