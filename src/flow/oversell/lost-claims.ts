import type { ItemId } from '../../contracts/ids.ts'
import { giftFor, type OversellSettings } from '../../contracts/oversell.ts'
import type { Tombstone } from '../orders/orders.ts'
import type { OversellParts } from './oversell.ts'

type LostClaimParts = Pick<OversellParts, 'shards' | 'database' | 'orders' | 'giftCards' | 'audit'> & {
  readonly settingsOf: (item: ItemId) => Promise<OversellSettings>
}

/** Nobody approves it: there is no order to cancel and nothing to refund, only a yes that can not be kept. */
export function createLostClaims(parts: LostClaimParts): (claim: Tombstone) => Promise<void> {
  const { shards, database, orders, giftCards, audit, settingsOf } = parts

  return async (claim) => {
    const { user_id, order_id, item_id, quantity } = claim
    const settings = await settingsOf(item_id)
    const gift = giftFor(claim, settings)
    const isNew = await shards.of(user_id).transaction(async (sql) => {
      await orders.bury(claim, 'oversold', sql)
      const row = await orders.find(user_id, order_id, sql)
      return row?.failure_reason === 'oversold' && giftCards.issue(sql, row, gift, settings.valid_days)
    })
    // After the commit, since nobody may wait for a second connection while holding one. Row and card are the record.
    if (isNew)
      await audit(database, {
        operator: 'automatic',
        reason: 'a receipt was shown of a claim whose units are gone',
        command: 'oversell.lost',
        target: item_id,
        detail: { order_id, quantity, gift: gift.amount, currency: gift.currency },
      })
  }
}
