import type { Application } from '../../src/app.ts'
import type { Acknowledged } from './load.ts'

export interface Audit {
  /** Said yes to, and not PENDING in SQL with a hold in Redis. */
  readonly lost: number
  /** Units promised beyond those there are, in SQL or in Redis, over all items. */
  readonly oversold: number
  /** Orders beyond one a buyer. */
  readonly doubled: number
  /** Items whose Redis does not add up, or is not what SQL says. */
  readonly unsound: number
  readonly sold_out_items: number
}

/** Every yes against SQL and Redis. The buyers are gone and the outboxes are empty. */
export async function audit(
  { orders, inventory }: Application,
  units: Readonly<Record<string, number>>,
  acknowledged: readonly Acknowledged[],
): Promise<Audit> {
  const found = { lost: 0, oversold: 0, doubled: 0, unsound: 0, sold_out_items: 0 }
  const said = Map.groupBy(acknowledged, ({ item }) => item)
  for (const [item, total] of Object.entries(units)) {
    const rows = await orders.forItem(item)
    const pending = new Set(rows.filter(({ status }) => status === 'PENDING').map(({ order_id }) => order_id))
    const held = new Set((await inventory.holds(item)).map(({ order_id }) => order_id))
    const stock = await inventory.stock(item)
    found.lost += (said.get(item) ?? []).filter(({ order }) => !pending.has(order) || !held.has(order)).length
    found.oversold += Math.max(0, pending.size - total, held.size - total)
    found.doubled += rows.length - new Set(rows.map(({ user_id }) => user_id)).size
    const sound =
      stock !== undefined &&
      stock.available >= 0 &&
      stock.available + stock.held === total &&
      stock.held === held.size &&
      held.size === pending.size
    if (!sound) found.unsound += 1
    if (stock?.available === 0) found.sold_out_items += 1
  }
  return found
}
