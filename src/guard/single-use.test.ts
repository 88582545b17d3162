import { afterAll, beforeAll, expect, test } from 'bun:test'
import { handClock, SECRET } from '../../test/support/guard.ts'
import { parseHeader } from '../../test/support/lua-header.ts'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../platform/redis.ts'
import burnSource from './burn.lua' with { type: 'text' }
import { createProofOfWork } from './proof-of-work.ts'
import { burnScript, createBurner, createNonces, SKEW_MS } from './single-use.ts'

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

const keysOf = (sale: string) => redis.commands.keys(`guard:{${sale}}:*`)

test('of 100 uses at once, from two nodes, one wins', async () => {
  const clock = handClock()
  const nonce = createNonces(clock).next('crowd')
  const [one, two] = [createBurner(redis, clock), createBurner(redis, clock)]
  const uses = Array.from({ length: 100 }, (_, n) =>
    (n % 2 ? one : two)('crowd', nonce, clock.now() + 60_000),
  )
  const words = await Promise.all(uses)
  expect(words.filter((word) => word === 'burnt')).toHaveLength(1)
  expect(words.filter((word) => word === 'used')).toHaveLength(99)
})

test('the script answers what its header says', async () => {
  expect(parseHeader(burnSource).results).toEqual(['burnt', 'used'])
  const burning = (offset: number, block = 'a') => ({ block, offset, lifetime_ms: 1000 })
  const burn = (...burnings: ReturnType<typeof burning>[]) =>
    burnScript.run(redis.commands, { sale: 'words', burnings })
  expect(await burn(burning(1), burning(2), burning(1), burning(1, 'b'))).toEqual([
    ...(['burnt', 'burnt', 'used', 'burnt'] as const),
  ])
  expect(await burn(burning(1), burning(3))).toEqual(['used', 'burnt'])
  // Another sale has bitmaps of its own.
  expect(await burnScript.run(redis.commands, { sale: 'words-2', burnings: [burning(1)] })).toEqual(['burnt'])
  // Nothing is written where a key is something else.
  await redis.commands.lpush('guard:{words}:used:c', 'x')
  const failure = await burn(burning(9), burning(9, 'c')).catch(String)
  expect(failure).toContain('not a bitmap')
  expect(await redis.commands.getbit('guard:{words}:used:a', 9)).toBe(0)
})

test('a bitmap lives until the last of its serials can no longer be shown', async () => {
  const clock = handClock()
  const nonces = createNonces(clock)
  const burn = createBurner(redis, clock)
  const block = (nonce: string) => `guard:{life}:used:${nonce.slice(0, 20)}`
  const [early, late, earlier] = [nonces.next('life'), nonces.next('life'), nonces.next('life')]
  await burn('life', early, clock.now() + 10_000)
  const first = await redis.commands.pttl(block(early))
  expect(first).toBeGreaterThan(SKEW_MS + 9000)
  expect(first).toBeLessThanOrEqual(SKEW_MS + 10_000)
  await burn('life', late, clock.now() + 500_000)
  await burn('life', earlier, clock.now() + 1000)
  expect(await keysOf('life')).toEqual([block(early)])
  expect(await redis.commands.pttl(block(early))).toBeGreaterThan(SKEW_MS + 490_000)
})

test('a new block each minute, and when the old one is full; no nonce twice', () => {
  const clock = handClock()
  const nonces = createNonces(clock)
  const seen = new Set<string>()
  const blocks = new Set<string>()
  for (let n = 0; n < 140_000; n++) {
    const nonce = nonces.next('many')
    seen.add(nonce.slice(0, 24))
    blocks.add(nonce.slice(0, 20))
  }
  expect(seen.size).toBe(140_000)
  expect(blocks.size).toBe(3)
  clock.advance(60_000)
  expect(blocks.has(nonces.next('many').slice(0, 20))).toBe(false)
  expect(blocks.has(nonces.next('other-sale').slice(0, 20))).toBe(false)
})

test('a used challenge costs a bit', async () => {
  const clock = handClock()
  const nonces = createNonces(clock)
  const burn = createBurner(redis, clock)
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.commands.info('memory'))?.[1])
  const before = await used()
  for (let turn = 0; turn < 20; turn++)
    await Promise.all(
      Array.from({ length: 5000 }, () => burn('crowded', nonces.next('crowded'), clock.now() + 600_000)),
    )
  const bitmaps = await keysOf('crowded')
  const bits = await Promise.all(bitmaps.map((key) => redis.commands.bitcount(key)))
  expect(bits.reduce((sum, one) => sum + one, 0)).toBe(100_000)
  expect(bitmaps).toHaveLength(2)
  // Two bitmaps, and what Redis keeps for a client with many commands under way.
  expect((await used()) - before).toBeLessThan(1_000_000)
})

test('challenges made with the same random bytes differ all the same', () => {
  const clock = handClock()
  const work = createProofOfWork({
    secret: SECRET,
    clock,
    nonces: createNonces(clock, (bytes) => bytes.fill(1)),
  })
  const make = () => work.create({ sale: 's', device: 'd', hashes: 10, lifetime_s: 60 }).parameters.nonce
  expect(make()).not.toBe(make())
})

test('without Redis nothing passes', async () => {
  const gone = await startTestRedis()
  const connection = await connectRedis({ url: gone.url, commandTimeoutMs: 500 })
  const clock = handClock()
  const burn = createBurner(connection, clock)
  await gone.stop()
  const failure: unknown = await burn('s', createNonces(clock).next('s'), clock.now() + 1000).catch(
    (error: unknown) => error,
  )
  expect(failure).toBeInstanceOf(Error)
  await connection.close()
})
