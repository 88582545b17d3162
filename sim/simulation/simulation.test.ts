import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { replaySettings } from '../../test/support/seed.ts'
import { projectPath } from '../../src/platform/project.ts'
import { MUTATIONS } from './mutations.ts'
import { FAULTS } from './setting.ts'
import { simulate } from './simulation.ts'

const SEEDS = 300
/** Every planted bug shows within so many sales. */
const FOUND_WITHIN = 250

/** Events of a sale that must have happened in some of the runs, or the invariants were held up by nothing. */
const MUST_HAPPEN = [
  ...FAULTS.map((fault) => `fault: ${fault}`),
  ...['PAID', 'payment_timeout', 'hold_expired', 'cancelled_by_user'].map((end) => `order: ${end}`),
  ...['captured', 'cancelled', 'refunded'].map((state) => `payment: ${state}`),
  ...['paid', 'recorded', 'duplicate', 'lost'].map((effect) => `provider event: ${effect}`),
  ...['claimed', 'held_out', 'sold_out', 'limit_reached', 'fenced'].map((kind) => `claim: ${kind}`),
  ...['clean', 'repaired', 'refused'].map((outcome) => `reconcile: ${outcome}`),
  ...['redis lost writes', 'receipt: claimed'],
]

test('every invariant holds in whatever order things happen and whatever breaks', async () => {
  const first = Math.abs(replaySettings('simulation').seed)
  const tally = new Set<string>()
  for (let seed = first; seed < first + SEEDS; seed += 1) {
    const verdict = await simulate(seed)
    for (const what of verdict.tally.keys()) tally.add(what)
    const replay = `npm run simulate -- --seed ${seed}`
    expect({ replay, broken: verdict.violations }).toEqual({ replay, broken: [] })
  }
  expect(MUST_HAPPEN.filter((what) => !tally.has(what))).toEqual([])
}, 120_000)

describe('a seed is a whole sale', () => {
  const traceOf = async (seed: number) => (await simulate(seed, { recording: true })).trace.join('\n')

  test('and the same one each time, whatever ran before', async () => {
    const first = await traceOf(11)
    await traceOf(12)
    expect(await traceOf(11)).toBe(first)
    expect(first.split('\n').length).toBeGreaterThan(200)
  })

  test('also without a trace, which is only looked at', async () => {
    const [silent, told] = [await simulate(11), await simulate(11, { recording: true })]
    expect(silent.steps).toBe(told.steps)
    expect([...silent.tally]).toEqual([...told.tally])
  })

  test('and in another process byte for byte', () => {
    const run = () =>
      spawnSync(process.execPath, [projectPath('src/doorbuster.ts'), 'simulate', '--seed', '11'])
    const [one, other] = [run(), run()]
    expect(one.status).toBe(0)
    expect(one.stdout.toString()).toContain('seed 11: every invariant held')
    expect(other.stdout.equals(one.stdout)).toBe(true)
  }, 30_000)

  test('another seed is another sale', async () => expect(await traceOf(12)).not.toBe(await traceOf(11)))
})

describe('a planted bug is found', () => {
  for (const mutation of Object.keys(MUTATIONS))
    test(
      mutation,
      async () => {
        let seed = 1
        while (seed <= FOUND_WITHIN && (await simulate(seed, { mutation })).violations.length === 0) seed += 1
        expect(seed).toBeLessThanOrEqual(FOUND_WITHIN)
      },
      120_000,
    )
})
