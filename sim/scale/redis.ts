import { join } from 'node:path'
import { partIndexOf, partsOf } from '../../src/contracts/parts.ts'
import {
  createInventory,
  type Inventory,
  itemKeys,
  ITEMS_KEY,
  partOwner,
} from '../../src/flow/inventory/inventory.ts'
import { SettingError } from '../../src/platform/errors.ts'
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts'
import {
  type RedisCluster,
  type RedisNode,
  startRedisCluster,
} from '../../src/platform/servers/redis-cluster.ts'
import { now, sleep } from '../clock.ts'
import type { Evidence } from '../audit/evidence.ts'
import { claimRates } from './claim-rates.ts'
import type { ScaleOptions } from './options.ts'
import type { Finding, ScaleResult } from './report.ts'
import { type Do, rushWhile } from './rush.ts'
import type { ScaleParts } from './scale.ts'
import { openFolder, removeFolder, startSystem, type System } from './system.ts'

/** Masters, and parts of the hot item: one on each. */
const MASTERS = 3
const WAIT_MS = 60_000
/** For which a master stays away. */
const AWAY_MS = 1500

/**
 * The system on three Redis masters, with a hot item in three parts. While a crowd buys, half of one part's units are left on
 * their way to another, a master is killed and comes back, and once more without anything it had; then the auditor looks.
 */
export async function scaleRedis(options: ScaleOptions, { say, signal }: ScaleParts): Promise<ScaleResult> {
  const dataDir = await openFolder('redis')
  let cluster: RedisCluster | undefined
  let system: System | undefined
  let redis: RedisConnection | undefined
  try {
    say(`Starting three Redis masters and the system in ${dataDir}`)
    cluster = await startRedisCluster(join(dataDir, 'masters'), MASTERS)
    system = await startSystem('embedded', dataDir, { REDIS_URL: cluster.url })
    redis = await connectRedis({ url: cluster.url })
    const result = await run(options, { say, signal }, cluster, system, redis)
    await system.stop()
    say('The system has stopped; claims alone, at the same three masters')
    const rates = await claimRates(redis, MASTERS, say)
    return { ...result, findings: [...result.findings, rates] }
  } finally {
    await redis?.close()
    await system?.stop()
    await cluster?.stop()
    if (options.keep) say(`Data and logs are kept in ${dataDir}`)
    else await removeFolder(dataDir)
  }
}

