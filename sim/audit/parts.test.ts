import { afterAll, beforeAll, expect, test } from 'bun:test'
import { partsOf } from '../../src/contracts/parts.ts'
import { createInventory } from '../../src/flow/inventory/inventory.ts'
import { connectRedis, type RedisConnection } from '../../src/platform/redis.ts'
import { claimOf, itemOf, keyOf } from '../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { partOwner } from '../../src/flow/inventory/keys.ts'
import { startEventTap } from './event-tap.ts'
import { readActive } from './gather.ts'
import { readStock } from './sampler.ts'
import { STOCK_CHECKS } from './stock.ts'
import type { Evidence, StockSample } from './evidence.ts'

// What the auditor sees of an item whose stock is split, by its own reading of the keys.

const ITEM = { id: 'split', stock_parts: 3 }
let server: TestRedis
let redis: RedisConnection
beforeAll(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
})
afterAll(async () => {
  await redis.close()
  await server.stop()
})

test('all parts together, with what is on its way between them, and the events of each', async () => {
  const inventory = createInventory({ redis, partsOf: () => Promise.resolve(3) })
  await inventory.load(itemOf(ITEM.id, { total: 20, parts: 3 }))
  const tap = await startEventTap(redis, [ITEM])
  const claims = Array.from({ length: 12 }, (_, index) =>
    claimOf(ITEM.id, { parts: 3, order_id: `order-${index}`, user_id: `user-${index}` }),
  )
  await Promise.all(claims.map((claim) => inventory.claim(claim)))
  const [first] = partsOf(ITEM.id, 3)
  if (first === undefined) throw new Error('unreachable')
  const given = await inventory.parts.give(
    first,
    2,
    (await inventory.parts.state(first)).taken.get(2) ?? 0,
    1,
  )
  expect(given.kind).toBe('given')
  const [seen] = (await readStock(redis, [ITEM])).items
  expect(seen).toMatchObject({
    total: 20,
    available: 8,
    held: 12,
    sold: 0,
    seq: 12,
    holds: 12,
    fenced: false,
  })
  expect(seen?.parts?.map(({ first: from }) => from)).toEqual([1, 1e12 + 1, 2e12 + 1])
  expect((await readActive(redis, [ITEM])).map(({ order_id }) => order_id).sort()).toEqual(
    claims.map(({ order_id }) => order_id).sort(),
  )
  while (tap.events.length < 12) await Bun.sleep(5)
  await tap.stop()
  expect(new Set(tap.events.map(({ outbox_id }) => outbox_id)).size).toBe(12)
  await redis.commands.hset(keyOf(partOwner({ ...first, index: 1 }), 'stock'), 'run_id', 'of another process')
  expect((await readStock(redis, [ITEM])).items[0]?.parts?.map(({ fenced }) => fenced)).toEqual([
    false,
    true,
    false,
  ])
})

test('a part may sell beside a fenced one, but not behind its own fence', () => {
  const check = STOCK_CHECKS.find(({ name }) => name.includes('nobody has checked'))
  const sample = (seqs: readonly [number, number]): StockSample => ({
    ...{ asked: 0, answered: 0, at: 0 },
    items: [
      {
        ...{ id: 'split', total: 9, available: 0, held: 9, sold: 0, seq: seqs[0] + seqs[1], epoch: 2 },
        ...{ fenced: true, outbox: 0, holds: 9, oldest_deadline: undefined },
        parts: seqs.map((seq, index) => ({ first: 1, seq, epoch: 1, fenced: index === 1 })),
      },
    ],
  })
  const found = (...stock: StockSample[]) => check?.examine({ stock } as unknown as Evidence)
  expect(found(sample([4, 3]), sample([5, 3]))).toMatchObject({ kind: 'examined', violations: [] })
  expect(found(sample([4, 3]), sample([4, 4]))).toMatchObject({
    violations: ['part 1 of split: claims 4 to 4 were granted behind the fence'],
  })
})
