import { connectShards } from '../src/platform/postgres.ts'
import { connectRedis } from '../src/platform/redis.ts'
import { isConnectionError, SettingError } from '../src/platform/errors.ts'
import { audit } from './audit/audit.ts'
import { collect } from './audit/collect.ts'
import { probe } from './audit/gather.ts'
import { startSampler } from './audit/sampler.ts'
import { runCrowd } from './crowd/crowd.ts'
import type { RushOptions } from './options.ts'
import { renderReport, reportOf } from './report.ts'
import { findTarget, type SaleInfo, type Target } from './target.ts'

export { readRushOptions, RUSH_FLAGS, type RushOptions } from './options.ts'

/** Ms between two readings of the stock in Redis, and between two of the public status. */
const SAMPLE_MS = 200

/**
 * Sends a crowd to the running system and prints a verdict read from the outside. Resolves with the exit code: 0 when
 * everything of the design's section 10 that could be checked held, 1 otherwise. `signal` cuts the run short.
 */
export async function rush(options: RushOptions, signal?: AbortSignal): Promise<number> {
  try {
    return await run(options, signal)
  } catch (error) {
    if (error instanceof SettingError) console.error(error.message)
    else if (isUnreachable(error)) console.error(`No verdict: the system can not be read (${String(error)})`)
    else throw error
    return 1
  }
}

/** `fetch` has words of its own for what the drivers call ECONNREFUSED. */
function isUnreachable(error: unknown): boolean {
  if (isConnectionError(error)) return true
  const { name, code } = error as { name?: unknown; code?: unknown }
  return name === 'TimeoutError' || code === 'ConnectionRefused' || code === 'ConnectionClosed'
}

async function run(options: RushOptions, signal: AbortSignal | undefined): Promise<number> {
  const target = await findTarget(options.dataDir)
  const sale =
    options.sale === undefined ? await createOwnSale(target, options) : await target.sale(options.sale)
  const items = sale.products.map((product) => product.id)
  const say = options.json ? console.error : console.log
  say(`${options.buyers} buyers go for sale ${sale.id} at ${target.run.urls.shop} (--seed ${options.seed})`)

  const redis = await connectRedis({ url: target.run.redis_url })
  const shards = connectShards(target.run.database_urls, { max: 2 })
  const sampler = startSampler(redis, items, SAMPLE_MS)
  try {
    const probes = await probe(target, sale)
    const started = performance.now()
    const crowd = await runCrowd(
      target,
      sale,
      { ...options, timeout: timeoutOf(options, sale.hold_s) },
      signal,
    )
    const seconds = (performance.now() - started) / 1000
    say('The crowd is gone; waiting until nothing is left to happen')
    const evidence = await collect({ target, sale, crowd, probes, sampler, redis, shards })
    const verdicts = audit(evidence)
    const { seed, buyers } = options
    const facts = { sale: sale.id, seed, buyers, seconds, profile: target.run.profile }
    const report = reportOf(facts, evidence, verdicts)
    say(renderReport(report, verdicts))
    if (options.json) console.log(JSON.stringify(report))
    return report.broken.length === 0 ? 0 : 1
  } finally {
    await sampler.stop()
    await Promise.all([redis.close(), shards.close()])
  }
}

/** Seconds: enough for units to come back twice. */
function timeoutOf({ timeout }: RushOptions, holdS: number): number {
  return timeout ?? Math.max(180, 3 * holdS)
}

/** One item, open at once, short windows, and passes that outlast the run. */
/** The whole crowd comes from one address, and this machine would solve the proof of work of every browser. */
const NO_GUARD = {
  proof_of_work: { on: false },
  limits: { on: false },
  risk: { on: false },
  captcha: { on: false },
}

async function createOwnSale(target: Target, options: RushOptions): Promise<SaleInfo> {
  const id = `rush-${Date.now().toString(36)}-${options.seed.toString(36)}`
  return target.createSale({
    id,
    name: 'Rush',
    rate_per_second: options.rate,
    payment_window_s: options.payWindow,
    hold_s: options.hold,
    pass_s: timeoutOf(options, options.hold) + 60,
    guard: NO_GUARD,
    reason: 'a simulated crowd (npm run rush)',
    products: [
      { id, name: 'Rush unit', amount: 4999, currency: 'EUR', units: options.units, per_buyer_limit: 1 },
    ],
  })
}
