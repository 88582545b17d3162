import type { Application } from './app.ts'
import { systemClock } from './platform/clock.ts'
import type { App } from './platform/http.ts'
import type { Database } from './platform/postgres.ts'

async function measureLines({ catalogue, waitingRoom, metrics }: Application): Promise<void> {
  for (const { id: sale, state } of await catalogue.sales()) {
    const line = state === 'ended' ? undefined : await waitingRoom.line(sale)
    if (line === undefined) continue
    metrics.waiting.set({ sale }, line.tail - line.serving)
    metrics.inCheckout.set({ sale }, line.in_checkout)
    metrics.noShowRatio.set({ sale }, 1 - line.show)
  }
}

async function measureDrift({ reconcile, metrics }: Application): Promise<void> {
  for (const { item_id: item, drift, report } of await reconcile.latest()) {
    metrics.drift.set({ item }, drift)
    metrics.oversold.set({ item }, Number(report['oversold'] ?? 0))
  }
}

async function measureBacklog({ eventLog, metrics }: Application): Promise<void> {
  const { items, consumer_lag } = await eventLog.inspect()
  metrics.backlog.set(items.reduce((sum, { outbox }) => sum + outbox, 0))
  metrics.oldestEvent.set(Math.max(0, ...items.map(({ oldest_s }) => oldest_s ?? 0)))
  metrics.consumerLag.set(consumer_lag ?? NaN)
}

/** Longest wait for a database before it counts as away; whoever asks whether we are ready does not wait longer. */
const ANSWER_MS = 1000
/** So many of each shard are counted. */
const UNFUNDED = 1000

const answers = (database: Database): Promise<boolean> =>
  Promise.race([
    database.query('select 1').then(
      () => true,
      () => false,
    ),
    systemClock.sleep(ANSWER_MS).then(() => false),
  ])

/** `/healthz`, `/readyz` and `/metrics`, the same on every host and of every process. */
export function healthRoutes(host: Pick<App, 'get'>, app: Application, stopping: AbortSignal) {
  const { redis, shards, metrics, catalogue, notices } = app
  host.get('/healthz', (c) => c.text('ok'))
  host.get('/readyz', async (c) => {
    const [up, catalogueKnown] = await Promise.all([
      Promise.all(shards.all.map(answers)),
      catalogue.sales().then(
        () => true,
        () => false,
      ),
    ])
    const redisUp = redis.runId() !== undefined
    // Places and claims need Redis and what is sold; a database that is away costs its own buyers and nobody else.
    const ready = redisUp && catalogueKnown && !stopping.aborted
    const degraded = up.includes(false)
    const checks = { redis: redisUp, sql: up.includes(true), shards: up, stopping: stopping.aborted }
    return c.json({ ready, degraded, ...checks }, ready ? 200 : 503)
  })
  host.get('/metrics', async (c) => {
    metrics.pressure.set(app.shedding.pressure())
    await measureBacklog(app).catch(() => metrics.backlog.set(NaN))
    await app.payments.unfunded(UNFUNDED).then(
      (orders) => metrics.unfunded.set(orders.length),
      () => metrics.unfunded.set(NaN),
    )
    const { due, dead } = await notices.backlog()
    metrics.notices.set({ state: 'due' }, due)
    metrics.notices.set({ state: 'dead' }, dead)
    await measureLines(app).catch(() => undefined)
    await measureDrift(app).catch(() => undefined)
    return c.body(await metrics.registry.metrics(), 200, { 'Content-Type': metrics.registry.contentType })
  })
}
