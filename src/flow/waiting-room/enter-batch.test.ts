import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { startVirtualTime, type VirtualTime } from '../../../sim/stampede/virtual-redis.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import { dumpQueue } from '../../../test/support/waiting-room.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import { keys, MAIN_LANE } from './keys.ts'
import { reserveScript } from './recovery.ts'
import * as scripts from './scripts.ts'

let server: TestRedis
let redis: RedisConnection
let time: VirtualTime
let now = Date.UTC(2026, 10, 27, 9)
beforeAll(async () => {
  server = await startTestRedis()
  redis = await connectRedis({ url: server.url })
  // A moment is as long as the test wants it to be.
  time = await startVirtualTime(redis, now)
})
afterAll(async () => {
  await redis.close()
  await server.stop()
})

const lane = MAIN_LANE
const pass = (ms: number) => time.advance((now += ms))

type Numbers = Pick<scripts.Entering, 'cap' | 'enough' | 'units'>
type Step =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'join'; readonly count: number }
  | { readonly kind: 'steer'; readonly steering: scripts.Steering }
  | { readonly kind: 'leave'; readonly position: number }
  | { readonly kind: 'enter'; readonly positions: readonly number[]; readonly numbers: Numbers }

const PEOPLE = 60
const few = fc.constantFrom(0, 1, 2, 3, 5, 1000, 1000, 1000)
const position = fc.integer({ min: 1, max: PEOPLE })
const enter = fc
  .record({
    positions: fc.array(fc.oneof(position, fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 20 }),
    numbers: fc.record({ cap: few, enough: few, units: few }),
  })
  .map((tries): Step => ({ kind: 'enter', ...tries }))
const wait = fc
  .oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(700, 1000, 1500, 3001, 8000))
  .map((ms): Step => ({ kind: 'wait', ms }))
const rarely = fc.oneof(
  fc.integer({ min: 1, max: 20 }).map((count): Step => ({ kind: 'join', count })),
  position.map((leaving): Step => ({ kind: 'leave', position: leaving })),
  fc
    .constantFrom<scripts.Steering>(
      ...[{ rate: 0.7 }, { rate: 5 }, { rate: 33.3333 }, { stopped: 'stock' as const }],
      ...[{ stopped: 'no' as const }, { state: 'paused' as const }, { state: 'open' as const }],
      ...[{ state: 'open' as const }, { dormant: true }, { dormant: false }],
    )
    .map((steering): Step => ({ kind: 'steer', steering })),
)
const history = fc.record({
  rate: fc.constantFrom(0.7, 3, 10, 33.3333),
  opensInMs: fc.constantFrom(-20_000, -2000, 1000),
  endsInMs: fc.constantFrom(null, null, 3000),
  threshold: fc.constantFrom(null, null, 5),
  window_ms: fc.constantFrom(1500, 60_000),
  steps: fc.array(fc.oneof(enter, enter, enter, wait, wait, rarely), { minLength: 4, maxLength: 20 }),
})
type History = typeof history extends fc.Arbitrary<infer Drawn> ? Drawn : never

let sales = 0
async function newLine({ rate, opensInMs, endsInMs, threshold }: History): Promise<string> {
  const sale = `batch-${++sales}`
  await scripts.create.run(redis.commands, {
    ...{ sale, lane, rate, opens_at: now + opensInMs, threshold, places: null, secret: null, state: 'open' },
    ends_at: endsInMs === null ? null : now + endsInMs,
  })
  await reserveScript.run(redis.commands, { sale, lane, run_id: '', ceiling: 1e9, change: 'raise' })
  await join(sale, PEOPLE / 2)
  return sale
}
const join = (sale: string, count: number) =>
  scripts.join.run(redis.commands, {
    ...{ sale, lane, hash: 'ab', run_id: '' },
    client_keys: new Array<string>(count).fill(''),
  })

/** All there is of a line; of when things happened, only the millisecond and what came before what. */
async function stateOf(sale: string) {
  const dump = await dumpQueue(redis.commands, sale)
  const moments: [at: number, what: string][] = []
  for (const key of [keys.askedAt(sale, lane), keys.passers(sale, lane)]) {
    const found = (dump[key] ?? []) as string[]
    for (let at = 0; at < found.length; at += 2)
      moments.push([Number(found[at + 1]), `${key.split(':').at(-1)} ${found[at]}`])
    dump[key] = 'among the moments'
  }
  moments.sort(([a], [b]) => a - b)
  expect(new Set(moments.map(([at]) => at)).size).toBe(moments.length)
  const told = moments.map(([at, what]) => `${Math.floor(at)} ${what}`)
  return { told, keys: Object.entries(dump).map(([key, value]) => [key.replace(sale, 'sale'), value]) }
}

test('a batch is decided as the same tries one after the other, and leaves the same behind', async () => {
  const seen = new Set<string>()
  const property = fc.asyncProperty(history, async (drawn) => {
    await pass(1)
    const [together, alone] = [await newLine(drawn), await newLine(drawn)]
    const both = async (call: (sale: string) => Promise<unknown>) => {
      await pass(1)
      for (const sale of [together, alone]) await call(sale)
    }
    for (const step of drawn.steps) {
      if (step.kind === 'steer' && 'dormant' in step.steering && drawn.threshold === null) continue
      if (step.kind === 'wait') await pass(step.ms)
      if (step.kind === 'join') await both((sale) => join(sale, step.count))
      if (step.kind === 'leave')
        await both((sale) => redis.commands.zrem(keys.checkouts(sale), `${step.position}`))
      if (step.kind === 'steer')
        await both((sale) => scripts.steer.run(redis.commands, { sale, lane, ...step.steering }))
      if (step.kind !== 'enter') continue
      await pass(1)
      const tryAll = (sale: string, positions: readonly number[]) =>
        scripts.enter.run(redis.commands, {
          ...{ sale, lane, positions, lifetime_ms: 2000, slot_ms: 3000, window_ms: drawn.window_ms },
          ...step.numbers,
        })
      const answers = await tryAll(together, step.positions)
      const expected: scripts.EnterResult[] = []
      for (const one of step.positions) expected.push(...(await tryAll(alone, [one])))
      expect(answers).toEqual(expected)
      const left = await stateOf(together)
      expect(left).toEqual(await stateOf(alone))
      for (const { kind } of answers) seen.add(kind)
      if (left.told.some((moment) => moment.includes('passers'))) seen.add('past others')
    }
  })
  await fc.assert(property, { numRuns: 150, ...replaySettings('enter-batch') })
  const all = ['ended', 'entered', 'full', 'past others', 'paused', 'too_early', 'turn_lapsed']
  expect([...seen].sort()).toEqual(all)
}, 60_000)
