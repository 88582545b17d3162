import { randomUUID } from 'node:crypto'
import type { SaleId } from '../../contracts/ids.ts'
import type { LiveSample } from '../../contracts/live-http.ts'
import type { Catalogue, Sale } from '../../flow/catalogue/catalogue.ts'
import type { Inventory } from '../../flow/inventory/inventory.ts'
import { phaseOf, type WaitingRoom } from '../../flow/waiting-room/waiting-room.ts'
import type { Clock } from '../../platform/clock.ts'
import { forEachAtMost } from '../../platform/parallel.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Log } from '../../platform/telemetry.ts'
import { readCounts } from './counting.ts'
import { liveKeys } from './keys.ts'
import { isLongOver, isOver } from './lifetime.ts'
import type { Kept, Samples } from './samples.ts'
import type { Tallies } from './tallies.ts'

/** Whoever samples and does not come back is replaced after so long. */
const LEASE_MS = 3000
const AT_ONCE = 8

export interface SamplerParts {
  readonly redis: Pick<RedisConnection, 'commands' | 'runId'>
  readonly clock: Clock
  readonly catalogue: Pick<Catalogue, 'sales' | 'products'>
  readonly inventory: Pick<Inventory, 'stock'>
  readonly waitingRoom: Pick<WaitingRoom, 'lines'>
  readonly samples: Samples
  readonly tallies: Tallies
  readonly log: Log
}

export interface Sampler {
  /** One sample of each sale that is not long over, unless another process takes them. */
  round(): Promise<'sampled' | 'left'>
  /** A round each second, until the signal is aborted. What fails is missing and nothing else. */
  run(signal: AbortSignal): Promise<void>
}

export function createSampler(parts: SamplerParts): Sampler {
  const { redis, clock, catalogue, inventory, waitingRoom, samples, tallies, log } = parts
  const me = randomUUID()
  const known = new Map<SaleId, { last: Kept | undefined; over_at: number | undefined }>()

  const isMyTurn = async (): Promise<boolean> => {
    const { commands } = redis
    if ((await commands.set(liveKeys.sampler, me, 'PX', LEASE_MS, 'NX')) === 'OK') return true
    if ((await commands.get(liveKeys.sampler)) !== me) return false
    await commands.pexpire(liveKeys.sampler, LEASE_MS)
    return true
  }

  /** Since when it is over, as the first sampler saw it; 0 where nobody ever watched it. */
  const remember = async (sale: Sale, now: number) => {
    const before = known.get(sale.id) ?? { last: await samples.last(sale.id), over_at: undefined }
    const since = () => before.over_at ?? before.last?.over_at ?? (before.last === undefined ? 0 : now)
    const found = { ...before, over_at: isOver(sale, now) ? since() : undefined }
    known.set(sale.id, found)
    return found
  }

  const take = async (
    sale: Sale,
    at: number,
    last: LiveSample | undefined,
  ): Promise<LiveSample | undefined> => {
    const items = (await catalogue.products(sale.id)).map(({ id }) => id)
    const [lines, stocks, counts] = await Promise.all([
      waitingRoom.lines(sale.id),
      Promise.all(items.map((item) => inventory.stock(item))),
      readCounts(redis, sale.id),
    ])
    // Lost by Redis: it is put back in a moment.
    if (lines === undefined || stocks.includes(undefined)) return undefined
    const [main] = lines
    const units = stocks.flatMap((stock, index) => {
      if (stock === undefined) return []
      const { available, held, sold, total } = stock
      return { item_id: items[index] ?? '', available, held, sold, total }
    })
    const sum = <Of>(all: readonly Of[], what: (one: Of) => number) =>
      all.reduce((total, one) => total + what(one), 0)
    const stock = {
      available: sum(units, (one) => one.available),
      held: sum(units, (one) => one.held),
      sold: sum(units, (one) => one.sold),
      total: sum(units, (one) => one.total),
    }
    const none = { orders: { PENDING: 0, PAID: 0, FAILED: 0, failures: {} }, payments: {}, counted_at: null }
    const { orders, payments, counted_at } = tallies.counted(sale.id) ?? last ?? none
    return {
      at,
      phase: phaseOf(main, stock, sale),
      queue: {
        depth: sum(lines, ({ tail, serving }) => tail - serving),
        joined: sum(lines, ({ tail }) => tail),
        now_serving: main.serving,
        entered: sum(lines, ({ entered }) => entered),
        checkouts: main.in_checkout,
        checkout_cap: sale.checkout_cap,
        rate_per_second: main.rate,
      },
      items: units,
      claims: { ...counts.claims },
      ...{ orders, payments, counted_at },
      event_log: tallies.eventLog(new Set(items)),
      errors: counts.errors,
      requests: counts.requests,
    }
  }

  const round = async () => {
    if (redis.runId(liveKeys.sampler) === undefined || !(await isMyTurn())) return 'left'
    const now = clock.now()
    const at = Math.floor(now / 1000) * 1000
    const watched: Sale[] = []
    for (const sale of await catalogue.sales()) {
      const { over_at } = await remember(sale, now)
      if (over_at === undefined || !isLongOver(sale, over_at, now)) watched.push(sale)
    }
    tallies.ask(watched.map(({ id }) => id))
    const failures: unknown[] = []
    await forEachAtMost(AT_ONCE, watched, async (sale) => {
      try {
        const { last, over_at } = await remember(sale, now)
        const sample = await take(sale, at, last?.sample)
        if (sample === undefined) return
        await samples.add(sale.id, { sample, over_at })
        known.set(sale.id, { last: { sample, over_at }, over_at })
      } catch (error) {
        failures.push(error)
      }
    })
    if (failures.length > 0) throw failures[0]
    return 'sampled'
  }

  return {
    round,
    run: async (signal) => {
      let failing = false
      while (!signal.aborted) {
        try {
          await round()
          if (failing) log.info('samples of the sales are taken again')
          failing = false
        } catch (error) {
          // Once, not every second: what does not answer is told by others, too.
          if (!failing) log.warn({ err: error }, 'samples of the sales are not taken')
          failing = true
        }
        await clock.sleep(1000 - (clock.now() % 1000), signal)
      }
    },
  }
}
