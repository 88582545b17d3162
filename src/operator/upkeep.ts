import type { ItemId } from '../contracts/ids.ts'
import type { Catalogue } from '../flow/catalogue/catalogue.ts'
import type { Oversell } from '../flow/oversell/oversell.ts'
import type { Payments } from '../flow/payments/payments.ts'
import type { Reconcile } from '../flow/reconcile/reconcile.ts'
import type { Restock } from '../flow/restock/restock.ts'
import type { WaitingRoom } from '../flow/waiting-room/waiting-room.ts'
import type { Clock } from '../platform/clock.ts'
import { forEachAtMost } from '../platform/parallel.ts'
import type { RedisConnection } from '../platform/redis.ts'
import type { Log } from '../platform/telemetry.ts'
import { openWaitingRoom } from './commands.ts'

export interface UpkeepParts {
  readonly catalogue: Catalogue
  readonly waitingRoom: Pick<WaitingRoom, 'create' | 'steer' | 'keep'>
  readonly restock: Pick<Restock, 'sweep'>
  readonly payments: Pick<Payments, 'repair'>
  readonly reconcile: Reconcile
  readonly oversell: Pick<Oversell, 'approveAutomatic' | 'execute'>
  readonly redis: Pick<RedisConnection, 'runId'>
  readonly clock: Clock
  readonly log: Log
}

export interface UpkeepIntervals {
  readonly sweepIntervalS: number
  readonly reconcileIntervalS: number
}

/** Payments looked at in one round, per shard. */
const PAYMENTS = 500
/** How often the cleanup worker asks its own connection, which costs nothing, whether the server is another. */
const LOOK_MS = 20
/** Fenced items looked at together. */
const AT_ONCE = 8

/**
 * What goes on without anybody asking, until the signal is aborted: every sweep interval overdue orders and holds are
 * ended, fenced items looked at, and payments finished; every reconcile interval all items are compared with SQL.
 */
export async function keepClean(
  parts: UpkeepParts,
  { sweepIntervalS, reconcileIntervalS }: UpkeepIntervals,
  signal: AbortSignal,
): Promise<void> {
  const { redis, restock, payments, reconcile, oversell, clock, log } = parts
  const attempt = (what: string, work: () => Promise<unknown>) =>
    work().catch((error: unknown) => log.warn({ err: error, what }, 'failed; tried again'))
  const everySweep = async (
    work: () => Promise<void>,
    wait = () => clock.sleep(sweepIntervalS * 1000, signal),
  ) => {
    while (!signal.aborted) {
      await work()
      await wait()
    }
  }
  /** Until the next sweep, or a Redis server that is not the one there was: nothing sells until it has been looked at. */
  const sweepOrNewServer = async () => {
    const [before, until] = [redis.runId(), clock.now() + sweepIntervalS * 1000]
    const isNew = () => ![undefined, before].includes(redis.runId())
    while (!signal.aborted && clock.now() < until && !isNew()) await clock.sleep(LOOK_MS, signal)
  }

  let reconciledAt = clock.now()
  const leaveUntil = new Map<ItemId, number>()
  await Promise.all([
    everySweep(async () => {
      await attempt('sweep', () => restock.sweep())
      if (clock.now() - reconciledAt < reconcileIntervalS * 1000) return
      await attempt('reconcile', () => reconcile.all())
      await attempt('approve cancelling', () => oversell.approveAutomatic())
      reconciledAt = clock.now()
    }),
    // By itself: a fence may wait for the event log, and holds end meanwhile.
    everySweep(
      async () =>
        void (await attempt('lift fences', () => liftFences(parts, leaveUntil, reconcileIntervalS))),
      sweepOrNewServer,
    ),
    // By itself: places are marked every second, whatever else is slow.
    everySweep(async () => void (await attempt('keep waiting rooms', () => keepWaitingRooms(parts)))),
    everySweep(async () => void (await attempt('cancel oversold orders', () => oversell.execute()))),
    // By itself: a payment provider that hangs holds up nothing but payments.
    everySweep(async () => void (await attempt('repair payments', () => payments.repair(PAYMENTS)))),
  ])
}

/** Waiting rooms that Redis has lost are opened anew, from where they were. */
async function keepWaitingRooms({ catalogue, waitingRoom }: UpkeepParts): Promise<void> {
  await forEachAtMost(AT_ONCE, await catalogue.sales(), async (sale) => {
    if (!(await waitingRoom.keep(sale.id))) await openWaitingRoom({ catalogue, waitingRoom }, sale)
  })
}

/**
 * After a restart of Redis, or with an empty one: items are checked against SQL before they sell again. Never loaded
 * anew: what is sold and held is for reconciliation to know.
 */
async function liftFences(
  { reconcile, clock }: UpkeepParts,
  leaveUntil: Map<ItemId, number>,
  intervalS: number,
): Promise<void> {
  const fenced = await reconcile.fenced()
  if (fenced.length === 0) return
  const due = fenced.filter((item) => (leaveUntil.get(item) ?? 0) <= clock.now())
  await forEachAtMost(AT_ONCE, due, async (item) => {
    const outcome = await reconcile.item(item).then(
      (run) => run.outcome,
      () => 'refused',
    )
    // These wait for an operator; asking with every sweep would only fill the records.
    if (outcome === 'oversold' || outcome === 'refused') leaveUntil.set(item, clock.now() + intervalS * 1000)
  })
}
