import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { claimOf, dump, itemOf, KEY_TYPES, type KeyName, keyOf } from '../../../test/support/inventory.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import { createInventory, type Inventory } from './inventory.ts'
import { dueScript } from './scripts.ts'

let server: TestRedis
let redis: RedisConnection
let inventory: Inventory
beforeAll(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
  inventory = createInventory({ redis })
})
afterAll(async () => {
  await redis.close()
  await server.stop()
})

/** Every command that needs a whole item; load and rebuild, which do not, are in operate.test.ts. */
const COMMANDS: Record<string, (item_id: string, order_id: string) => Promise<string>> = {
  claim: async (item_id) => (await inventory.claim(claimOf(item_id))).kind,
  settle: (item_id, order_id) => inventory.settle(item_id, order_id),
  release: (item_id, order_id) => inventory.release(item_id, order_id),
  due: async (item_id) => {
    const rows = await dueScript.run(redis.commands, { item_id, which: 'all', graceMs: 0, max: -1 })
    return typeof rows === 'string' ? rows : 'rows'
  },
  set_state: (item_id) => inventory.setState(item_id, { state: 'paused' }),
  adopt: (item_id) => inventory.adopt(item_id, 1),
}
const FIELDS = 'total available held sold seq epoch opens_at ends_at state sale_id run_id'.split(' ')

/** Each command on the item as `damage` left it: all answer `unloaded` and change nothing. */
async function expectRefused(item_id: string, damage: () => Promise<unknown>) {
  await redis.commands.flushall()
  await inventory.load(itemOf(item_id))
  const { order_id } = claimOf(item_id)
  await inventory.claim(claimOf(item_id, { order_id }))
  await damage()
  const before = await dump(redis.commands, item_id)
  for (const [name, run] of Object.entries(COMMANDS)) {
    expect([name, await run(item_id, order_id)]).toEqual([name, 'unloaded'])
    expect(await dump(redis.commands, item_id)).toEqual(before)
  }
}

describe('a damaged item fails closed', () => {
  test.each(Object.keys(KEY_TYPES) as KeyName[])('%s is of another type', (name) => {
    const key = keyOf('types', name)
    return expectRefused('types', async () => {
      await redis.commands.del(key)
      await redis.commands.set(key, 'another type')
    })
  })

  test.each(FIELDS)('the stock has no %s', (field) =>
    expectRefused('fields', () => redis.commands.hdel(keyOf('fields', 'stock'), field)),
  )

  test('a number of the stock is none', async () => {
    await expectRefused('numbers', () => redis.commands.hset(keyOf('numbers', 'stock'), 'available', 'many'))
    await expectRefused('numbers', () => redis.commands.hset(keyOf('numbers', 'stock'), 'ends_at', 'later'))
  })

  test('the stock is gone and is not created again', async () => {
    await expectRefused('gone', () => redis.commands.del(keyOf('gone', 'stock')))
    expect(await inventory.stock('gone')).toBeUndefined()
  })

  test('stock() reads nothing from an item that is damaged', async () => {
    await redis.commands.flushall()
    await inventory.load(itemOf('read'))
    await redis.commands.hdel(keyOf('read', 'stock'), 'held')
    expect(await inventory.stock('read')).toBeUndefined()
    await redis.commands.del(keyOf('read', 'stock'))
    await redis.commands.set(keyOf('read', 'stock'), 'another type')
    expect(await inventory.stock('read')).toBeUndefined()
  })

  test('a hold whose claim is lost, or the other way round, is gone for settle and release', async () => {
    for (const lost of ['holds', 'claims']) {
      await redis.commands.flushall()
      await inventory.load(itemOf('half'))
      const request = claimOf('half')
      await inventory.claim(request)
      await redis.commands.del(keyOf('half', lost))
      const before = await dump(redis.commands, 'half')
      expect(await inventory.settle('half', request.order_id)).toBe('gone')
      expect(await inventory.release('half', request.order_id)).toBe('gone')
      expect(await inventory.claim(request)).toEqual({ kind: 'repeated', quantity: 1 })
      expect(await inventory.holds('half')).toEqual([])
      expect(await dump(redis.commands, 'half')).toEqual(before)
    }
  })
})
