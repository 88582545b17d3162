import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { replaySettings } from '../../../test/support/seed.ts'
import { letPass } from '../../../test/support/waiting-room.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectRedis, type RedisConnection } from '../../platform/redis.ts'
import { MAIN_LANE } from './keys.ts'
import { reserveScript } from './recovery.ts'
import * as scripts from './scripts.ts'
import type { Line } from './scripts.ts'

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

const OPENS_IN_MS = 1000
const HOUR = 3_600_000
const lane = MAIN_LANE
let sales = 0
async function create(
  rate: number,
  opensInMs = OPENS_IN_MS,
  change: Partial<scripts.NewLine> = {},
): Promise<string> {
  const sale = `serving-${++sales}`
  const opens_at = (await redisNow()) + opensInMs
  await scripts.create.run(redis.commands, {
    ...{ sale, lane, rate, opens_at, ends_at: null, threshold: null, places: null, secret: null },
    ...{ state: 'open', ...change },
  })
  await reserveScript.run(redis.commands, { sale, lane, run_id: '', ceiling: 1e9, change: 'raise' })
  return sale
}
const redisNow = async () => {
  const [seconds, micros] = await redis.commands.time()
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}
/** Gives the first of the positions. */
async function join(sale: string, count: number): Promise<number> {
  let first: number | undefined
  for (let left = count; left > 0; left -= 1000) {
    const client_keys = new Array<string>(Math.min(left, 1000)).fill('')
    const result = await scripts.join.run(redis.commands, {
      sale,
      lane,
      client_keys,
      hash: 'ab',
      run_id: '',
    })
    if (result.kind !== 'joined') throw new Error(result.kind)
    first ??= result.positions[0]
  }
  return first ?? 0
}
const enter = async (sale: string, position: number, change: Partial<scripts.Entering> = {}) => {
  const [result] = await scripts.enter.run(redis.commands, {
    ...{ sale, lane, positions: [position], lifetime_ms: 60_000, window_ms: 10_000, slot_ms: 45_000 },
    ...{ cap: 1000, enough: 1000, units: 1000, ...change },
  })
  return result as scripts.EnterResult
}
const steer = (sale: string, steering: scripts.Steering) =>
  scripts.steer.run(redis.commands, { sale, lane, ...steering })
const read = async (sale: string): Promise<Line> => {
  const line = await scripts.read.run(redis.commands, { sale, lane })
  if (line === undefined) throw new Error(`${sale} is not loaded`)
  return line
}

type Step =
  | { readonly kind: 'join'; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'steer'; readonly steering: scripts.Steering }

const wait = fc.integer({ min: 1, max: 20_000 }).map((ms): Step => ({ kind: 'wait', ms }))
const joining = fc.integer({ min: 1, max: 300 }).map((count): Step => ({ kind: 'join', count }))
const steering = fc
  .oneof(
    fc.constantFrom(0.5, 3, 20, 333.3, 1000).map((rate) => ({ rate })),
    fc.constantFrom('open', 'paused').map((state) => ({ state }) as const),
    fc.constantFrom('no', 'stock', 'checkout').map((stopped) => ({ stopped })),
  )
  .map((change): Step => ({ kind: 'steer', steering: change }))
const history = fc.array(fc.oneof(wait, joining, steering, wait, joining), { minLength: 3, maxLength: 20 })

/** One look at the line, in the time of the history: what was skipped counts as passed. */
interface Look extends Line {
  readonly time: number
  /** Most and least credit there can be: the moment of a change is known to a few ms only. */
  readonly most: number
  readonly least: number
}

