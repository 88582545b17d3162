import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Rooms, startRooms } from '../../../test/support/rooms.ts'
import { replaySettings } from '../../../test/support/seed.ts'
import { letPass } from '../../../test/support/waiting-room.ts'
import { MAIN_LANE } from './keys.ts'
import { reserveScript } from './recovery.ts'
import * as scripts from './scripts.ts'
import type { Line } from './scripts.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms({ nodes: 4 })))
afterAll(() => rooms[Symbol.asyncDispose]())

const lane = MAIN_LANE
let sales = 0
async function newLine(rate: number): Promise<string> {
  const sale = `line-${++sales}`
  await scripts.create.run(rooms.commands, {
    ...{ sale, lane, rate, opens_at: Date.now(), ends_at: null, threshold: null, places: null, secret: null },
    state: 'open',
  })
  await reserveScript.run(rooms.commands, { sale, lane, run_id: '', ceiling: 1e9, change: 'raise' })
  return sale
}
async function joinMany(sale: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1000)
    await scripts.join.run(rooms.commands, {
      ...{ sale, lane, hash: 'ab', run_id: '' },
      client_keys: new Array<string>(Math.min(left, 1000)).fill(''),
    })
}
const read = async (sale: string) => (await scripts.read.run(rooms.commands, { sale, lane })) as Line
const enter = async (
  sale: string,
  position: number,
  node: number,
  change: Partial<scripts.Entering> = {},
) => {
  const [result] = await scripts.enter.run(rooms.connections[node % 4]?.commands ?? rooms.commands, {
    ...{ sale, lane, positions: [position], lifetime_ms: 60_000, window_ms: 60_000, slot_ms: 1, cap: 1e9 },
    ...{ enough: 1e9, units: 1e9 },
    ...change,
  })
  return result as scripts.EnterResult
}

/** Chance that is the same in every run (mulberry32). */
function chanceFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const STEP_MS = 500
interface Played {
  /** When somebody entered, in ms of the line's own time. */
  readonly entries: readonly number[]
  readonly from: number
  readonly until: number
  readonly lapsed: number
  readonly line: Line
}

/**
 * People join for as long as it takes; of those whose turn comes a share does not. The others ask within two seconds, and
 * again every second where there is no room.
 */
async function play(rate: number, noShows: number, minutes: number, shiftAt = 0): Promise<Played> {
  const chance = chanceFrom(7)
  const sale = await newLine(rate)
  await joinMany(sale, Math.ceil(rate * minutes * 60 * 4))
  const asks: { position: number; at: number }[] = []
  const entries: number[] = []
  let [served, skipped, lapsed] = [0, 0, 0]
  let line = await read(sale)
  const from = line.now
  const steps = (minutes * 60_000) / STEP_MS
  for (let step = 0; step < steps; step += 1) {
    await letPass(rooms.commands, sale, STEP_MS)
    skipped += STEP_MS
    line = await read(sale)
    const now = line.now + skipped
    const share = step < steps * shiftAt ? 0 : noShows
    for (; served < line.serving; served += 1)
      if (chance() >= share) asks.push({ position: served + 1, at: now + chance() * 2000 })
    const due = asks.filter(({ at }) => at <= now)
    for (const ask of due) {
      const result = await enter(sale, ask.position, ask.position)
      if (result.kind === 'full') ask.at = now + 1000
      else asks.splice(asks.indexOf(ask), 1)
      if (result.kind === 'turn_lapsed') lapsed += 1
      if (result.kind === 'entered') entries.push(result.issued_at + skipped)
    }
  }
  return { entries, from, until: line.now + skipped, lapsed, line }
}

/** Entries a minute over the last half. */
function perMinute({ entries, from, until }: Played): number {
  const half = (from + until) / 2
  return (entries.filter((at) => at >= half).length / (until - half)) * 60_000
}

