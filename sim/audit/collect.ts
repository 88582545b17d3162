import type { Shards } from '../../src/platform/postgres.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import type { CrowdResult } from '../crowd/crowd.ts'
import type { SaleInfo, Target } from '../target.ts'
import type { Evidence, Probe } from './evidence.ts'
import type { EventTap } from './event-tap.ts'
import {
  countEntered,
  highestRate,
  readActive,
  readLedger,
  readLog,
  readOrders,
  readPeak,
  readWebhooks,
} from './gather.ts'
import { readStock, type Sampler } from './sampler.ts'
import { isUnknown } from './unknown.ts'
import { isSettled, untilSettled } from './settle.ts'

export interface Sources {
  readonly target: Target
  readonly sale: SaleInfo
  readonly crowd: CrowdResult
  readonly probes: readonly Probe[]
  readonly sampler: Sampler
  readonly tap: EventTap
  readonly redis: RedisConnection
  readonly shards: Shards
  /** When a part of the system was away: holds may outlive their deadline by so much more. */
  readonly outage?: { readonly from: number; readonly to: number }
}

/** One sweep of the cleanup worker, and the restart of one that was killed. */
const LATE_MS = 500 + 5000
const STALE_MS = 1000
/** One admission an idle line saves up, and one for reading a fraction as a whole number. */
const TURN_BURST = 2
/** Beyond the last hold's deadline. */
const SETTLE_MS = 30_000

/** Waits until nothing is left to happen, within bounds, and puts the evidence together. */
export async function collect(sources: Sources): Promise<Evidence> {
  const { target, sale, crowd, probes, sampler, tap, redis, shards, outage } = sources
  const items = sale.products.map((product) => product.id)
  // An order that is lost for good is never waited for: the auditor says so.
  const answers = new Map(crowd.history.receipts.map(({ order_id, outcome }) => [order_id, outcome]))
  const gone = new Set(
    [...answers].flatMap(([id, last]) => (last === 'restored' || isUnknown(last) ? [] : id)),
  )
  const told = new Set(crowd.history.claims.flatMap(({ order_id: id }) => (id && !gone.has(id) ? id : [])))

  const end = await untilSettled(
    async () => {
      const orders = await readOrders(shards, sale.id)
      const [ledger, stock] = await Promise.all([
        readLedger(target, new Set([...told, ...orders.map((order) => order.order_id)])),
        readStock(redis, sale.products),
      ])
      return { settled: isSettled({ orders, ledger, stock: [stock] }, told), value: { orders, ledger } }
    },
    sale.hold_s * 1000 + SETTLE_MS,
  )
  await Promise.all([sampler.stop(), tap.stop()])
  const ids = new Set([...told, ...end.orders.map((order) => order.order_id)])

  return {
    ...end,
    sale: {
      id: sale.id,
      rate_per_second: Math.max(sale.rate_per_second, await highestRate(shards, sale.id)),
      pass_s: sale.pass_s,
      items: sale.products.map(({ id, units, per_buyer_limit, amount }) => ({
        id,
        units,
        per_buyer_limit,
        amount,
      })),
    },
    history: crowd.history,
    statuses: crowd.statuses,
    stock: sampler.samples,
    active: await readActive(redis, sale.products),
    events: tap.events,
    log: await readLog(target, items),
    webhooks: await readWebhooks(target, shards, ids),
    outage,
    probes,
    entered: await countEntered(redis, sale.id),
    peak: await readPeak(redis, sale.id),
    bots: crowd.bots,
    limits: {
      lateMs: LATE_MS + (outage === undefined ? 0 : outage.to - outage.from),
      staleMs: STALE_MS,
      turnBurst: TURN_BURST,
    },
  }
}
