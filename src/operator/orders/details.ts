import type { OrderId } from '../../contracts/ids.ts'
import type { OrderDetails } from '../../contracts/order-search-http.ts'
import { selectIssuedFor, selectUsesOf } from '../../flow/gift-cards/gift-cards.ts'
import { selectNoticesOf } from '../../flow/notices/notices.ts'
import { searchOrders } from '../../flow/orders/orders.ts'
import { selectPaymentsOf } from '../../flow/payments/payments.ts'
import type { Shards, Sql } from '../../platform/postgres.ts'
import { selectAuditOf } from '../sql.ts'
import { describe } from './search.ts'

const DEADLINE_MS = 5000
const LATEST = 50

/** Everything there is about an order, on whichever shard it is. Throws where it may be on one that does not answer. */
export async function findDetails(
  shards: Pick<Shards, 'survey' | 'catalogue'>,
  id: OrderId,
  addresses: boolean,
): Promise<OrderDetails | undefined> {
  const asked = await shards.survey(({ sql }) => onShard(sql, id, addresses), DEADLINE_MS)
  const found = asked.find((one) => one.status === 'fulfilled' && one.value !== undefined)
  if (found?.status !== 'fulfilled' || found.value === undefined) {
    const failed = asked.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return undefined
  }
  const { order } = found.value
  const targets = [id, order.item_id, order.sale_id]
  return { ...found.value, audit: await selectAuditOf(shards.catalogue, targets, LATEST) }
}

async function onShard(sql: Sql, id: OrderId, addresses: boolean) {
  const named = { user_id: '', ids: [id] }
  const [row] = await searchOrders(sql, { named }, 1)
  if (row === undefined) return undefined
  const [described] = await describe(sql, [row], addresses)
  if (described === undefined) return undefined
  const { user_id } = row
  const payments = await selectPaymentsOf(sql, [row])
  const issued = await selectIssuedFor(sql, user_id, id)
  return {
    order: {
      ...described.order,
      claimed_at: row.claimed_at.getTime(),
      pay_by: row.pay_by.getTime(),
      hold_expires_at: row.hold_expires_at.getTime(),
      failed_at: row.failed_at?.getTime() ?? null,
      restocked_at: row.restocked_at?.getTime() ?? null,
    },
    payments: payments.map(({ provider_ref, created_at, updated_at, order_id: _order, ...payment }) => ({
      ...payment,
      provider_id: provider_ref,
      created_at: created_at.getTime(),
      updated_at: updated_at.getTime(),
    })),
    gift_parts: (await selectUsesOf(sql, user_id, id)).map((use) => ({
      ...use,
      used_at: use.used_at.getTime(),
    })),
    gift_card:
      issued === undefined
        ? null
        : { ...issued, issued_at: issued.issued_at.getTime(), expires_at: issued.expires_at.getTime() },
    mails: (await selectNoticesOf(sql, user_id, id)).map((mail) => ({
      ...mail,
      created_at: mail.created_at.getTime(),
      sent_at: mail.sent_at?.getTime() ?? null,
    })),
  }
}
