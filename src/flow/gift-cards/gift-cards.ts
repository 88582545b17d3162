import { portionOf, readGiftCode } from '../../contracts/gift-cards.ts'
import type { OrderId, UserId } from '../../contracts/ids.ts'
import type { Money } from '../../contracts/money.ts'
import type { OrderStatus } from '../../contracts/orders.ts'
import { everywhere, type Shards, type Sql } from '../../platform/postgres.ts'
import type { Order, Orders } from '../orders/orders.ts'
import * as sqlStore from './sql.ts'

export * from './overview-sql.ts'

/** Makes up for an order that was cancelled as oversold. Amounts in minor units, times in ms. */
export interface GiftCard {
  readonly user_id: UserId
  /** The order it makes up for; also the card's name. */
  readonly order_id: OrderId
  readonly code: string
  readonly amount: number
  readonly currency: string
  readonly issued_at: number
  readonly expires_at: number
  readonly expired: boolean
  /** What is left: the amount minus what is put towards orders that are PENDING or PAID. */
  readonly balance: number
}

export type PutOutcome =
  /** `part`: what all cards together pay of the order; `paid`: everything, so it is PAID now. */
  | { readonly kind: 'put' | 'paid'; readonly part: number }
  | { readonly kind: 'not_payable'; readonly status: OrderStatus }
  /** `unknown_card`: this buyer has none with this code; whether somebody else has is not told. */
  | { readonly kind: 'unknown_order' | 'unknown_card' | 'expired' | 'other_currency' | 'nothing_to_put' }
  /** The order is of a rehearsal, and the card is worth real money. */
  | { readonly kind: 'rehearsal_only' }

export type TakeOffOutcome =
  | { readonly kind: 'taken_off' }
  | { readonly kind: 'unknown_order' }
  | { readonly kind: 'not_payable'; readonly status: OrderStatus }

export interface GiftCards {
  /**
   * In the transaction in which the order fails: one card for it, however often, and its own cards live on. False where
   * it has been issued before, or the order is of a rehearsal.
   */
  issue(sql: Sql, order: Order, gift: Money, validDays: number): Promise<boolean>
  of(user: UserId): Promise<GiftCard[]>
  /** The latest cards of everybody. */
  issued(max: number): Promise<GiftCard[]>
  /**
   * Puts as much of a card towards a PENDING order as it needs. Where nothing is left to pay the order is PAID by that.
   * Putting the same card again changes nothing.
   */
  put(user: UserId, order: OrderId, code: string): Promise<PutOutcome>
  /** The order is paid without cards again. */
  takeOff(user: UserId, order: OrderId): Promise<TakeOffOutcome>
  /** What cards pay of an order. `sql`: a transaction on the buyer's shard that has locked the order. */
  part(user: UserId, order: OrderId, sql?: Sql): Promise<number>
  /** The same for each order of a buyer that has any. */
  parts(user: UserId): Promise<ReadonlyMap<OrderId, number>>
}

export interface GiftCardParts {
  readonly shards: Shards
  readonly orders: Pick<Orders, 'lock' | 'pay'>
  readonly newCode: () => string
  /** Whether money may be given and taken for the order at all. Left out: always. */
  readonly mayMove?: (order: Order) => Promise<boolean>
}

/**
 * Every change locks the order first and then the card, in one transaction on the buyer's shard: two orders can not use
 * the same money, and what a card pays of an order does not change while the order is decided.
 */
export function createGiftCards({ shards, orders, newCode, mayMove }: GiftCardParts): GiftCards {
  const part = async (user: UserId, order: OrderId, sql: Sql = shards.of(user)) =>
    (await sqlStore.selectParts(sql, user, order)).get(order) ?? 0

  const put = async (sql: Sql, user: UserId, id: OrderId, code: string): Promise<PutOutcome> => {
    const order = await orders.lock(sql, user, id)
    if (order === undefined) return { kind: 'unknown_order' }
    if (order.status !== 'PENDING') return { kind: 'not_payable', status: order.status }
    if ((await mayMove?.(order)) === false) return { kind: 'rehearsal_only' }
    const card = await sqlStore.lockCard(sql, user, code)
    if (card === undefined) return { kind: 'unknown_card' }
    const before = await part(user, id, sql)
    if (await sqlStore.hasUse(sql, user, id, card.order_id)) return { kind: 'put', part: before }
    if (card.expired) return { kind: 'expired' }
    if (card.currency !== order.currency) return { kind: 'other_currency' }
    const amount = portionOf(card.balance, order.amount - before)
    if (amount === 0) return { kind: 'nothing_to_put' }
    await sqlStore.insertUse(sql, { user_id: user, order_id: id, card_id: card.order_id, amount })
    const paid = before + amount === order.amount && (await orders.pay(sql, user, id))
    return { kind: paid ? 'paid' : 'put', part: before + amount }
  }

  return {
    issue: async (sql, order, { amount, currency }, validDays) => {
      if ((await mayMove?.(order)) === false) return false
      const { user_id, order_id } = order
      const card = { user_id, order_id, code: newCode(), amount, currency }
      const isNew = await sqlStore.insertCard(sql, card, validDays)
      await sqlStore.prolongUsed(sql, user_id, order_id, validDays)
      return isNew
    },
    of: (user) => sqlStore.selectCards(shards.of(user), user),
    issued: async (max) => {
      const found = await everywhere(shards, ({ sql }) => sqlStore.selectIssued(sql, max))
      return found
        .flat()
        .sort((one, other) => other.issued_at - one.issued_at)
        .slice(0, max)
    },
    put: (user, order, code) =>
      shards.of(user).transaction((sql) => put(sql, user, order, readGiftCode(code))),
    takeOff: (user, id) =>
      shards.of(user).transaction(async (sql) => {
        const order = await orders.lock(sql, user, id)
        if (order === undefined) return { kind: 'unknown_order' }
        if (order.status !== 'PENDING') return { kind: 'not_payable', status: order.status }
        await sqlStore.deleteUses(sql, user, id)
        return { kind: 'taken_off' }
      }),
    part,
    parts: (user) => sqlStore.selectParts(shards.of(user), user),
  }
}
