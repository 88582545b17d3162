import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { handClock } from '../../test/support/guard.ts'
import { parseHeader } from '../../test/support/lua-header.ts'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../platform/redis.ts'
import countSource from './count.lua' with { type: 'text' }
import { countScript, createSignals, noise, seenKey } from './signals.ts'
import { createSketch, ROWS } from './sketch.ts'

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

const counting = { window_s: 600, cells: 4096 }
const signalsOf = (key = 'k') => createSignals({ redis, clock: handClock(), key })
const visit = (name: string, add: 0 | 1 = 1) => ({ name, add })

test('it counts each visitor, for all nodes together, and looks without counting', async () => {
  const [one, two] = [signalsOf(), signalsOf()]
  for (let n = 1; n <= 5; n++) {
    const node = n % 2 ? one : two
    const counts = await node.count('plain', counting, {
      visits: [visit('a'), visit('b'), visit('c', 0)],
      joins: 1,
    })
    expect(counts).toEqual({ seen: [n, n, 0], total: 2 * n, joins: n, enters: 0 })
  }
  expect(await one.count('plain', counting, { visits: [visit('a', 0)], enters: 1 })).toEqual({
    ...{ seen: [5], total: 10, joins: 5, enters: 1 },
  })
  expect(await one.count('other-sale', counting, { visits: [visit('a', 0)] })).toMatchObject({ seen: [0] })
  // Who does not know the key can not tell which cells are whose.
  expect(await signalsOf('other key').count('plain', counting, { visits: [visit('a', 0)] })).toMatchObject({
    seen: [0],
  })
})

test('the requests of one turn travel together, each told its own', async () => {
  const signals = signalsOf()
  const before = await calls()
  const counts = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      signals.count('turn', counting, { visits: [visit('same'), visit(`${n}`)] }),
    ),
  )
  expect(counts.map(({ seen }) => seen[0])).toEqual(Array.from({ length: 200 }, (_, n) => n + 1))
  expect(counts.map(({ seen }) => seen[1])).toEqual(Array.from({ length: 200 }, () => 1))
  // 200 in batches of at most 48.
  expect((await calls()) - before).toBe(5)
})

async function calls(): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.commands.info('commandstats'))?.[1] ?? 0)
}

test('the script does what the sketch in memory does, step by step', async () => {
  expect(parseHeader(countSource).keys).toEqual(['seen'])
  const cells = 8
  let run = 0
  const cell = fc.integer({ min: 0, max: cells - 1 })
  const one = fc.record({
    add: fc.constantFrom(0 as const, 1 as const),
    cells: fc.array(cell, { minLength: ROWS, maxLength: ROWS }),
  })
  const request = fc.record({
    visits: fc.array(one, { maxLength: 8 }),
    joins: fc.nat({ max: 1 }),
    enters: fc.nat({ max: 1 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(request, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
      async (batches) => {
        const sale = `model-${run++}`
        const model = createSketch(cells, 1000)
        for (const requests of batches) {
          const found = await countScript.run(redis.commands, { sale, window_ms: 600_000, cells, requests })
          const wanted = requests.map((asked) => model.count(0, asked.visits, asked))
          expect(found.map(({ seen }) => seen)).toEqual(wanted.map(({ seen }) => seen))
          expect(found.at(-1)).toEqual(wanted.at(-1))
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('a count is never too small, and noise is known', async () => {
  const signals = signalsOf()
  const small = { window_s: 600, cells: 1024 }
  // Ten thousand strangers in a thousand cells, and one who comes thirty times.
  const crowd = Array.from({ length: 10_000 }, (_, n) =>
    signals.count('noisy', small, { visits: [visit(`${n}`)] }),
  )
  const often = Array.from({ length: 30 }, () => signals.count('noisy', small, { visits: [visit('often')] }))
  await Promise.all([...crowd, ...often])
  const looked = await signals.count('noisy', small, { visits: [visit('often', 0), visit('never', 0)] })
  const [oftenSeen = 0, neverSeen = 0] = looked.seen
  expect(noise(looked, small.cells)).toBe(9)
  expect(oftenSeen).toBeGreaterThanOrEqual(30)
  // What strangers leave in a cell is about what noise tells, so it accuses nobody.
  expect(neverSeen - noise(looked, small.cells)).toBeLessThan(8)
})

test('from 255 on it says 255', async () => {
  const signals = signalsOf()
  const counts = await Promise.all(
    Array.from({ length: 300 }, () => signals.count('full', counting, { visits: [visit('a')] })),
  )
  expect(counts.at(-1)).toMatchObject({ seen: [255], total: 300 })
})

test('the table has one size, is gone after its window, and is refused where the key is something else', async () => {
  await signalsOf().count('size', counting, { visits: [visit('a')] })
  const key = seenKey('size', 600, 4096)
  expect(await redis.commands.strlen(key)).toBe(ROWS * 4096 + 12)
  expect(await redis.commands.pttl(key)).toBeGreaterThan(590_000)
  await redis.commands.pexpire(key, 1)
  const emptied = async (): Promise<void> =>
    (await redis.commands.exists(key)) === 0 ? undefined : emptied()
  await emptied()
  expect(await signalsOf().count('size', counting, { visits: [visit('a')] })).toMatchObject({
    seen: [1],
    total: 1,
  })

  await redis.commands.del(key)
  await redis.commands.lpush(key, 'x')
  const input = {
    sale: 'size',
    window_ms: 600_000,
    cells: 4096,
    requests: [{ visits: [], joins: 1, enters: 0 }],
  }
  const failure = await countScript.run(redis.commands, input).catch(String)
  expect(failure).toContain('not a table')
})

test('without Redis each process counts for itself, and goes back when it can', async () => {
  const own = await startTestRedis()
  const connection = await connectRedis({ url: own.url, commandTimeoutMs: 500 })
  const clock = handClock()
  const errors: unknown[] = []
  const signals = createSignals({
    redis: connection,
    clock,
    key: 'k',
    onError: (error) => errors.push(error),
  })
  const count = () => signals.count('s', counting, { visits: [visit('a')], joins: 1 })
  expect(await count()).toMatchObject({ seen: [1] })
  await own.kill9()
  for (let n = 1; n <= 3; n++) expect(await count()).toEqual({ seen: [n], total: n, joins: n, enters: 0 })
  // It was asked once, not each time.
  expect(errors).toHaveLength(1)
  clock.advance(601_000)
  expect(await count()).toMatchObject({ seen: [1], total: 1 })
  await own.restart()
  const back = async (): Promise<void> =>
    connection.runId() === undefined ? Bun.sleep(5).then(back) : undefined
  await back()
  clock.advance(1000)
  await count()
  expect(await connection.commands.exists(seenKey('s', 600, 4096))).toBe(1)
  await connection.close()
  await own.stop()
})
