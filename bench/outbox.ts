import { type ClaimRequest, createInventory } from '../src/flow/inventory/inventory.ts'
import { connectRedis } from '../src/platform/redis.ts'
import { startTestRedis } from '../test/support/redis.ts'
import { rateOf } from './row.ts'

/** Claims under way at a time. */
const CROWD = 256

export type Outbox = Awaited<ReturnType<typeof startOutbox>>

/** A Redis (`appendfsync always`) whose outboxes are filled by real claims. */
export async function startOutbox() {
  await using stack = new AsyncDisposableStack()
  const server = await startTestRedis({ appendfsync: 'always' })
  stack.defer(() => server.stop())
  const redis = await connectRedis({ url: server.url, commandTimeoutMs: 0 })
  stack.defer(() => redis.close())
  const inventory = createInventory({ redis })
  let items = 0
  return {
    url: server.url,
    redis,
    inventory,
    /** An item with a unit for each of so many buyers. */
    newItem: async (units: number): Promise<string> => {
      const item_id = `item-${++items}`
      const open = { state: 'open', opens_at: 0, ends_at: null } as const
      await inventory.load({ item_id, sale_id: 'bench', total: units, ...open })
      return item_id
    },
    /** Throws where it is not reserved. */
    claim: async (item_id: string): Promise<void> => {
      const request: ClaimRequest = {
        ...{ item_id, order_id: crypto.randomUUID(), user_id: crypto.randomUUID(), quantity: 1, limit: 1 },
        ...{ amount: 1999, currency: 'EUR', hold_ms: 3_600_000, pay_ms: 3_600_000 },
      }
      const { kind } = await inventory.claim(request)
      if (kind !== 'reserved') throw new Error(`a claim is ${kind}`)
    },
    /** An item of which `count` units were claimed; their events are in its outbox. */
    async filled(count: number): Promise<string> {
      const item = await this.newItem(count)
      await rateOf(count, CROWD, () => this.claim(item))
      return item
    },
    stack: stack.move(),
  }
}

/** Looks every few ms. Throws where it takes more than two minutes. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 120_000; !(await condition());) {
    if (performance.now() > deadline) throw new Error(`waited two minutes for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
