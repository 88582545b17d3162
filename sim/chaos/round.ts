import { connectShards } from '../../src/platform/shards/shards.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { audit, type Verdict } from '../audit/audit.ts'
import { collect } from '../audit/collect.ts'
import type { Evidence as AuditEvidence } from '../audit/evidence.ts'
import { probe, readOrders } from '../audit/gather.ts'
import { startEventTap } from '../audit/event-tap.ts'
import { startSampler } from '../audit/sampler.ts'
import { now, sleep } from '../clock.ts'
import { comeBack } from '../crowd/coming-back.ts'
import { runCrowd } from '../crowd/crowd.ts'
import { NO_GUARD } from '../own-sale.ts'
import { randomOf } from '../random.ts'
import type { SaleInfo } from '../target.ts'
import type { Evidence } from './fault.ts'
import type { PlannedRound } from './plan.ts'
import type { World } from './world.ts'

export interface RoundOptions {
  readonly buyers: number
  readonly units: number
  /** Seconds in which the crowd goes on arriving after the fault has healed. */
  readonly seconds: number
}

export interface Round {
  readonly planned: PlannedRound
  readonly sale: SaleInfo
  readonly fired: Evidence
  readonly verdicts: readonly Verdict[]
  readonly evidence: AuditEvidence
  /** Seconds from the healing to the first yes to somebody who asked after it; undefined: there was none. */
  readonly sellingAgainS: number | undefined
  /** Seconds from the healing until all claims of before were decided, their units and money where they belong. */
  readonly terminalS: number | undefined
}

const SAMPLE_MS = 200
const CROWD_TIMEOUT_S = 90
/** Until every web process knows a new sale. */
const KNOWN_MS = 1200
const AWAY_MS = 2000

/** A sale of its own, a crowd, one fault in its middle, and the verdict once nothing is left to happen. */
export async function runRound(world: World, planned: PlannedRound, options: RoundOptions): Promise<Round> {
  const { target } = world
  const { fault, seed, injectAtS, lastsS } = planned
  const random = randomOf(seed, 'fault')
  const undo = await fault.prepare?.(world, random)
  const sale = await target.createSale(newSale(`chaos-${fault.name}-${seed.toString(36)}`, options))
  // Another web process reads the catalogue anew once a second.
  await sleep(KNOWN_MS)
  const redis = await connectRedis({ url: target.run.redis_url })
  const shards = connectShards(target.run.database_urls, { max: 2 })
  const sampler = startSampler(redis, sale.products, SAMPLE_MS)
  const tap = await startEventTap(redis, sale.products)
  try {
    const probes = await probe(target, sale)
    const spread = injectAtS + lastsS + options.seconds
    const habits = {
      rush: 0.4,
      greedy: 0.05,
      impatient: 0.08,
      losesAnswer: 0.03,
      cancels: 0.3,
      ...fault.habits,
    }
    const leaving = runCrowd(target, sale, {
      ...{ buyers: options.buyers, bots: 0, pay: 0.8, spread, seed, connections: 128, habits },
      ...{ timeout: spread + CROWD_TIMEOUT_S, silent: true },
    })
    await sleep(injectAtS * 1000)
    const injectedAt = now()
    const injected = await fault.inject(world, random, sale.id)
    await sleep(lastsS * 1000)
    await injected.heal()
    const healedAt = now()
    const crowd = await leaving
    const fired = await injected.evidence()
    await comeBack(target, sale, crowd, () => readOrders(shards, sale.id))
    const outage = { from: injectedAt, to: healedAt + AWAY_MS }
    const evidence = await collect({ target, sale, crowd, probes, sampler, tap, redis, shards, outage })
    const times = { sellingAgainS: sellingAgain(evidence, healedAt), terminalS: terminal(evidence, healedAt) }
    return { planned, sale, fired, evidence, verdicts: audit(evidence), ...times }
  } finally {
    await Promise.all([sampler.stop(), tap.stop()])
    await Promise.all([redis.close(), shards.close()])
    await undo?.()
  }
}

function newSale(id: string, { buyers, units }: RoundOptions) {
  return {
    ...{ id, name: id, rate_per_second: Math.max(5, buyers / 8), guard: NO_GUARD, reason: 'npm run chaos' },
    ...{ payment_window_s: 5, hold_s: 12, pass_s: 300 },
    products: [{ id, name: id, amount: 4999, currency: 'EUR', units, per_buyer_limit: 2 }],
  }
}

function sellingAgain({ history }: AuditEvidence, healedAt: number): number | undefined {
  const answers = history.claims.flatMap(({ sent, answered, order_id }) =>
    sent > healedAt && order_id !== undefined ? [answered] : [],
  )
  return answers.length === 0 ? undefined : (Math.min(...answers) - healedAt) / 1000
}

function terminal({ orders }: AuditEvidence, healedAt: number): number | undefined {
  const before = orders.filter(({ claimed_at }) => claimed_at < healedAt)
  const ends = before.map(({ paid_at, failed_at, restocked_at }) => restocked_at ?? failed_at ?? paid_at)
  if (ends.some((end) => end === null)) return undefined
  return Math.max(0, Math.max(...ends.map((end) => end ?? 0)) - healedAt) / 1000
}
