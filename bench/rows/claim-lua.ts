import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type ClaimRequest, createInventory } from '../../src/flow/inventory/inventory.ts'
import { claimScript } from '../../src/flow/inventory/scripts.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { startTestRedis } from '../../test/support/redis.ts'
import { type Prepared, rateOf, type Row, type Scale } from '../row.ts'

/** Claims under way at a time: four full batches. */
const CROWD = 256
const BATCH = 64
/** Connections of redis-benchmark, each with one call under way. */
const CONNECTIONS = 50

/** The seed script of a flash sale: no limit, no hold, no event. */
const CHECK_AND_DECREMENT = `
local left = tonumber(redis.call('GET', KEYS[1]))
if left < 1 then return 0 end
redis.call('DECR', KEYS[1])
return 1`

const ours = 'whole claims (limit, hold, event) through the inventory, which batches by itself'
const base = { unit: 'per second', better: 'more' } as const

export const claimLua: Row = {
  ...base,
  name: 'claim-lua',
  title: 'Claim in Redis',
  ours,
  yardstick: `a bare check-and-decrement script, one a call, ${CONNECTIONS} connections (redis-benchmark)`,
  target: 1.3,
  note: 'One Redis with `appendfsync always` for both. The yardstick is loaded by a program in C, ours by one Bun process on one connection.',
  prepare: (scale) => prepare(scale, bareScript),
}

export const claimWrapper: Row = {
  ...base,
  name: 'claim-wrapper',
  title: 'Claim in Redis, our wrapper',
  ours,
  yardstick: `the same script called by hand with ${BATCH} claims a call`,
  target: 0.9,
  note: 'One connection, `appendfsync always`, 256 claims under way for both.',
  prepare: (scale) => prepare(scale, byHand),
}

type Stand = Awaited<ReturnType<typeof start>>

async function start(scale: Scale) {
  await using stack = new AsyncDisposableStack()
  const server = await startTestRedis({ appendfsync: 'always' })
  stack.defer(() => server.stop())
  const redis = await connectRedis({ url: server.url, commandTimeoutMs: 0 })
  stack.defer(() => redis.close())
  const inventory = createInventory({ redis })
  const count = scale.of(16_000, 64_000)
  let items = 0
  /** A new item with a unit for everybody, so that rounds find the same. */
  const crowd = async () => {
    const item_id = `item-${++items}`
    await inventory.load({
      item_id,
      sale_id: 'bench',
      total: count,
      state: 'open',
      opens_at: 0,
      ends_at: null,
    })
    const requests = Array.from({ length: count }, (_, n): ClaimRequest => ({
      ...{ item_id, order_id: crypto.randomUUID(), user_id: `buyer-${n}`, quantity: 1, limit: 2 },
      ...{ amount: 1999, currency: 'EUR', hold_ms: 600_000, pay_ms: 300_000 },
    }))
    const done = async () => {
      const stock = await inventory.stock(item_id)
      if (stock?.held !== count) throw new Error(`${stock?.held} of ${count} claims were reserved`)
      await redis.commands.del(
        ...['stock', 'buyers', 'holds', 'claims', 'outbox'].map((part) => `item:{${item_id}}:${part}`),
      )
    }
    return { item_id, requests, done }
  }
  return { server, redis, inventory, count, crowd, stack: stack.move() }
}

async function prepare(scale: Scale, yardstick: (stand: Stand) => Promise<number>): Promise<Prepared> {
  const stand = await start(scale)
  return {
    ours: async () => {
      const { requests, done } = await stand.crowd()
      const rate = await rateOf(stand.count, CROWD, (from) =>
        stand.inventory.claim(requests[from] as ClaimRequest),
      )
      await done()
      return rate
    },
    yardstick: () => yardstick(stand),
    [Symbol.asyncDispose]: () => stand.stack.disposeAsync(),
  }
}

async function byHand({ redis, count, crowd }: Stand): Promise<number> {
  const { item_id, requests, done } = await crowd()
  const run_id = redis.runId() ?? ''
  const call = (from: number) =>
    claimScript.run(redis.commands, { item_id, run_id, requests: requests.slice(from, from + BATCH) })
  const rate = await rateOf(count, CROWD / BATCH, call, BATCH)
  await done()
  return rate
}

async function bareScript({ server, redis, count }: Stand): Promise<number> {
  const hash = (await redis.commands.script('LOAD', CHECK_AND_DECREMENT)) as string
  await redis.commands.set('bare', count)
  const { stdout } = await promisify(execFile)('redis-benchmark', [
    ...['-p', String(server.port), '-c', String(CONNECTIONS), '-n', String(count), '--csv'],
    ...['evalsha', hash, '1', 'bare'],
  ])
  const left = await redis.commands.get('bare')
  if (left !== '0') throw new Error(`redis-benchmark left ${left} of ${count} units`)
  return Number(/,"([\d.]+)"/.exec(stdout.trim().split('\n').at(-1) ?? '')?.[1])
}
