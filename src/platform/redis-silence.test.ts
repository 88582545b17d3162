import { afterEach, beforeEach, expect, test } from 'bun:test'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { systemClock } from './clock.ts'
import { connectRedis, failureOf, type RedisConnection } from './redis.ts'

let server: TestRedis
let redis: RedisConnection
beforeEach(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
})
afterEach(async () => {
  await redis.close()
  await server.stop()
})

const freeze = () => process.kill(server.pid, 'SIGSTOP')
const thaw = () => process.kill(server.pid, 'SIGCONT')
const callsOf = async (command: string) => {
  const other = await connectRedis({ url: server.url })
  const stats = await other.commands.info('commandstats')
  await other.close()
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
}
const outcomeOf = (promise: Promise<unknown>) => promise.then(() => 'done' as const, failureOf)

test('a server that hangs is sent nothing after its first silent second, and hears only what was sent before', async () => {
  const runId = redis.runId()
  freeze()
  const outcomes: Promise<unknown>[] = []
  const started = performance.now()
  let slowest = 0
  const ask = async (key: string) => {
    const [asked, late] = [performance.now(), performance.now() - started > 1500]
    const outcome = await outcomeOf(redis.commands.incr(key))
    if (late) slowest = Math.max(slowest, performance.now() - asked)
    return outcome
  }
  // Longer than a command waits, shorter than a connection that is given up.
  while (performance.now() - started < 2600) {
    for (let count = 0; count < 10; count += 1) outcomes.push(ask('count'))
    await systemClock.sleep(10)
  }
  expect(redis.runId()).toBeUndefined()
  thaw()
  const found = await Promise.all(outcomes)
  const [unknown, refused] = ['unknown', 'refused'].map((kind) => found.filter((one) => one === kind).length)
  expect(refused).toBeGreaterThan(unknown as number)
  expect(unknown).toBeGreaterThan(0)
  // Refused at once: nobody queues for a server that hangs.
  expect(slowest).toBeLessThan(500)
  while (redis.runId() === undefined) await systemClock.sleep(5)
  expect(redis.runId()).toBe(runId as string)
  expect(await callsOf('incr')).toBeLessThanOrEqual(found.length - (refused as number))
  expect(await redis.commands.incr('count')).toBe(await callsOf('incr'))
}, 20_000)

test('a process that was late itself reads what lies there, and takes nobody for silent', async () => {
  const first = outcomeOf(redis.commands.incr('count'))
  // The command leaves, and its answer comes while nobody reads.
  await new Promise((resolve) => setImmediate(resolve))
  for (const until = performance.now() + 1500; performance.now() < until;);
  expect(redis.runId()).toBeString()
  expect(await outcomeOf(redis.commands.incr('count'))).toBe('done')
  expect(await first).toBe('done')
})

test('no more than 10,000 commands wait, and none more is taken', async () => {
  freeze()
  const found = await Promise.all(
    Array.from({ length: 11_000 }, () => outcomeOf(redis.commands.incr('count'))),
  )
  thaw()
  expect(found.filter((outcome) => outcome === 'refused')).toHaveLength(1000)
  expect(found.filter((outcome) => outcome === 'unknown')).toHaveLength(10_000)
}, 20_000)

test('a pipeline is refused whole, and answers after it are not mixed up', async () => {
  freeze()
  const first = outcomeOf(redis.commands.set('first', 1))
  while (redis.runId() !== undefined) await systemClock.sleep(10)
  const refused = redis.commands.multi().set('second', 2).get('second').exec()
  expect(await outcomeOf(refused)).toBe('refused')
  thaw()
  expect(await first).toBe('done')
  expect(await redis.commands.mget('first', 'second')).toEqual(['1', null])
}, 20_000)

test('a connection that stays silent is given up, and made anew when the server is back', async () => {
  freeze()
  void outcomeOf(redis.commands.incr('count'))
  while (redis.runId() !== undefined) await systemClock.sleep(20)
  // Longer than a silent connection is kept.
  await systemClock.sleep(5500)
  thaw()
  for (const deadline = performance.now() + 5000; redis.runId() === undefined;) {
    if (performance.now() > deadline) throw new Error('not connected again')
    await systemClock.sleep(20)
  }
  expect(await outcomeOf(redis.commands.incr('count'))).toBe('done')
}, 20_000)
