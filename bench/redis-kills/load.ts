/**
 * The buyers of `bench/redis-kills.ts`, in a process of their own: claims at a steady rate until standard input ends, each
 * asked again with its own id while the outcome is unknown. Then one JSON line: what was acknowledged, and when.
 */
import { v7 as uuidv7 } from 'uuid'
import { type ClaimOutcome, createInventory, InventoryUnknown } from '../../src/flow/inventory/inventory.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { connectRedis } from '../../src/platform/redis.ts'

export interface LoadOptions {
  readonly redisUrl: string
  readonly perSecond: number
  /** Never sold out: half of the claims, so that something always sells. */
  readonly plenty: string
  /** Each of few units; the other half goes for the first that is not sold out yet. */
  readonly scarce: readonly string[]
}

export interface LoadReport {
  readonly asked: number
  /** Answers that were lost; each was asked for again. */
  readonly unknown: number
  /** Not sent, refused, or fenced; asked again too. */
  readonly away: number
  /** Of the lost answers, those that turned out to be a yes. */
  readonly found: number
  /** Nobody told these anything before the end. */
  readonly open: number
  readonly acknowledged: readonly Acknowledged[]
}

export interface Acknowledged {
  readonly order: string
  readonly item: string
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly at: number
  /** Taken by this very answer, rather than told again. */
  readonly fresh: boolean
}

const PATIENCE_MS = 30_000
const MOST_BUYERS = 4000

async function load({ redisUrl, perSecond, plenty, scarce }: LoadOptions, stop: AbortSignal) {
  const redis = await connectRedis({ url: redisUrl })
  const inventory = createInventory({ redis })
  const acknowledged: Acknowledged[] = []
  const counts = { asked: 0, unknown: 0, away: 0, found: 0, open: 0 }
  let current = 0

  const ask = async (item_id: string, order_id: string): Promise<ClaimOutcome | 'unknown' | 'away'> => {
    const claim = { item_id, order_id, user_id: `buyer-${order_id}`, quantity: 1, limit: 1 }
    const terms = { amount: 1999, currency: 'EUR', hold_ms: 3_600_000, pay_ms: 3_600_000 }
    return inventory
      .claim({ ...claim, ...terms })
      .catch((error: unknown) => (error instanceof InventoryUnknown ? 'unknown' : 'away'))
  }
  const buy = async (item: string) => {
    const order = uuidv7()
    let lost = false
    counts.asked += 1
    for (const deadline = systemClock.now() + PATIENCE_MS; systemClock.now() < deadline;) {
      const outcome = await ask(item, order)
      if (outcome === 'unknown' || outcome === 'away') counts[outcome] += 1
      else if (outcome.kind === 'reserved' || outcome.kind === 'repeated') {
        const fresh = outcome.kind === 'reserved'
        if (lost && !fresh) counts.found += 1
        acknowledged.push({ order, item, at: systemClock.now(), fresh })
        return
      } else if (outcome.kind !== 'fenced') {
        if (item === scarce[current] && outcome.kind !== 'unloaded') current += 1
        return
      } else counts.away += 1
      lost ||= outcome === 'unknown'
      // As the shop's Retry-After asks: scattered.
      await systemClock.sleep(1000 + 2000 * Math.random())
    }
    counts.open += 1
  }

  const buying = new Set<Promise<void>>()
  const started = systemClock.now()
  for (let next = 0; !stop.aborted; await systemClock.sleep(2)) {
    for (const due = ((systemClock.now() - started) * perSecond) / 1000; next < due; next += 1) {
      // As the waiting room does: those who wait for an answer are bounded.
      if (buying.size >= MOST_BUYERS) continue
      const one = buy(next % 2 === 0 ? plenty : (scarce[current] ?? plenty))
      buying.add(one)
      void one.finally(() => buying.delete(one))
    }
  }
  await Promise.all(buying)
  await redis.close()
  return { ...counts, acknowledged } satisfies LoadReport
}

if (import.meta.main) {
  const stop = new AbortController()
  process.stdin.on('end', () => stop.abort()).resume()
  const report = await load(JSON.parse(process.argv[2] ?? '') as LoadOptions, stop.signal)
  process.stdout.write(`${JSON.stringify(report)}\n`)
}
