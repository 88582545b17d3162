import type { Catalogue } from '../flow/catalogue/catalogue.ts'
import type { Inventory } from '../flow/inventory/inventory.ts'
import type { Reconcile } from '../flow/reconcile/reconcile.ts'
import type { Restock } from '../flow/restock/restock.ts'
import type { WaitingRoom } from '../flow/waiting-room/waiting-room.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/telemetry.ts'
import { furnish } from './commands.ts'

export interface UpkeepParts {
  readonly catalogue: Catalogue
  readonly inventory: Inventory
  readonly waitingRoom: WaitingRoom
  readonly restock: Restock
  readonly reconcile: Reconcile
  readonly clock: Clock
  readonly log: Log
}

export interface UpkeepIntervals {
  readonly sweepIntervalS: number
  readonly reconcileIntervalS: number
}

/**
 * What goes on without anybody asking, until the signal is aborted: every sweep interval overdue orders and holds are
 * ended and fenced items looked at; every reconcile interval all items are compared with SQL.
 */
export async function keepClean(
  parts: UpkeepParts,
  { sweepIntervalS, reconcileIntervalS }: UpkeepIntervals,
  signal: AbortSignal,
): Promise<void> {
  const { restock, reconcile, clock, log } = parts
  const attempt = (what: string, work: () => Promise<unknown>) =>
    work().catch((error: unknown) => log.warn({ err: error, what }, 'failed; tried again'))

  let reconciledAt = clock.now()
  while (!signal.aborted) {
    await attempt('lift fences', () => liftFences(parts))
    await attempt('sweep', () => restock.sweep())
    if (clock.now() - reconciledAt >= reconcileIntervalS * 1000) {
      await attempt('reconcile', () => reconcile.all())
      reconciledAt = clock.now()
    }
    await clock.sleep(sweepIntervalS * 1000, signal)
  }
}

/** After a restart of Redis, or with an empty one: items are checked against SQL before they sell again. */
async function liftFences({ catalogue, inventory, waitingRoom, reconcile }: UpkeepParts): Promise<void> {
  const fenced = await reconcile.fenced()
  if (fenced.length === 0) return
  for (const item of fenced) await reconcile.item(item)
  for (const sale of await catalogue.sales())
    await furnish({ inventory, waitingRoom }, sale, await catalogue.products(sale.id))
}
