import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectPath } from '../../src/platform/project.ts'
import { simulateStampede } from '../stampede/simulation.ts'
import { readStampedeOptions } from '../stampede/options.ts'
import { summaryOf } from '../stampede/summary.ts'
import { PRICES } from './assumptions.ts'
import { compare, deviation, Simulated } from './check.ts'
import { readUnitCosts, type UnitCosts } from './costs.ts'
import { flowOf } from './crowd.ts'
import { type AnswerBytes, capacityOf } from './model.ts'
import { readCapacityOptions, scenarioOf, SIZES } from './options.ts'
import { fitOnOneRedis, partsOf } from './parts.ts'

const costs: UnitCosts = {
  measured: { on: '2026-11-26', commit: 'abc', machine: 'a test', careful: false },
  http: { join: 5000, enter: 2000, claim: 3000, soldOut: 4000, status: 13_000 },
  redis: { join: 60_000, enter: 6000, claim: 50_000 },
  ...{ rows: 9000, relay: 20_000, broker: 60_000, transactions: 2000, startS: 1.7 },
}
const answers: AnswerBytes = { join: 515, enter: 169, status: 475, claim: 750, page: 61_440 }
const prices = readCapacityOptions({}).prices
const sizing = { headroom: 2, items: 1, costs }
const sized = (buyers: number, more: object = {}) =>
  capacityOf(
    scenarioOf({ buyers, units: buyers / 100, rate: Math.max(10, buyers / 6000) }),
    { ...sizing, ...more },
    answers,
    prices,
  )
const LONG_MS = 60_000

test(
  'the model says what a simulation counts: within 25 %, looks within 15 %, places and bytes within 3 %',
  async () => {
    const options = readStampedeOptions({ buyers: 10_000, units: 100, seed: 7 }, '/tmp')
    const run = Simulated.parse(JSON.parse(JSON.stringify(summaryOf(await simulateStampede(options)))))
    for (const pair of compare(run)) {
      const close = /places|bytes/.test(pair.what) ? 0.03 : /looks|wait at once/.test(pair.what) ? 0.15 : 0.25
      expect({ ...pair, close: Math.abs(deviation(pair)) <= close }).toEqual({ ...pair, close: true })
    }
  },
  LONG_MS,
)

test('nobody is lost in the fluid: who came joined or was too late, every unit is sold once, every order ends', () => {
  for (const arrival of ['spike', 'ramp', 'lobby'] as const) {
    const { total, soldOutS } = flowOf(scenarioOf({ buyers: 50_000, units: 500, rate: 50, arrival }))
    expect(total.arrivals).toBeCloseTo(50_000, 3)
    expect(total.joins).toBeLessThanOrEqual(total.arrivals + 1e-6)
    expect(soldOutS).toBeGreaterThan(0)
    expect(total.paid).toBeLessThanOrEqual(500 + 1e-6)
    expect(total.paid).toBeGreaterThan(499)
    expect(total.paid + total.returned).toBeCloseTo(total.orders, 0)
    expect(total.admissions).toBeGreaterThan(total.orders)
  }
})

test('more people need more of everything that can be multiplied, and what can not shows where it breaks', () => {
  const [small, large] = [sized(10_000), sized(10_000_000)]
  const web = (one: typeof small) => one.parts.find(({ name }) => name === 'web process')
  expect(web(small)?.count).toBe(3)
  expect(web(large)?.count).toBeGreaterThan(50)
  expect(small.redis).toMatchObject({ servers: 3, cluster: false })
  expect(large.redis).toMatchObject({ servers: 9, cluster: true })
  expect(large.parts[0]?.busy).toBeGreaterThan(1)
  const line = large.parts.find(({ name }) => name.includes('line'))
  // 165,000 joins a second for a Redis that does 60,000.
  expect(line?.busy).toBeGreaterThan(2.5)
  expect(large.money.total).toBeGreaterThan(10 * small.money.total)
  expect(large.edge.gbit).toBeCloseTo(82, -1)
})

test('headroom is a factor, items share the claims, a faster part needs fewer', () => {
  const flow = flowOf(scenarioOf({ buyers: 1_000_000, units: 10_000, rate: 200 }))
  const web = (more: object) =>
    partsOf(flow, { ...sizing, ...more }).find(({ name }) => name === 'web process')
  const [two, four] = [web({}), web({ headroom: 4 })]
  expect(four?.load).toBe(two?.load ?? 0)
  expect(four?.count).toBe(Math.ceil((two?.load ?? 0) * 4))
  const fast = { ...costs, http: { ...costs.http, join: 50_000 } }
  expect(web({ costs: fast })?.count ?? 0).toBeLessThan(two?.count ?? 0)
  const slow = { ...costs, redis: { ...costs.redis, claim: 20 } }
  const item = (items: number) =>
    partsOf(flow, { headroom: 2, items, costs: slow }).find(({ name }) => name.endsWith('items'))
  expect(item(1)?.busy).toBeCloseTo(4 * (item(4)?.busy ?? 0), 6)
  expect(fitOnOneRedis(partsOf(flow, sizing), 2)).toBe(true)
  expect(fitOnOneRedis(partsOf(flow, { headroom: 2, items: 1, costs: slow }), 2)).toBe(false)
})

test('unit costs are those of the bench; a row that is missing is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'capacity-'))
  try {
    const result = JSON.parse(readFileSync(projectPath('docs/performance.json'), 'utf8')) as {
      rows: { name: string; ours: number }[]
    }
    const file = join(folder, 'bench.json')
    writeFileSync(file, JSON.stringify(result))
    expect(readUnitCosts(file).http.join).toBe(
      result.rows.find(({ name }) => name === 'join-http')?.ours ?? 0,
    )
    writeFileSync(
      file,
      JSON.stringify({ ...result, rows: result.rows.filter(({ name }) => name !== 'relay') }),
    )
    expect(() => readUnitCosts(file)).toThrow('has no row relay: run npm run bench')
    writeFileSync(file, '{}')
    expect(() => readUnitCosts(file)).toThrow('is no result of npm run bench')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what is asked for is read, what can not be is told in one line', () => {
  expect(readCapacityOptions({}).scenarios.map(({ buyers }) => buyers)).toEqual(SIZES)
  const one = readCapacityOptions({ users: '5000', rate: '7.5', price: 'core_hour=1.5' })
  expect(one.scenarios).toMatchObject([{ buyers: 5000, units: 50, rate: 7.5 }])
  expect(one.prices).toEqual({ ...prices, core_hour: 1.5 })
  expect(prices.edge_gb).toBe(PRICES.edge_gb.value)
  expect(() => readCapacityOptions({ users: 'many' })).toThrow('--users: expected a whole number')
  expect(() => readCapacityOptions({ arrival: 'flood' })).toThrow('--arrival')
  expect(() => readCapacityOptions({ headroom: '0.5' })).toThrow('--headroom')
  expect(() => readCapacityOptions({ price: 'beer=3' })).toThrow('--price')
  expect(() => readCapacityOptions({ write: true, users: '5' })).toThrow('--write')
})
