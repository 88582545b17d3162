import type { ItemId } from '../../contracts/ids.ts'
import { giftFor, type OversellSettings } from '../../contracts/oversell.ts'
import type { Order } from '../orders/orders.ts'
import type { OversellParts, OversoldItem } from './oversell.ts'
import { finishPlan, type Plan, type PlanOutcome } from './sql.ts'

type ExecutionParts = Pick<
  OversellParts,
  'shards' | 'database' | 'orders' | 'giftCards' | 'inventory' | 'reconcile' | 'audit' | 'log'
> & {
  readonly count: (item: ItemId) => Promise<OversoldItem | undefined>
  readonly settingsOf: (item: ItemId) => Promise<OversellSettings>
}

/**
 * Cancels what a plan names, the last one to claim first, one at a time, as long as it is needed: before each, SQL is
 * asked again. Only the very last order is ever cancelled, and only one that was approved, so whatever happens in
 * between (a payment window that ends, an order nobody had seen, another process at the same work), the cancelled ones
 * are the last ones, and no more than needed. Each step may be the last of this process: the next one goes on.
 *
 * Giving the money back is left to `Payments.repair`, so that a provider that does not answer keeps nothing waiting.
 */
export function createExecution(parts: ExecutionParts): (plan: Plan) => Promise<void> {
  const { shards, database, orders, giftCards, inventory, reconcile, audit, log, count, settingsOf } = parts

  /** False where somebody else decided about the order first. With it comes its gift card, or neither. */
  const cancel = async (order: Order, settings: OversellSettings): Promise<boolean> => {
    const { user_id, order_id } = order
    return shards.of(user_id).transaction(async (sql) => {
      if (!(await orders.fail(user_id, order_id, 'oversold', sql))) return false
      await giftCards.issue(sql, order, giftFor(order, settings), settings.valid_days)
      return true
    })
  }

  const cancelNeeded = async ({ item_id, orders: list }: Plan): Promise<PlanOutcome> => {
    const approved = new Set(list.map(({ order_id }) => order_id))
    const settings = await settingsOf(item_id)
    for (;;) {
      const oversold = (await count(item_id))?.oversold ?? 0
      if (oversold === 0) return 'done'
      const [last] = await orders.lastActive(item_id, 1)
      if (last === undefined || !approved.has(last.order_id)) return 'outdated'
      if (await cancel(last, settings))
        log.info({ item_id, order_id: last.order_id, oversold }, 'cancelled as oversold')
    }
  }

  return async (plan) => {
    const { item_id, hash, approvals } = plan
    // Nothing is claimed of an oversold item, so what SQL says of it can only become less.
    const found = await reconcile.item(item_id)
    if (found.outcome === 'in_motion' || found.outcome === 'refused') return
    const reached = found.outcome === 'oversold' ? await cancelNeeded(plan) : 'done'

    const rows = await Promise.all(plan.orders.map(({ user_id, order_id }) => orders.find(user_id, order_id)))
    const cancelled = rows.flatMap((order) => (order?.failure_reason === 'oversold' ? [order] : []))
    for (const { order_id } of cancelled) await inventory.release(item_id, order_id)
    if (cancelled.length > 0) await reconcile.item(item_id)

    const outcome = reached === 'done' && cancelled.length === 0 ? 'not_needed' : reached
    await database.transaction(async (sql) => {
      if (!(await finishPlan(sql, plan, outcome))) return
      await audit(sql, {
        operator: approvals.map(({ operator }) => operator).join(', ') || 'automatic',
        reason: approvals.map(({ reason }) => reason).join('; ') || 'the sale says automatic',
        command: 'oversell.finish',
        target: item_id,
        detail: { hash, outcome, cancelled: cancelled.map(({ order_id }) => order_id) },
      })
    })
  }
}
