import { expect, spyOn, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { replaySettings } from '../../test/support/seed.ts'
import type { Invariant } from './measures.ts'
import { readStampedeOptions, type StampedeOptions } from './options.ts'
import { PLANTED } from './planted.ts'
import { commandOf } from './report.ts'
import { simulateStampede } from './simulation.ts'
import { stampede } from './stampede.ts'
import { summaryOf } from './summary.ts'

const { seed } = replaySettings('stampede')
const optionsOf = (change: Partial<StampedeOptions> = {}): StampedeOptions => ({
  ...readStampedeOptions({ buyers: 2000, units: 20, spread: 60, hold: 30, payWindow: 20, seed: 7 }, '/tmp'),
  ...change,
})
const LONG_MS = 120_000

/** What a seed decides: all but how long it took and how much memory that needed. */
async function outcome(change: Partial<StampedeOptions>) {
  const summary = summaryOf(await simulateStampede(optionsOf(change)))
  return {
    decided: { ...summary, wall_s: null, cpu_s: null, memory: null },
    redis: summary.memory.redis_grown_bytes,
  }
}

test(
  'a seed replays a sale, another makes another; everything is sold, and what must hold holds',
  async () => {
    const [once, again, other] = [await outcome({}), await outcome({}), await outcome({ seed: seed >>> 1 })]
    expect(again.decided).toEqual(once.decided)
    expect({ ...other.decided, seed: 7 }).not.toEqual(once.decided)
    for (const { decided: run } of [once, other]) {
      expect(run.broken).toEqual([])
      expect(run.sold).toBe(20)
      expect(run.joined + run.refused).toBe(2000)
      expect(run.rank_correlation).toBeGreaterThan(0.6)
    }
  },
  LONG_MS,
)

test(
  'a lobby is let in when the sale opens, in the order it came',
  async () => {
    const run = await simulateStampede(
      optionsOf({ arrival: 'lobby', bots: 0, noShows: 0.5, units: 100, rate: 20 }),
    )
    expect([...run.broken.found]).toEqual([])
    expect(run.owners).toHaveLength(100)
    expect(run.admissions.every(({ at }) => at >= 0)).toBe(true)
    expect(run.seconds[0]?.at).toBeLessThan(-50)
  },
  LONG_MS,
)

test(
  'twice the buyers are twice the events and no more memory in Redis',
  async () => {
    const [some, many] = [await outcome({ buyers: 4000 }), await outcome({ buyers: 8000 })]
    expect(many.decided.events / some.decided.events).toBeLessThan(2.5)
    expect(many.decided.events / some.decided.events).toBeGreaterThan(1.3)
    // Less than a byte for each of four thousand more.
    expect(Math.abs(many.redis - some.redis)).toBeLessThan(300_000)
  },
  LONG_MS,
)

test(
  'one that is cut short says so and leaves no server behind',
  async () => {
    const seen = () => readdirSync(tmpdir()).filter((name) => name.startsWith('doorbuster-stampede-'))
    const before = seen()
    const run = simulateStampede(optionsOf(), undefined, AbortSignal.abort())
    expect(await run.catch(String)).toContain('Cut short')
    expect(seen().filter((name) => !before.includes(name))).toEqual([])
  },
  LONG_MS,
)

const FINDS: Record<string, Invariant> = {
  'sells what is not there': 'stock',
  'forgets the limit of a buyer': 'limit',
  'lets in without a token': 'rate',
  'lets in before the turn': 'turn',
  'refuses every other one': 'order',
  'gives a position twice': 'places',
  'loses the units of a hold that lapsed': 'stock',
  'settles only in words': 'orders',
}

test('every planted bug has the invariant that finds it, every invariant a bug', () => {
  expect(Object.keys(FINDS).sort()).toEqual(Object.keys(PLANTED).sort())
})

for (const [planted, invariant] of Object.entries(FINDS))
  test(
    `planted: ${planted}`,
    async () => {
      const run = await simulateStampede(optionsOf({ planted }))
      expect([...run.broken.found.keys()]).toContain(invariant)
    },
    LONG_MS,
  )

test(
  'the command writes a page that needs nothing else, and ends with 1 where something broke',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'stampede-'))
    const lines: string[] = []
    const log = spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
    const error = spyOn(console, 'error').mockImplementation(() => undefined)
    try {
      const report = join(folder, 'deep', 'report.html')
      const options = optionsOf({ buyers: 1000, report, json: true, planted: 'settles only in words' })
      expect(await stampede(options)).toBe(1)
      const verdict = JSON.parse(lines.at(-1) ?? '') as { broken: string[]; seed: number }
      expect(verdict).toMatchObject({ seed: 7, report })
      expect(verdict.broken).toContain('orders')
      const page = readFileSync(report, 'utf8')
      for (const title of ['Arrivals', 'Depth', 'Admissions', 'sell-out', 'Wait by position', 'Fairness'])
        expect(page).toContain(title)
      expect(page).toContain('✗ broken')
      expect(page).toContain(commandOf({ options }))
      expect(page).not.toMatch(/<script|https?:|NaN|Infinity|undefined/)
    } finally {
      log.mockRestore()
      error.mockRestore()
      rmSync(folder, { recursive: true })
    }
  },
  LONG_MS,
)

test('what is no number, no curve or for a real crowd is told in one line', () => {
  const read = (values: Record<string, string | boolean>) => () => readStampedeOptions(values, '/tmp')
  expect(read({ buyers: '20000001' })).toThrow('--buyers: expected a whole number from 1 to 20000000')
  expect(read({ arrival: 'flood' })).toThrow('--arrival: expected one of spike, ramp, lobby')
  expect(read({ shows: 'some' })).toThrow('--no-shows: expected a number from 0 to 1')
  expect(read({ sale: 'mine' })).toThrow('leave out --simulate')
  expect(read({ hold: '5', payWindow: '9' })).toThrow('--hold')
  // commander's default for a flag that begins with `--no-`.
  expect(read({ shows: true })()).toMatchObject({ noShows: 0.2, report: '/tmp/rush-simulated.html' })
  expect(read({ shows: '0.5' })().noShows).toBe(0.5)
})
