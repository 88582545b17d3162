import { v7 as uuidv7 } from 'uuid'
import { type ClaimRequest, createInventory } from '../../src/flow/inventory/inventory.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import type { Finding } from './report.ts'

const ROUNDS = 3
const CLAIMS = 12_000
/** Claims under way at once. */
const AT_ONCE = 1024

/** Claims a second on an item that is whole and on one in parts, in turns, on the masters of one machine. */
export async function claimRates(
  redis: RedisConnection,
  of: number,
  say: (text: string) => void,
): Promise<Finding> {
  const rates = new Map<number, number[]>([1, of].map((parts) => [parts, []]))
  const errors: string[] = []
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [parts, found] of rates) {
      const item_id = `rates-${round}-${parts}`
      const inventory = createInventory({ redis, partsOf: () => Promise.resolve(parts) })
      await inventory.load({
        ...{ item_id, sale_id: 'rates', total: CLAIMS, parts, state: 'open', opens_at: 0, ends_at: null },
      })
      const requests = Array.from({ length: CLAIMS }, () => requestFor(item_id, parts))
      const began = performance.now()
      for (let from = 0; from < CLAIMS; from += AT_ONCE)
        await Promise.all(requests.slice(from, from + AT_ONCE).map((one) => inventory.claim(one)))
      found.push((CLAIMS / (performance.now() - began)) * 1000)
      const held = (await inventory.stock(item_id))?.held
      if (held !== CLAIMS) errors.push(`${item_id}: ${held} of ${CLAIMS} units are held`)
    }
  const median = (parts: number) => Math.round((rates.get(parts) ?? []).toSorted((a, b) => a - b)[1] ?? 0)
  say(`  ${CLAIMS} claims, ${ROUNDS} rounds: whole ${median(1)}/s, in ${of} parts ${median(of)}/s`)
  return {
    name: 'split_sells_all',
    ok: errors.length === 0,
    saw:
      errors.join('; ') ||
      `claims alone: ${median(1)}/s on one master, ${median(of)}/s in ${of} parts on ${of}`,
  }
}

const requestFor = (item_id: string, parts: number): ClaimRequest => ({
  ...{ item_id, parts, order_id: uuidv7(), user_id: uuidv7(), quantity: 1, limit: 1 },
  ...{ amount: 4999, currency: 'EUR', hold_ms: 600_000, pay_ms: 300_000 },
})
