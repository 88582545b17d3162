import type { ItemId } from '../../contracts/ids.ts'
import type { OrderStatus } from '../../contracts/orders.ts'
import type { Database } from '../../platform/postgres.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { EventLog } from '../events/events.ts'
import type { Inventory } from '../inventory/inventory.ts'
import type { Orders } from '../orders/orders.ts'
import { unitsOf } from './compare.ts'
import { type RecordedRun, selectLatest, selectTrouble } from './sql.ts'

/** What each place says of one item right now, and what reconciliation has found and done. Times in ms. */
export interface DriftReport {
  readonly item_id: ItemId
  readonly units: number
  readonly sql: Readonly<Record<OrderStatus, { readonly orders: number; readonly units: number }>>
  /** null: the item is not loaded, or can not be read. */
  readonly redis: {
    readonly total: number
    readonly available: number
    readonly held: number
    readonly sold: number
    readonly holds: { readonly orders: number; readonly units: number }
    /** Nothing is claimed until reconciliation has lifted the fence. */
    readonly fenced: boolean
  } | null
  /** Events of the item that SQL has not confirmed. */
  readonly outbox: number
  /** All events on their way to SQL, of every item, and those of this one that were set aside. */
  readonly event_log: { readonly backlog: number; readonly dead_letters: number }
  /**
   * Units Redis shows too many (+) or too few (-) beside SQL, at a glance: what is under way shows here too. The runs
   * say what is certain.
   */
  readonly drift: number
  /** Units PAID and PENDING in SQL beyond those there are. */
  readonly oversold: number
  readonly last_run: RecordedRun | null
  readonly last_repair: RecordedRun | null
  /** When the trouble that is there now was first found; null: the last run was clean, or there was none. */
  readonly since: number | null
}

export interface DriftReportParts {
  readonly inventory: Pick<Inventory, 'stock' | 'holds' | 'unconfirmed'>
  readonly orders: Pick<Orders, 'count'>
  readonly catalogue: Pick<Catalogue, 'units'>
  readonly eventLog: Pick<EventLog, 'backlog' | 'deadLetters'>
  readonly database: Database
  /** The Redis server that has the item. */
  readonly runId: (item: ItemId) => string | undefined
}

const DEAD_LETTERS = 10_000

/** Undefined where the catalogue has no such item. */
export function createDriftReport(parts: DriftReportParts) {
  const { inventory, orders, catalogue, eventLog, database, runId } = parts
  return async (item: ItemId): Promise<DriftReport | undefined> => {
    const units = await catalogue.units(item)
    if (units === undefined) return undefined
    const [sql, stock, holds, outbox, backlog, letters, [latest], trouble] = await Promise.all([
      orders.count(item),
      inventory.stock(item),
      inventory.holds(item),
      inventory.unconfirmed(item),
      eventLog.backlog(),
      eventLog.deadLetters(DEAD_LETTERS),
      selectLatest(database, item),
      selectTrouble(database, item),
    ])
    const left = units - sql.PAID.units - sql.PENDING.units
    return {
      item_id: item,
      units,
      sql,
      redis:
        stock === undefined
          ? null
          : {
              total: stock.total,
              available: stock.available,
              held: stock.held,
              sold: stock.sold,
              holds: { orders: holds.length, units: unitsOf(holds) },
              fenced: stock.run_id !== runId(item),
            },
      outbox,
      event_log: { backlog, dead_letters: letters.filter(({ item_id }) => item_id === item).length },
      drift: stock === undefined ? 0 : stock.available - Math.max(0, left),
      oversold: Math.max(0, -left),
      last_run: latest ?? null,
      last_repair: trouble.repaired ?? null,
      since: trouble.since,
    }
  }
}
