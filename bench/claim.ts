/**
 * Claims a second on one connection, Redis with `appendfsync always`, everything on this machine:
 * through the inventory, which batches by itself, beside the same script called by hand.
 * Run: bun bench/claim.ts
 */
import { type ClaimRequest, createInventory } from '../src/flow/inventory/inventory.ts'
import { claimScript } from '../src/flow/inventory/scripts.ts'
import { connectRedis } from '../src/platform/redis.ts'
import { startTestRedis } from '../test/support/redis.ts'

const CLAIMS = 64_000
/** Claims under way at a time: four full batches. */
const CROWD = 256
const BATCH = 64

const server = await startTestRedis({ appendfsync: 'always' })
const redis = await connectRedis({ url: server.url, commandTimeoutMs: 0 })
const inventory = createInventory({ redis })

const requestsFor = (item_id: string, count: number): ClaimRequest[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ item_id, order_id: crypto.randomUUID(), user_id: `buyer-${n}`, quantity: 1, limit: 2 },
    ...{ amount: 1999, currency: 'EUR', hold_ms: 600_000, pay_ms: 300_000 },
  }))

/** Keeps `lanes` calls under way until the work is done; answers claims a second. */
async function measure(
  count: number,
  lanes: number,
  perCall: number,
  call: (from: number) => Promise<unknown>,
) {
  let next = 0
  const lane = async () => {
    while (next < count) {
      const from = next
      next += perCall
      await call(from)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: lanes }, lane))
  return (count / (performance.now() - start)) * 1000
}

async function load(item_id: string, total: number, count: number) {
  await inventory.load({ item_id, sale_id: 'bench', total, state: 'open', opens_at: 0, ends_at: null })
  return requestsFor(item_id, count)
}

/** Through the door, as the shop does it. */
async function throughInventory(item_id: string, total: number, count: number) {
  const requests = await load(item_id, total, count)
  return measure(count, CROWD, 1, (from) => inventory.claim(requests[from] as ClaimRequest))
}

/** The script alone, `perCall` claims at a time. */
async function byHand(item_id: string, perCall: number, count: number) {
  const requests = await load(item_id, count, count)
  const run_id = redis.runId() ?? ''
  return measure(count, CROWD / perCall, perCall, (from) =>
    claimScript.run(redis.commands, { item_id, run_id, requests: requests.slice(from, from + perCall) }),
  )
}

await throughInventory('warm-up', CLAIMS, CLAIMS / 4)
const hits = await throughInventory('hits', CLAIMS, CLAIMS)
const script = await byHand('by-hand', BATCH, CLAIMS)
const single = await byHand('one-by-one', 1, CLAIMS / 8)
const misses = await throughInventory('misses', 0, CLAIMS)
const rate = (perSecond: number) => `${Math.round(perSecond / 1000)}k/s`.padStart(7)
console.log(`reserved, through the inventory      ${rate(hits)}
reserved, script by hand, 64 a call  ${rate(script)}   inventory / script = ${(hits / script).toFixed(2)}
reserved, script by hand, 1 a call   ${rate(single)}   inventory / single = ${(hits / single).toFixed(2)}
sold_out, through the inventory      ${rate(misses)}`)
await redis.close()
await server.stop()
