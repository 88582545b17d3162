import type { ItemId } from '../../contracts/ids.ts'
import type { Clock } from '../../platform/clock.ts'
import { Unavailable } from '../../platform/errors.ts'
import type { Database } from '../../platform/postgres.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { EventLog } from '../events/events.ts'
import type { DueHold, Inventory } from '../inventory/inventory.ts'
import type { Order, Orders } from '../orders/orders.ts'
import * as sqlStore from './sql.ts'
import { createInSql } from './in-sql.ts'
import { createSplit } from './split.ts'
import type { Reconciled, Subject } from './subject.ts'
import type { RecordedRun } from './sql.ts'
import { compare, type Comparison, type Observed, surplus, takenIn, unitsOf } from './compare.ts'

export type { RecordedRun } from './sql.ts'
export type { ReconcileOutcome } from './subject.ts'
export { createDriftReport, type DriftReport } from './report.ts'

export interface ReconcileRun extends Reconciled {
  readonly item_id: ItemId
}

export interface Reconcile {
  /** Compares one item with SQL, repairs it, records the run. A second run right after is `clean`. */
  item(id: ItemId): Promise<ReconcileRun>
  /** Every item of the catalogue. */
  all(): Promise<ReconcileRun[]>
  /** Items that sell nothing because Redis is another process than the one they were checked on, or has lost them. */
  fenced(): Promise<ItemId[]>
  /** The latest runs first. */
  runs(max: number): Promise<RecordedRun[]>
  /** The latest run of each item. */
  latest(): Promise<RecordedRun[]>
}

/** The statements about runs. A model in memory stands in for them in the simulation. */
export type RunStore = Pick<typeof sqlStore, 'insertRun' | 'selectRuns' | 'selectLatest' | 'deleteOld'>