/** Plays a history and looks at the line after each step, carrying the bounds along. */
async function play(rate: number, steps: readonly Step[]): Promise<{ looks: Look[]; joined: number }> {
  const sale = await create(rate)
  let [skipped, joined] = [0, 0]
  const first = await read(sale)
  const looks: Look[] = [{ ...first, time: first.now, most: 0, least: 0 }]
  const opens = first.now + OPENS_IN_MS
  for (const step of steps) {
    const before = looks.at(-1) as Look
    if (step.kind === 'wait') {
      await letPass(redis.commands, sale, step.ms)
      skipped += step.ms
    }
    if (step.kind === 'steer') await steer(sale, step.steering)
    if (step.kind === 'join') {
      expect(await join(sale, step.count)).toBe(joined + 1)
      joined += step.count
    }
    const line = await read(sale)
    const time = line.now + skipped
    const moving = (look: Line) => (look.state === 'open' && look.running ? look.rate : 0)
    // Opening falls into a step: from then on it moves.
    const span = Math.max(0, time - Math.max(before.time, opens - 5)) / 1000
    const speeds = [before.time < opens ? moving(line) : moving(before), moving(line)]
    const cap = step.kind === 'wait' ? Infinity : before.tail + 1
    const least =
      before.least + (before.time < opens ? Math.max(0, time - opens - 5) / 1000 : span) * Math.min(...speeds)
    looks.push({
      ...line,
      time,
      most: Math.min(before.most + span * Math.max(...speeds), cap + span * Math.max(...speeds)),
      least: Math.min(least, cap),
    })
  }
  return { looks, joined }
}

const SLACK = 1e-3

test('over any history: never back, never past the tail, no place lost, and exactly as fast as it was told', async () => {
  const property = fc.asyncProperty(fc.constantFrom(0.5, 3, 20, 1000), history, async (rate, steps) => {
    const { looks, joined } = await play(rate, steps)
    for (const [index, look] of looks.entries()) {
      const before = looks[index - 1]
      expect(look.serving).toBeLessThanOrEqual(look.tail)
      if (before !== undefined) expect(look.serving).toBeGreaterThanOrEqual(before.serving)
      expect(look.serving).toBeLessThanOrEqual(Math.min(look.most + SLACK, look.tail))
      expect(look.serving).toBeGreaterThanOrEqual(Math.floor(Math.min(look.least - SLACK, look.tail)))
    }
    expect(looks.at(-1)?.tail).toBe(joined)
  })
  await fc.assert(property, { numRuns: 80, ...replaySettings('serving') })
})

test('over any history: admissions in any window are at most rate x time, and a burst of two', async () => {
  const BURST = 2
  const property = fc.asyncProperty(fc.constantFrom(0.5, 3, 20), history, async (rate, steps) => {
    const { looks } = await play(rate, steps)
    for (let from = 0; from < looks.length; from += 1) {
      let allowed = BURST
      for (let to = from + 1; to < looks.length; to += 1) {
        const [earlier, later] = [looks[to - 1], looks[to]] as [Look, Look]
        allowed += (Math.max(earlier.rate, later.rate) * (later.time - earlier.time)) / 1000
        expect(later.serving - (looks[from] as Look).serving).toBeLessThanOrEqual(allowed)
      }
    }
  })
  await fc.assert(property, { numRuns: 40, ...replaySettings('admissions') })
})

test('before the opening nobody is served; from then on N a second', async () => {
  const sale = await create(50, 10_000)
  await join(sale, 1000)
  expect(await read(sale)).toMatchObject({ serving: 0, running: false, tail: 1000 })
  await letPass(redis.commands, sale, 12_000)
  expect((await read(sale)).serving).toBeWithin(100, 110)
})

test('in real time: 500 a second', async () => {
  const sale = await create(500, 0)
  await join(sale, 100_000)
  const start = await read(sale)
  for (let look = 0; look < 20; look += 1) {
    const line = await read(sale)
    const expected = ((line.now - start.now) / 1000) * 500 + start.serving
    expect(line.serving).toBeWithin(Math.floor(expected), Math.ceil(expected) + 2)
    await systemClock.sleep(10)
  }
})

test('an empty line saves up one admission, not one for every second', async () => {
  const sale = await create(10, 0)
  await letPass(redis.commands, sale, 3_600_000)
  await join(sale, 50)
  expect((await read(sale)).serving).toBe(1)
  await letPass(redis.commands, sale, 2000)
  expect((await read(sale)).serving).toBeWithin(20, 23)
  // Everybody served, and idle again.
  await letPass(redis.commands, sale, 3_600_000)
  expect(await read(sale)).toMatchObject({ serving: 50, tail: 50 })
  await steer(sale, { rate: 5 })
  await join(sale, 10)
  expect((await read(sale)).serving).toBe(51)
})