for (const noShows of [0, 0.3, 0.6])
  test(`${noShows * 100} % of turns not taken: entries converge on 500 a minute, within 3 %`, async () => {
    const played = await play(500 / 60, noShows, 8)
    expect(perMinute(played)).toBeWithin(485, 515)
    expect(played.lapsed).toBe(0)
    expect(1 - played.line.show).toBeWithin(noShows - 0.2, noShows + 0.2)
  }, 30_000)

test('when people begin to stay away in the middle, the line follows', async () => {
  const played = await play(500 / 60, 0.5, 8, 0.4)
  expect(perMinute(played)).toBeWithin(480, 515)
}, 30_000)

test('people who asked while there was no room and went away do not slow the line for ever', async () => {
  const sale = await newLine(10)
  await joinMany(sale, 30_000)
  await letPass(rooms.commands, sale, 60_000)
  for (let position = 1; position <= 600; position += 1)
    expect((await enter(sale, position, position, { units: 0 })).kind).toBe('full')
  // All of them give up. Those behind them take every turn, and ask again each second until they are in.
  await letPass(rooms.commands, sale, 10_000)
  let asking: number[] = []
  let entered = 0
  let { serving: served } = await read(sale)
  for (let second = 0; second < 60; second += 1) {
    await letPass(rooms.commands, sale, 1000)
    const { serving } = await read(sale)
    for (; served < serving; served += 1) asking.push(served + 1)
    const results = await Promise.all(asking.map((position) => enter(sale, position, 0)))
    asking = asking.filter((_, index) => results[index]?.kind === 'full')
    entered += results.filter(({ kind }) => kind === 'entered').length
  }
  expect(entered).toBeWithin(560, 630)
})

test('admissions in any window are at most rate x time and one second at once, on four nodes', async () => {
  const wait = fc.integer({ min: 1, max: 4000 }).map((ms) => ({ kind: 'wait', ms }) as const)
  const ask = fc
    .record({ from: fc.integer({ min: 1, max: 300 }), count: fc.integer({ min: 1, max: 60 }) })
    .map((range) => ({ kind: 'ask', ...range }) as const)
  const steer = fc
    .constantFrom(
      { state: 'paused' } as const,
      { state: 'open' } as const,
      { stopped: 'stock' },
      { stopped: 'no' },
    )
    .map((steering) => ({ kind: 'steer', steering }) as const)
  const history = fc.array(fc.oneof(ask, wait, ask, wait, steer), { minLength: 4, maxLength: 25 })
  const property = fc.asyncProperty(fc.constantFrom(0.5, 3, 20, 100), history, async (rate, steps) => {
    const sale = await newLine(rate)
    await joinMany(sale, 1000)
    // Everybody's turn has come: only the tokens hold them back.
    await letPass(rooms.commands, sale, 3_600_000)
    const entries: number[] = []
    const inside = new Set<number>()
    let skipped = 0
    for (const step of steps) {
      if (step.kind === 'wait') {
        await letPass(rooms.commands, sale, step.ms)
        skipped += step.ms
      }
      if (step.kind === 'steer') await scripts.steer.run(rooms.commands, { sale, lane, ...step.steering })
      if (step.kind === 'ask') {
        const positions = Array.from({ length: step.count }, (_, index) => step.from + index)
        const results = await Promise.all(
          positions.map((position) => enter(sale, position, position, { window_ms: 1e9 })),
        )
        for (const [index, result] of results.entries()) {
          const position = positions[index] as number
          if (result.kind !== 'entered' || inside.has(position)) continue
          inside.add(position)
          entries.push(result.issued_at + skipped)
        }
      }
    }
    entries.sort((a, b) => a - b)
    const burst = Math.max(1, rate)
    for (const [first, from] of entries.entries())
      for (const [offset, until] of entries.slice(first).entries())
        expect(offset + 1).toBeLessThanOrEqual((rate * (until - from)) / 1000 + burst + 1e-3)
  })
  await fc.assert(property, { numRuns: 60, ...replaySettings('tokens') })
}, 30_000)
