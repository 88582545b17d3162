import type { ItemId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/postgres.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { EventLog } from '../events/events.ts'
import type { DueHold, Inventory } from '../inventory/inventory.ts'
import type { Order, Orders } from '../orders/orders.ts'
import * as sqlStore from './sql.ts'
import { createInSql } from './in-sql.ts'
import { compare, type Comparison, type Observed, unitsOf } from './compare.ts'

export type ReconcileOutcome = 'clean' | 'repaired' | 'in_motion' | 'oversold' | 'refused'

export interface ReconcileRun {
  readonly item_id: ItemId
  readonly outcome: ReconcileOutcome
  /** Units Redis shows available beyond what SQL leaves (+) or short of it (-). */
  readonly drift: number
  readonly report: Record<string, unknown>
}

export interface Reconcile {
  /** Compares one item with SQL, repairs it, records the run. A second run right after is `clean`. */
  item(id: ItemId): Promise<ReconcileRun>
  /** Every item of the catalogue. */
  all(): Promise<ReconcileRun[]>
  /** Items that sell nothing because Redis is another process than the one they were checked on, or has lost them. */
  fenced(): Promise<ItemId[]>
  runs(max: number): Promise<ReconcileRun[]>
}

/** The statements about runs. A model in memory stands in for them in the simulation. */
export type RunStore = typeof sqlStore

export interface ReconcileParts {
  readonly store?: RunStore
  readonly inventory: Inventory
  readonly orders: Orders
  readonly catalogue: Pick<Catalogue, 'product' | 'products' | 'sale'>
  readonly database: Database
  /** The Redis server that has the item; undefined while it is away. */
  readonly runId: (item: ItemId) => string | undefined
  readonly eventLog: Pick<EventLog, 'drained'>
  readonly clock: Clock
  readonly log: Log
}

/** One item in Redis and in SQL at one moment. */
type Seen = Omit<Observed, 'units'>

/** How often an item whose stock moves while it is read is read again. */
const READS = 5

export function createReconcile(parts: ReconcileParts): Reconcile {
  const { inventory, orders, catalogue, database, store = sqlStore, runId, clock, log } = parts
  const inSql = createInSql(parts)

  /**
   * Redis before, SQL, Redis after: where the two looks at Redis are the same, everything SQL said in between belongs
   * to that one state (Redis follows SQL, never the other way round), so live traffic raises no false alarm.
   */
  const look = async (id: ItemId): Promise<Seen | undefined> => {
    for (let read = 0; read < READS; read += 1) {
      if (read > 0) await clock.sleep(20 * 2 ** read)
      const before = await inventory.stock(id)
      const holds = await inventory.holds(id)
      // Where Redis does not add up, events under way may be all that is left of some claims: they must have reached
      // SQL before SQL is read.
      const whole = before?.held === unitsOf(holds)
      if (!whole && (await inventory.unconfirmed(id)) > 0) continue
      const rows = await orders.forItem(id)
      const after = await inventory.stock(id)
      if (JSON.stringify(before) === JSON.stringify(after)) return { stock: before, holds, orders: rows }
    }
    return undefined
  }

  const repair = async (
    id: ItemId,
    { stock, holds, orders: rows }: Seen,
    found: Comparison,
    run_id: string | undefined,
  ) => {
    const product = await catalogue.product(id)
    const sale = product && (await catalogue.sale(product.sale_id))
    if (product === undefined || sale === undefined || run_id === undefined) return 'refused' as const
    const rowless = holds.filter(({ order_id }) => found.keep.has(order_id))
    const result = await inventory.rebuild({
      item_id: id,
      sale_id: product.sale_id,
      total: product.units,
      state: stock?.state ?? sale.state,
      opens_at: stock?.opens_at ?? sale.opens_at,
      ends_at: stock === undefined ? sale.ends_at : stock.ends_at,
      epoch: stock?.epoch ?? 0,
      seen: stock,
      run_id,
      seq: Math.max(stock?.seq ?? 0, found.seq),
      sold: found.sold,
      holds: [...found.pending.map(toHold), ...rowless],
      orders: rows
        .filter(({ status, order_id }) => status !== 'PENDING' && !found.keep.has(order_id))
        .map((order) => ({ ...order, quantity: order.status === 'PAID' ? order.quantity : 0 })),
    })
    if (result === 'rebuilt') return 'repaired' as const
    if (result === 'does_not_fit') return 'oversold' as const
    return result === 'moved_on' ? ('in_motion' as const) : ('refused' as const)
  }

  /** `sure`: everything that left the outboxes before `checkedOn` was met has been waited for. */
  const reconcile = async (
    id: ItemId,
    checkedOn: string | undefined,
    sure = false,
  ): Promise<Omit<ReconcileRun, 'item_id'>> => {
    const product = await catalogue.product(id)
    if (product === undefined)
      return { outcome: 'refused', drift: 0, report: { why: 'not in the catalogue' } }
    const makeSure = async () => {
      if (checkedOn !== undefined && (await inSql(checkedOn))) return reconcile(id, checkedOn, true)
      return { outcome: 'in_motion' as const, drift: 0, report: { why: 'events are on their way to SQL' } }
    }
    // Fenced, lost or damaged: Redis may have forgotten what SQL does not know yet.
    if (!sure && (await inventory.stock(id))?.run_id !== checkedOn) return makeSure()
    const seen = await look(id)
    if (seen === undefined)
      return { outcome: 'in_motion', drift: 0, report: { why: 'the stock kept moving' } }
    const { stock } = seen
    const found = compare({ units: product.units, ...seen })
    // Downward at once; upward only when nothing is on its way.
    if (!sure && found.drift < 0) return makeSure()
    const report = { stock: stock ?? null, sold: found.sold, pending: found.pending.length, ...found.counts }
    if (found.sold > product.units) return { outcome: 'oversold', drift: found.drift, report }
    if (found.matches && stock !== undefined) {
      if (stock.run_id === checkedOn) return { outcome: 'clean', drift: 0, report }
      const adopted = await inventory.adopt(id, stock.epoch, checkedOn)
      return { outcome: adopted === 'adopted' ? 'repaired' : 'in_motion', drift: 0, report }
    }
    return { outcome: await repair(id, seen, found, checkedOn), drift: found.drift, report }
  }

  const item = async (id: ItemId): Promise<ReconcileRun> => {
    // One item in trouble must not keep the others from being looked at.
    const outcome = await reconcile(id, runId(id)).catch((error: unknown) => {
      log.error({ err: error, item_id: id }, 'reconciling failed')
      const why = error instanceof Error ? error.message : String(error)
      return { outcome: 'refused' as const, drift: 0, report: { why } }
    })
    const run = { item_id: id, ...outcome }
    await store.insertRun(database, run)
    // Taking over an intact item after a restart is a matter of course; anything else somebody should look at.
    const ordinary = run.drift === 0 && (run.outcome === 'clean' || run.outcome === 'repaired')
    log[ordinary ? 'info' : 'warn'](run, 'reconciled')
    return run
  }

  return {
    item,
    all: async () => {
      const runs: ReconcileRun[] = []
      for (const { id } of await catalogue.products()) runs.push(await item(id))
      return runs
    },
    fenced: async () => {
      const fenced: ItemId[] = []
      for (const { id } of await catalogue.products()) {
        const current = runId(id)
        if (current !== undefined && (await inventory.stock(id))?.run_id !== current) fenced.push(id)
      }
      return fenced
    },
    runs: (max) => store.selectRuns(database, max),
  }
}

function toHold(order: Order): DueHold {
  return {
    order_id: order.order_id,
    user_id: order.user_id,
    quantity: order.quantity,
    deadline: order.hold_expires_at,
    claim_seq: order.claim_seq,
    created_at: order.claimed_at,
    pay_by: order.pay_by,
  }
}
