import { expect } from 'bun:test'
import { type Claim, type Flow, PRICE } from './flow.ts'

/** Gift cards of a running flow, and what must hold of the money of orders that use them. */
export function giftCards(flow: Flow, item: string) {
  const { app, stripe } = flow
  return {
    /** A card of this buyer, for an order of theirs that was cancelled as oversold. */
    cardFor: async (user_id: string, amount: number, validDays = 30) => {
      const claimed = await flow.pending(item, { user_id })
      const order = await flow.row(claimed)
      await app.shards.of(user_id).transaction(async (sql) => {
        await app.orders.fail(user_id, claimed.order_id, 'oversold', sql)
        await app.giftCards.issue(sql, order, { amount, currency: order.currency }, validDays)
      })
      await app.inventory.release(item, claimed.order_id)
      const card = (await app.giftCards.of(user_id)).find(({ order_id }) => order_id === claimed.order_id)
      if (card === undefined) throw new Error('no card was issued')
      return card
    },
    /** Invariant 8: captured - refunded + what gift cards pay is the price where it is PAID, and nothing is kept else. */
    expectMoney: async (claimed: Claim) => {
      const { status, amount } = await flow.row(claimed)
      const part = await app.giftCards.part(claimed.user_id, claimed.order_id)
      const kept = stripe
        .entry(claimed.order_id)
        .reduce((sum, entry) => sum + entry.captured - entry.refunded, 0)
      if (status === 'PAID') expect({ status, paid: kept + part }).toEqual({ status, paid: amount })
      else expect({ status, kept }).toEqual({ status, kept: 0 })
      expect(part).toBeLessThanOrEqual(PRICE)
      return status
    },
  }
}