test('pause and stop hold the line where it is; resuming loses and gives nothing', async () => {
  const sale = await create(10, 0)
  await join(sale, 1000)
  await letPass(redis.commands, sale, 5000)
  for (const [halt, go] of [
    [{ state: 'paused' }, { state: 'open' }],
    [{ stopped: 'stock' }, { stopped: 'no' }],
  ] as const) {
    await steer(sale, halt)
    const held = await read(sale)
    expect(held.running).toBe(false)
    await letPass(redis.commands, sale, 3_600_000)
    expect(await read(sale)).toMatchObject({ serving: held.serving, tail: 1000 })
    await steer(sale, go)
    expect((await read(sale)).serving).toBeWithin(held.serving, held.serving + 2)
    await letPass(redis.commands, sale, 2000)
    expect((await read(sale)).serving).toBeWithin(held.serving + 19, held.serving + 24)
  }
})

test('a fraction of an admission survives a change of the rate', async () => {
  const sale = await create(1, 0)
  await join(sale, 100)
  // Twenty changes 0.9 s apart: 18 admissions, which flooring at each change would lose.
  for (let change = 0; change < 20; change += 1) {
    await letPass(redis.commands, sale, 900)
    await steer(sale, { rate: change % 2 === 0 ? 1.0001 : 1 })
  }
  expect((await read(sale)).serving).toBeWithin(18, 20)
})

test('serving stands where it was when the end has come', async () => {
  const sale = await create(1, 0, { ends_at: Date.now() + HOUR })
  await join(sale, 10_000)
  await letPass(redis.commands, sale, HOUR - 20_000)
  expect(await read(sale)).toMatchObject({ state: 'open', running: true })
  expect((await read(sale)).serving).toBeWithin(3570, 3590)
  await letPass(redis.commands, sale, 25_000)
  const ended = await read(sale)
  expect(ended).toMatchObject({ state: 'ended', running: false })
  expect(ended.serving).toBeWithin(3589, 3603)
  await steer(sale, { rate: 99 })
  await letPass(redis.commands, sale, HOUR)
  expect((await read(sale)).serving).toBe(ended.serving)
})

test('those who walked through on standby are not put back when the end comes', async () => {
  const sale = await create(0.01, 0, { ends_at: Date.now() + HOUR, threshold: 1000 })
  await join(sale, 500)
  expect(await read(sale)).toMatchObject({ serving: 500, dormant: true })
  await letPass(redis.commands, sale, HOUR)
  expect(await read(sale)).toMatchObject({ state: 'ended', serving: 500 })
})

test('a clock that was set back does not take back what was served', async () => {
  const sale = await create(10, 0)
  await join(sale, 1000)
  await letPass(redis.commands, sale, 10_000)
  await steer(sale, { rate: 20 })
  const served = (await read(sale)).serving
  expect(served).toBeGreaterThanOrEqual(100)
  await letPass(redis.commands, sale, -5000)
  expect((await read(sale)).serving).toBeWithin(served - 1, served + 2)
})

test('a turn that has come keeps its whole window when the rate is lowered', async () => {
  const sale = await create(100, 0)
  await join(sale, 1000)
  await letPass(redis.commands, sale, 5000)
  expect((await read(sale)).serving).toBeGreaterThanOrEqual(500)
  await steer(sale, { rate: 1 })
  // Position 1 came up 5 s ago; the window is 10 s.
  expect((await enter(sale, 1)).kind).toBe('entered')
})

test('a turn that is not taken lapses, but not of one who keeps asking and finds no room', async () => {
  const sale = await create(100, 0)
  await join(sale, 30_000)
  await letPass(redis.commands, sale, 1000)
  const window_ms = 1000
  for (let second = 0; second < 20; second += 1) {
    expect(await enter(sale, 50, { cap: 0, window_ms })).toEqual({ kind: 'full' })
    await letPass(redis.commands, sale, 1000)
  }
  expect(await enter(sale, 49, { window_ms })).toEqual({ kind: 'turn_lapsed' })
  expect((await enter(sale, 50, { window_ms })).kind).toBe('entered')
})
