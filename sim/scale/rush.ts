import { SettingError } from '../../src/platform/errors.ts'
import type { Shards } from '../../src/platform/postgres.ts'
import { connectShards } from '../../src/platform/shards/shards.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { orAborted } from '../../src/platform/shutdown.ts'
import { audit } from '../audit/audit.ts'
import { collect } from '../audit/collect.ts'
import { startEventTap } from '../audit/event-tap.ts'
import type { Evidence } from '../audit/evidence.ts'
import { probe, readOrders } from '../audit/gather.ts'
import { startSampler } from '../audit/sampler.ts'
import { now, sleep } from '../clock.ts'
import { comeBack } from '../crowd/coming-back.ts'
import { runCrowd } from '../crowd/crowd.ts'
import { NO_GUARD } from '../own-sale.ts'
import type { Target } from '../target.ts'
import type { ScaleOptions } from './options.ts'
import type { Step } from './report.ts'

/** Does something to the system and waits until it has its effect; kept as a step. */
export type Do = <T>(what: string, work: () => Promise<T>) => Promise<T>

const SAMPLE_MS = 200
/** Until every web process knows a new sale. */
const KNOWN_MS = 1200
/** After the last buyer's arrival. */
const CROWD_TIMEOUT_S = 90

/**
 * A sale of its own and a crowd; `meanwhile` works on the system while it buys. Judged when nothing is left to happen. Where
 * `meanwhile` throws, or `signal` is aborted, the crowd is sent home and nothing is judged. It answers when a part of the
 * system was away.
 */
export async function rushWhile(
  target: Target,
  options: ScaleOptions,
  say: (text: string) => void,
  meanwhile: (step: Do, sale: string) => Promise<Evidence['outage'] | void>,
  signal?: AbortSignal,
  product: { readonly stock_parts?: number } = {},
): Promise<{ steps: readonly Step[]; evidence: Evidence; verdicts: ReturnType<typeof audit> }> {
  const { buyers, units, seed, seconds } = options
  const id = `scale-${seed.toString(36)}`
  const sale = await target.createSale({
    ...{ id, name: id, rate_per_second: Math.max(5, buyers / 8), guard: NO_GUARD, reason: 'npm run scale' },
    ...{ payment_window_s: 6, hold_s: 30, pass_s: 600 },
    products: [{ id, name: id, amount: 4999, currency: 'EUR', units, per_buyer_limit: 2, ...product }],
  })
  await sleep(KNOWN_MS)
  const redis = await connectRedis({ url: target.run.redis_url })
  const sampler = startSampler(redis, sale.products, SAMPLE_MS)
  const tap = await startEventTap(redis, sale.products)
  /** Opened each time: there may be more servers than a moment ago. */
  const withShards = async <T>(work: (shards: Shards) => Promise<T>): Promise<T> => {
    const shards = connectShards(target.run.database_urls, { max: 2 })
    return work(shards).finally(() => shards.close())
  }
  const countOrders = () => withShards(async (shards) => (await readOrders(shards, id)).length)
  try {
    const probes = await probe(target, sale)
    const steps: Step[] = []
    const setOut = now()
    say(`${buyers} buyers go for ${units} units within ${seconds} s (--seed ${seed})`)
    const home = new AbortController()
    const habits = { rush: 0.3, greedy: 0.05, cancels: 0.3 }
    const leaving = runCrowd(
      target,
      sale,
      {
        ...{ buyers, bots: 0, pay: 0.8, spread: seconds, seed, connections: 128, silent: true, habits },
        timeout: seconds + CROWD_TIMEOUT_S,
      },
      home.signal,
    )
    const step: Do = async (what, work) => {
      const [began, before] = [now(), await countOrders()]
      const result = await work()
      const took = (now() - began) / 1000
      const orders = (await countOrders()) - before
      steps.push({ what, at: (began - setOut) / 1000, took, orders })
      say(
        `  ${((began - setOut) / 1000).toFixed(1)} s: ${what}: ${took.toFixed(2)} s, ${orders} orders meanwhile`,
      )
      return result
    }
    const all = Promise.all([leaving, meanwhile(step, id)])
    const done = await (signal === undefined ? all : orAborted(all, signal)).finally(() => home.abort())
    if (done === undefined) throw new SettingError('Stopped before it was done')
    const [crowd, outage] = done
    say('The crowd is gone; waiting until nothing is left to happen')
    // What a part that was emptied had promised and SQL had not, only the receipts know.
    if (outage !== undefined)
      await comeBack(target, sale, crowd, () => withShards((shards) => readOrders(shards, id)))
    const evidence = await withShards((shards) =>
      collect({
        ...{ target, sale, crowd, probes, sampler, tap, redis, shards },
        ...(outage === undefined ? {} : { outage }),
      }),
    )
    return { steps, evidence, verdicts: audit(evidence) }
  } finally {
    await Promise.all([sampler.stop(), tap.stop()])
    await redis.close()
  }
}
