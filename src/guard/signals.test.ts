import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { handClock } from '../../test/support/guard.ts'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { connectRedis, type RedisConnection } from '../platform/redis.ts'
import { createSignals, KEPT_HERE, seenKey } from './signals.ts'
import { cellsOf, createSketch, ROWS, wordsOf } from './sketch.ts'

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
const visit = (name: string, add: 0 | 1 = 1) => ({ name, add })
const signalsOf = (key = 'k') => createSignals({ redis, clock: handClock(), key })
const numbers = (to: number) => Array.from({ length: to }, (_, n) => n + 1)

describe('sketch', () => {
  test('a count is never too small; alone in the table it is exact', () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 60 })
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 12 }), (visits, cells) => {
        const [crowded, roomy] = [createSketch(cells, 1000), createSketch(100_000, 1000)]
        const truth = new Map<string, number>()
        for (const name of visits) {
          const count = (truth.get(name) ?? 0) + 1
          truth.set(name, count)
          expect(crowded.count(0, cellsOf(wordsOf('k', name), cells), 1)).toBeGreaterThanOrEqual(count)
          expect(roomy.count(0, cellsOf(wordsOf('k', name), 100_000), 1)).toBe(count)
        }
        for (const [name, count] of truth)
          expect(roomy.count(0, cellsOf(wordsOf('k', name), 100_000), 0)).toBe(count)
      }),
    )
  })

  test('it is emptied after its window, and is full at 255', () => {
    const sketch = createSketch(64, 1000)
    const at = cellsOf(wordsOf('k', 'a'), 64)
    for (let n = 0; n < 300; n++) sketch.count(5000, at, 1)
    expect(sketch.count(5999, at, 0)).toBe(255)
    expect(sketch.count(6000, at, 0)).toBe(0)
  })

  test('who does not know the key can not tell whose cells are whose', () => {
    expect(cellsOf(wordsOf('k', 'a'), 4096)).not.toEqual(cellsOf(wordsOf('other', 'a'), 4096))
    const cells = cellsOf(wordsOf('k', 'a'), 4096)
    cells.forEach((cell, row) => expect(Math.floor(cell / 4096)).toBe(row))
  })
})

test('one process counts exactly, and looks without counting', async () => {
  const signals = signalsOf()
  for (const n of numbers(10)) {
    const counts = await signals.count('one', counting, {
      visits: [visit('a'), visit('b'), visit('c', 0)],
      joins: 1,
    })
    expect(counts).toEqual({ seen: [n, n, 0], surely: [n, n, 0], joins: n, enters: 0 })
  }
  expect(await signals.count('one', counting, { visits: [visit('a', 0)], enters: 1 })).toEqual({
    ...{ seen: [10], surely: [10], joins: 10, enters: 1 },
  })
  expect(await signals.count('other-sale', counting, { visits: [visit('a', 0)] })).toMatchObject({
    seen: [0],
  })
})

test('nodes count together who comes often, and keep to themselves who does not', async () => {
  const nodes = [signalsOf(), signalsOf(), signalsOf()]
  const last = []
  for (const n of numbers(30)) {
    const counts = await nodes[n % 3]?.count('nodes', counting, { visits: [visit('often')] })
    last.push(counts?.seen[0] ?? 0)
  }
  expect(last.at(-1)).toBe(30)
  // On the way there it never knew of fewer than all but those two a node.
  last.forEach((seen, index) => expect(seen).toBeGreaterThanOrEqual(index + 1 - 2 * KEPT_HERE))

  for (let n = 0; n < 100; n++)
    await nodes[n % 3]?.count('rare', counting, { visits: [visit(`${n}`), visit('x', 0)] })
  expect(await redis.commands.exists(seenKey('rare', counting))).toBe(0)
})

test('the requests of one turn travel together, each told its own', async () => {
  const signals = signalsOf()
  const before = await calls()
  const counts = await Promise.all(
    numbers(200).map((n) => signals.count('turn', counting, { visits: [visit('same'), visit(`${n}`)] })),
  )
  expect(counts.map(({ seen }) => seen)).toEqual(numbers(200).map((n) => [n, 1]))
  // 198 in batches of at most 64.
  expect((await calls()) - before).toBe(4)
})

async function calls(): Promise<number> {
  return Number(/cmdstat_bitfield:calls=(\d+)/.exec(await redis.commands.info('commandstats'))?.[1] ?? 0)
}

test('a crowd in a small table: nobody is counted too little, and noise accuses nobody', async () => {
  const signals = signalsOf()
  const small = { window_s: 600, cells: 1024 }
  const crowd = numbers(10_000).map((n) => signals.count('noisy', small, { visits: [visit(`${n}`)] }))
  const often = numbers(30).map(() => signals.count('noisy', small, { visits: [visit('often')] }))
  await Promise.all([...crowd, ...often])
  const { seen, surely } = await signals.count('noisy', small, {
    visits: [visit('often', 0), visit('never', 0)],
  })
  expect(seen[0]).toBeGreaterThanOrEqual(30)
  expect(surely[1]).toBeLessThan(8)
})

test('from 255 on it says 255', async () => {
  const signals = signalsOf()
  const counts = await Promise.all(
    numbers(300).map(() => signals.count('full', counting, { visits: [visit('a')] })),
  )
  expect(counts.at(-1)).toMatchObject({ seen: [255] })
})

test('the table has one size and is gone after its window', async () => {
  const count = () => signalsOf().count('size', counting, { visits: [visit('a')], joins: 1 })
  await count()
  const key = seenKey('size', counting)
  expect(await redis.commands.strlen(key)).toBe(ROWS * 4096 + 12)
  expect(await redis.commands.pttl(key)).toBeGreaterThan(590_000)
  await redis.commands.pexpire(key, 300_000)
  await count()
  // The window began with its first visit.
  expect(await redis.commands.pttl(key)).toBeLessThanOrEqual(300_000)
  await redis.commands.del(key)
  expect(await count()).toMatchObject({ joins: 1 })
})

test('a changed size counts anew, at once', async () => {
  const signals = signalsOf()
  for (const n of numbers(5))
    expect((await signals.count('new', counting, { visits: [visit('a')] })).seen).toEqual([n])
  const larger = { ...counting, cells: 8192 }
  expect(await signals.count('new', larger, { visits: [visit('a')] })).toMatchObject({ seen: [1] })
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
  const count = async () => (await signals.count('s', counting, { visits: [visit('a')], joins: 1 })).seen
  expect(await count()).toEqual([1])
  await own.kill9()
  for (const n of numbers(5)) expect(await count()).toEqual([n + 1])
  // It was asked once, not each time.
  expect(errors).toHaveLength(1)
  await own.restart()
  const back = async (): Promise<void> =>
    connection.runId() === undefined ? Bun.sleep(5).then(back) : undefined
  await back()
  clock.advance(1000)
  expect(await count()).toEqual([7])
  expect(await connection.commands.exists(seenKey('s', counting))).toBe(1)
  await connection.close()
  await own.stop()
})

test('a key that is something else is an error, not a count', async () => {
  const errors: unknown[] = []
  const signals = createSignals({
    redis,
    clock: handClock(),
    key: 'k',
    onError: (error) => errors.push(error),
  })
  await redis.commands.lpush(seenKey('wrong', counting), 'x')
  expect(await signals.count('wrong', counting, { visits: [visit('a')], joins: 1 })).toMatchObject({
    seen: [1],
  })
  expect(String(errors[0])).toContain('WRONGTYPE')
})
