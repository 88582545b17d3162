import { connectShards } from '../src/platform/shards/shards.ts'
import { connectRedis } from '../src/platform/redis.ts'
import { isConnectionError, SettingError } from '../src/platform/errors.ts'
import { audit } from './audit/audit.ts'
import { collect } from './audit/collect.ts'
import { probe } from './audit/gather.ts'
import { startEventTap } from './audit/event-tap.ts'
import { startSampler } from './audit/sampler.ts'
import { runCrowd } from './crowd/crowd.ts'
import type { RushOptions } from './options.ts'
import { renderReport, reportOf } from './report.ts'
import { compareBots, type Judged, renderBots, shareOfBots } from './bots-report.ts'
import { createOwnSale, openToCrowd, HASHES, SCALED_GUARD, timeoutOf } from './own-sale.ts'
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
  const say = options.json ? console.error : console.log
  const tell = (report: { readonly broken: readonly string[] }) => {
    if (options.json) console.log(JSON.stringify(report))
    return report.broken.length === 0 ? 0 : 1
  }
  if (options.bots === 0) {
    const sale =
      options.sale === undefined
        ? await createOwnSale(target, options)
        : await openToCrowd(target, options.sale, say)
    return tell((await judge({ target, options, say, signal }, sale)).report)
  }
  if (target.run.trusted_proxies !== 1)
    throw new SettingError(
      '--bots gives each buyer an address in X-Forwarded-For: start the system with TRUSTED_PROXIES=1',
    )
  say('The same crowd twice: first without the guard')
  const unguarded = await judge({ target, options, say, signal }, await createOwnSale(target, options))
  say('Now with the guard')
  const sale = await createOwnSale(target, options, SCALED_GUARD)
  const guarded = await judge({ target, options, say, signal, hashes: HASHES }, sale)
  const both = compareBots(unguarded, guarded)
  say(renderBots(both))
  return tell(both)
}

interface Run {
  readonly target: Target
  readonly options: RushOptions
  readonly say: (text: string) => void
  readonly signal: AbortSignal | undefined
  /** Difficulty of the sale's proof of work; undefined: it asks for none. */
  readonly hashes?: number
}

/** Sends the crowd to one sale and judges what came of it. */
async function judge({ target, options, say, signal, hashes }: Run, sale: SaleInfo): Promise<Judged> {
  say(`${options.buyers} buyers go for sale ${sale.id} at ${target.run.urls.shop} (--seed ${options.seed})`)
  const redis = await connectRedis({ url: target.run.redis_url })
  const shards = connectShards(target.run.database_urls, { max: 2 })
  const sampler = startSampler(redis, sale.products, SAMPLE_MS)
  const tap = await startEventTap(redis, sale.products)
  try {
    const probes = await probe(target, sale)
    const started = performance.now()
    const timeout = timeoutOf(options, sale.hold_s)
    const crowd = await runCrowd(
      target,
      sale,
      { ...options, timeout, ...(hashes === undefined ? {} : { hashes }) },
      signal,
    )
    const seconds = (performance.now() - started) / 1000
    say('The crowd is gone; waiting until nothing is left to happen')
    const evidence = await collect({ target, sale, crowd, probes, sampler, tap, redis, shards })
    const verdicts = audit(evidence)
    const { seed, buyers } = options
    const facts = { sale: sale.id, seed, buyers, seconds, profile: target.run.profile }
    const report = reportOf(facts, evidence, verdicts)
    say(renderReport(report, verdicts))
    return { report, share: shareOfBots(evidence) }
  } finally {
    await Promise.all([sampler.stop(), tap.stop()])
    await Promise.all([redis.close(), shards.close()])
  }
}