export interface ReconcileParts {
  readonly store?: RunStore
  readonly inventory: Inventory
  readonly orders: Orders
  readonly catalogue: Pick<Catalogue, 'product' | 'products' | 'sale' | 'stock' | 'units'>
  readonly database: Database
  /** The Redis server that has the item; undefined while it is away. */
  readonly runId: (item: ItemId) => string | undefined
  readonly eventLog: Pick<EventLog, 'drained'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Numbers that claims may have which Redis has lost and SQL has not got yet: a worker holds them. Skipped, so that no two
 * claims of an item have one number.
 */
const UNSEEN_CLAIMS = 10_000

/** How often an item whose stock moves while it is read is read again. */
const READS = 5
/** How long the records keep runs that found nothing, and how long all others. */
const KEEP_ORDINARY_S = 24 * 3600
const KEEP_S = 90 * 24 * 3600

export function createReconcile(parts: ReconcileParts): Reconcile {
  const { inventory, orders, catalogue, database, store = sqlStore, runId, clock, log } = parts
  const inSql = createInSql(parts)

  /**
   * Redis before, SQL, Redis after: where the two looks at Redis are the same, everything SQL said in between belongs
   * to that one state (Redis follows SQL, never the other way round), so live traffic raises no false alarm.
   *
   * Where it keeps moving, what must not be sold is stopped all the same: units that are not there any more are taken
   * back, and an item that certainly shows too many is fenced, which lets it come to rest.
   */
  const look = async (subject: Subject): Promise<(Observed & { taken_back: number }) | undefined> => {
    const { id, stocks } = subject
    let taken_back = 0
    for (let read = 0; read < READS; read += 1) {
      if (read > 0) await clock.sleep(20 * 2 ** read)
      const fixed = await subject.units?.()
      const first = await stocks.stock(id)
      if (first !== undefined && fixed !== undefined && first.total > fixed) await stocks.lower(id, fixed)
      const before = await stocks.stock(id)
      taken_back += Math.max(0, (first?.total ?? 0) - (before?.total ?? 0))
      const holds = await stocks.holds(id)
      // Where Redis does not add up, events under way may be all that is left of some claims: they must have reached
      // SQL before SQL is read.
      const whole = before?.held === unitsOf(holds)
      if (!whole && (await stocks.unconfirmed(id)) > 0) continue
      const rows = await subject.orders()
      const units = fixed ?? Math.max(before?.total ?? subject.left ?? 0, takenIn(rows, holds))
      const after = await stocks.stock(id)
      if (JSON.stringify(before) === JSON.stringify(after))
        return { units, stock: before, holds, orders: rows, taken_back }
      if (before !== undefined && before.run_id !== '' && surplus(units, before, rows) > 0)
        await stocks.fence(id, before.epoch)
    }
    return undefined
  }

  const repair = async (
    { id, stocks, heldBack = false, firstSeq = 0, links }: Subject,
    { units, stock, holds, orders: rows }: Observed,
    found: Comparison,
    run_id: string | undefined,
  ) => {
    const product = await catalogue.product(id)
    const sale = product && (await catalogue.sale(product.sale_id))
    if (product === undefined || sale === undefined || run_id === undefined) return 'refused' as const
    const rowless = holds.filter(({ order_id }) => found.keep.has(order_id))
    const result = await stocks.rebuild({
      item_id: id,
      sale_id: product.sale_id,
      // Where more is sold and promised than there is, everything stays as it was promised, and nothing is sold.
      total: units + found.excess,
      fenced: heldBack || found.excess > 0,
      links,
      state: stock?.state ?? sale.state,
      opens_at: stock?.opens_at ?? sale.opens_at,
      ends_at: stock === undefined ? sale.ends_at : stock.ends_at,
      epoch: stock?.epoch ?? 0,
      seen: stock,
      run_id,
      seq: Math.max(stock?.seq ?? firstSeq, found.seq) + (stock?.run_id === run_id ? 0 : UNSEEN_CLAIMS),
      sold: found.sold,
      holds: [...found.pending.map(toHold), ...rowless],
      orders: rows
        .filter(({ status, order_id }) => status !== 'PENDING' && !found.keep.has(order_id))
        .map((order) => ({ ...order, quantity: order.status === 'PAID' ? order.quantity : 0 })),
    })
    if (result === 'rebuilt') return found.excess > 0 ? ('oversold' as const) : ('repaired' as const)
    return result === 'moved_on' ? ('in_motion' as const) : ('refused' as const)
  }

  /** `sure`: everything that left the outboxes before `checkedOn` was met has been waited for. */
  const reconcile = async (
    subject: Subject,
    checkedOn: string | undefined,
    sure = false,
  ): Promise<Reconciled> => {
    const { id, stocks, heldBack = false } = subject
    const product = await catalogue.product(id)
    if (product === undefined)
      return { outcome: 'refused', drift: 0, report: { why: 'not in the catalogue' } }
    const makeSure = async () => {
      if (checkedOn !== undefined && (await inSql(checkedOn))) return reconcile(subject, checkedOn, true)
      return { outcome: 'in_motion' as const, drift: 0, report: { why: 'events are on their way to SQL' } }
    }
    // Fenced, lost or damaged: Redis may have forgotten what SQL does not know yet.
    if (!sure && (await stocks.stock(id))?.run_id !== checkedOn) return makeSure()
    const seen = await look(subject)
    if (seen === undefined)
      return { outcome: 'in_motion', drift: 0, report: { why: 'the stock kept moving' } }
    const { stock } = seen
    const found = compare(seen)
    // Downward at once; upward only when nothing is on its way.
    if (!sure && found.drift < 0) return makeSure()
    const report = {
      stock: stock ?? null,
      units: seen.units,
      sold: found.sold,
      pending: found.pending.length,
      oversold: found.oversold,
      ...found.counts,
    }
    if (found.matches && stock !== undefined) {
      const drift = seen.taken_back
      if (heldBack || found.excess > 0) {
        if (stock.run_id !== '') await stocks.fence(id, stock.epoch)
        return { outcome: 'oversold', drift, report }
      }
      if (stock.run_id === checkedOn) return { outcome: drift === 0 ? 'clean' : 'repaired', drift, report }
      const adopted = await stocks.adopt(id, stock.epoch, checkedOn)
      return { outcome: adopted === 'adopted' ? 'repaired' : 'in_motion', drift, report }
    }
    const drift = found.drift + seen.taken_back
    return { outcome: await repair(subject, seen, found, checkedOn), drift, report }
  }

  const units = (id: ItemId) => catalogue.units(id)
  const split = createSplit({ ...parts, units, inSql, reconcile })

  const compareItem = async (id: ItemId): Promise<Reconciled> => {
    const { parts: of = 1 } = (await catalogue.stock(id)) ?? {}
    if (of > 1) return split.item(id, of)
    const all = async () => (await units(id)) ?? 0
    return reconcile({ id, stocks: inventory, orders: () => orders.forItem(id), units: all }, runId(id))
  }

  const item = async (id: ItemId): Promise<ReconcileRun> => {
    // One item in trouble must not keep the others from being looked at.
    const outcome = await compareItem(id).catch((error: unknown) => {
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

  const isFenced = async (id: ItemId, current: string) => {
    try {
      return (await inventory.stock(id))?.run_id !== current
    } catch (error) {
      // Its server is not there yet. Those of other servers must not wait for it.
      if (error instanceof Unavailable) return false
      throw error
    }
  }

  return {
    item,
    all: async () => {
      const runs: ReconcileRun[] = []
      for (const { id } of await catalogue.products()) runs.push(await item(id))
      await store.deleteOld(database, KEEP_ORDINARY_S, KEEP_S)
      return runs
    },
    fenced: async () => {
      const fenced: ItemId[] = []
      for (const { id, stock_parts = 1 } of await catalogue.products()) {
        const current = runId(id)
        const found =
          stock_parts > 1 ? split.isFenced(id, stock_parts) : current !== undefined && isFenced(id, current)
        if (await found) fenced.push(id)
      }
      return fenced
    },
    runs: (max) => store.selectRuns(database, max),
    latest: () => store.selectLatest(database),
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
