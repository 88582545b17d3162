import { afterAll, beforeAll, expect, test } from 'bun:test'
import { handClock, SECRET } from '../../test/support/guard.ts'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { systemClock } from '../platform/clock.ts'
import { connectRedis, type RedisConnection } from '../platform/redis.ts'
import { createLimits, freeVisits, type LimitCheck } from './limits.ts'

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

const limitsOf = (connection = redis) =>
  createLimits({ redis: connection, clock: systemClock, secret: SECRET })
const limit = (points: number, duration_s = 60) => ({ on: true, points, duration_s })
const check = (change: Partial<LimitCheck> = {}): LimitCheck => ({
  ...{ name: 'join_address', key: 'a', limit: limit(8), seen: 1 },
  ...change,
})

/** How many of `times` visits in a row pass, each with the count that the sketch would give. */
async function passes(limits: ReturnType<typeof limitsOf>, sale: string, times: number, change = {}) {
  let passed = 0
  for (let seen = 1; seen <= times; seen++)
    if ((await limits.consume(sale, [check({ seen, ...change })])).kind === 'ok') passed++
  return passed
}

test.each([1, 2, 3, 4, 8, 40])('%i points: never refused below, at most a quarter above', async (points) => {
  const passed = await passes(limitsOf(), `points-${points}`, 2 * points + 2, { limit: limit(points) })
  expect(passed).toBeGreaterThanOrEqual(points)
  expect(passed).toBeLessThanOrEqual(points * 1.25)
  expect(passed).toBe(points + freeVisits(limit(points)))
})

test('nodes share the exact count; keys, names and sales have their own', async () => {
  const [one, two] = [limitsOf(), limitsOf()]
  const consume = (limits: typeof one, change: Partial<LimitCheck> = {}, sale = 'shared') =>
    limits.consume(sale, [check({ seen: 9, limit: limit(4), ...change })])
  for (const node of [one, two, one, two]) expect(await consume(node)).toEqual({ kind: 'ok' })
  expect(await consume(one)).toMatchObject({ kind: 'limited', limit: 'join_address' })
  expect(await consume(two)).toMatchObject({ kind: 'limited', limit: 'join_address' })
  expect(await consume(one, { key: 'b' })).toEqual({ kind: 'ok' })
  expect(await consume(one, { name: 'join_network' })).toEqual({ kind: 'ok' })
  expect(await consume(one, {}, 'shared-2')).toEqual({ kind: 'ok' })
  // The first limit that is reached is told, whatever else is fine.
  const both = [check({ key: 'b', seen: 9, limit: limit(4) }), check({ seen: 9, limit: limit(4) })]
  expect(await one.consume('shared', both)).toMatchObject({ kind: 'limited', limit: 'join_address' })
})

test('a visitor seen a few times costs Redis nothing, and Redis is told no names', async () => {
  const limits = limitsOf()
  for (let n = 0; n < 50; n++)
    await limits.consume('few', [check({ key: `visitor-${n}`, seen: 2, limit: limit(8) })])
  expect(await redis.commands.keys('guard:limit:few:*')).toEqual([])
  await limits.consume('few', [check({ key: '192.0.2.7', seen: 3 })])
  const keys = await redis.commands.keys('guard:limit:few:*')
  expect(keys).toHaveLength(1)
  expect(keys[0]).not.toContain('192.0.2.7')
  expect(await redis.commands.ttl(keys[0] ?? '')).toBeGreaterThan(50)
})

test('who was refused is remembered here until the limit lapses: no call to Redis', async () => {
  const clock = handClock()
  const limits = createLimits({ redis, clock, secret: SECRET })
  const one = check({ seen: 9, limit: limit(1, 30) })
  expect(limits.blocked('block', [one])).toEqual({ kind: 'ok' })
  await limits.consume('block', [one])
  const refused = await limits.consume('block', [one])
  expect(refused).toMatchObject({ kind: 'limited', retry_after_s: 30 })
  expect(limits.blocked('block', [one])).toMatchObject({ kind: 'limited', limit: 'join_address' })
  expect(limits.blocked('block', [{ ...one, key: 'b' }])).toEqual({ kind: 'ok' })
  expect(limits.blocked('block-2', [one])).toEqual({ kind: 'ok' })
  expect(limits.blocked('block', [{ ...one, limit: { ...one.limit, on: false } }])).toEqual({ kind: 'ok' })
  clock.advance(30_000)
  expect(limits.blocked('block', [one])).toEqual({ kind: 'ok' })
})

test('switched off, it limits nobody; a changed setting holds at once', async () => {
  const limits = limitsOf()
  expect(await passes(limits, 'off', 20, { limit: { ...limit(2), on: false } })).toBe(20)
  expect(await passes(limits, 'change', 10, { limit: limit(3) })).toBe(3)
  expect(await passes(limits, 'change', 10, { limit: limit(1000), seen: 999 })).toBe(10)
})

test('when Redis is killed the memory takes over: it goes on limiting, and never rejects', async () => {
  const own = await startTestRedis()
  const connection = await connectRedis({ url: own.url, commandTimeoutMs: 500 })
  const limits = limitsOf(connection)
  expect(await passes(limits, 's', 10)).toBe(10)
  await own.kill9()
  expect(await passes(limits, 's', 30)).toBe(10)
  expect(await passes(limits, 's', 30, { key: 'b' })).toBe(10)
  await connection.close()
  await own.stop()
})