async function run(
  options: ScaleOptions,
  { say, signal }: ScaleParts,
  { nodes }: RedisCluster,
  { target }: System,
  redis: RedisConnection,
): Promise<ScaleResult> {
  const inventory = createInventory({ redis, partsOf: () => Promise.resolve(MASTERS) })
  const { parts } = inventory
  const until = async (what: string, is: () => Promise<boolean>) => {
    for (const deadline = now() + WAIT_MS; ; await sleep(50)) {
      if (signal.aborted) throw new SettingError('Stopped before it was done')
      if (await is().catch(() => false)) return
      if (now() > deadline) throw new Error(`Waited ${WAIT_MS / 1000} s for ${what}`)
    }
  }
  const findings: Finding[] = []

  const meanwhile = async (step: Do, item: string): Promise<Evidence['outage']> => {
    const [first, ...others] = partsOf(item, MASTERS)
    const last = others.at(-1)
    if (first === undefined || last === undefined) throw new Error('the item has no parts')
    findings.push(await homes(item, nodes))
    await until('the first orders', async () => ((await inventory.stock(item))?.seq ?? 0) > 20)
    await step('half of the units of a part are given to another, and left on their way', async () => {
      const { taken } = await parts.state(last)
      const half = Math.ceil(((await parts.stock(first))?.available ?? 0) / 2)
      const given = await parts.give(first, last.index, taken.get(first.index) ?? 0, half)
      await until('the units to arrive', async () => {
        const number = given.kind === 'given' || given.kind === 'pending' ? given.number : 0
        return ((await parts.state(last)).taken.get(first.index) ?? 0) >= number
      })
      const units = given.kind === 'given' ? given.units : 0
      findings.push({
        name: 'stock_moves',
        ok: units > 0,
        saw: `${units} units were given, and arrived by themselves`,
      })
    })

    // Not the one that has the waiting room, nor the list of items.
    const doomed = others.find((part) => parts.runId(part)?.split('/')[0] !== redis.runId(ITEMS_KEY)) ?? last
    const node = await nodeOf(doomed, nodes)
    const outage = { from: Date.now(), to: 0 }
    const strike = async (lose: () => Promise<void>) => {
      await node.kill()
      await sleep(AWAY_MS)
      await lose()
      await node.start()
      await until('its part to sell again', async () => {
        const current = parts.runId(doomed)
        return current !== undefined && (await parts.stock(doomed))?.run_id === current
      })
    }
    await step('a master is killed and comes back: the parts of the others sell on', () =>
      strike(() => Promise.resolve()),
    )
    await step('it is killed again and comes back with nothing: its part is made anew from SQL', () =>
      strike(() => node.empty()),
    )
    return { ...outage, to: Date.now() + 1000 }
  }

  const { steps, evidence, verdicts } = await rushWhile(target, options, say, meanwhile, signal, {
    stock_parts: MASTERS,
  })
  const sold = steps.map(({ orders }) => orders)
  findings.push({
    name: 'sold_meanwhile',
    ok: sold.every((orders) => orders > 0),
    saw: `${sold.join(', ')} orders reached SQL during the steps`,
  })
  const [item = ''] = evidence.sale.items.map(({ id }) => id)
  findings.push(sharesOf(evidence), await addsUp(inventory, item, options.units))
  return { steps, findings, verdicts }
}

/** Which master has which part. */
async function homes(item: string, nodes: readonly RedisNode[]): Promise<Finding> {
  const found = await Promise.all(partsOf(item, MASTERS).map((part) => nodeOf(part, nodes)))
  const saw = found.map((node, index) => `part ${index} at port ${node.port}`).join(', ')
  return { name: 'one_part_a_master', ok: new Set(found).size === MASTERS, saw }
}

async function nodeOf(
  part: Parameters<typeof partOwner>[0],
  nodes: readonly RedisNode[],
): Promise<RedisNode> {
  const key = itemKeys(partOwner(part)).stock
  for (const node of nodes) {
    const one = await connectRedis({ url: node.url })
    const has = await one.commands.exists(key).catch(() => 0)
    await one.close()
    if (has === 1) return node
  }
  throw new Error(`no master has ${key}`)
}

/** How the orders are spread over the masters, and how fast they came. */
function sharesOf({ orders }: Evidence): Finding {
  const counts = Array.from({ length: MASTERS }, () => 0)
  for (const { user_id } of orders) {
    const index = partIndexOf(user_id, MASTERS)
    counts[index] = (counts[index] ?? 0) + 1
  }
  const times = orders.map(({ claimed_at }) => claimed_at)
  const seconds = Math.max(1, Math.max(...times) - Math.min(...times)) / 1000
  const shares = counts.map((count) => `${Math.round((100 * count) / Math.max(1, orders.length))} %`)
  return {
    name: 'all_masters_sell',
    ok: counts.every((count) => count > 0),
    saw: `${orders.length} claims in ${seconds.toFixed(0)} s, ${shares.join(', ')} of them at each master`,
  }
}

async function addsUp(inventory: Inventory, item: string, units: number): Promise<Finding> {
  const stock = await inventory.stock(item)
  const { onTheWay } = await inventory.transfers.look(item, MASTERS)
  return {
    name: 'parts_add_up',
    ok: stock?.total === units && onTheWay.length === 0,
    saw: `${stock?.total} of ${units} units in ${MASTERS} parts, ${stock?.sold} sold, ${onTheWay.length} transfers on their way`,
  }
}
