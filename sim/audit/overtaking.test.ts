import { describe, expect, test } from 'bun:test'
import { audit } from './audit.ts'
import { whenEmpty } from './empty.ts'
import type { Evidence } from './evidence.ts'
import * as run from './lawful-run.ts'
import { overtakenTurns } from './overtaking.ts'

/** All four have their turn from 1450 on. Buyer 4 is let in past 3, who is refused before and after. */
const ENTERS = [
  ...[run.enter(1, 1200), run.enter(2, 1300), run.enter(3, 3000, 'too_early'), run.enter(4, 3200)],
  ...[run.enter(3, 3400, 'too_early'), run.enter(3, 3700)],
]
/** Two units; readings every 200 ms that never find them gone. */
const READINGS = Array.from({ length: 30 }, (_, index) => run.stock(1000 + 200 * index, [1, 1, 0]))

const runOf = (change: Partial<Evidence>, enters = ENTERS): Evidence => ({
  ...run.lawfulRun(),
  history: { ...run.lawfulRun().history, enters },
  stock: READINGS,
  orders: [],
  ...change,
})
const passed = (evidence: Evidence) =>
  overtakenTurns(evidence).map(({ first, second }) => [first.position, second.position])
/** One order took the first unit long ago; another takes the second, and gives it back. */
const takenFor = (from: number, to: number | null) => [
  run.order(1, 1350),
  run.order(2, from, { status: to === null ? 'PAID' : 'FAILED', restocked_at: to }),
]

describe('let in past one who keeps asking', () => {
  test('is wrong while something is available all the time', () => {
    const evidence = runOf({ orders: takenFor(3210, 3250).slice(0, 1) })
    expect(passed(evidence)).toEqual([[4, 3]])
    expect(audit(evidence).find(({ name }) => name === 'order_of_arrival')).toMatchObject({
      result: 'broken',
      violations: ['position 4 was let in past 3, which kept asking'],
    })
  })
  test('is right where the stock was empty for a moment that no reading fell into', () => {
    expect(passed(runOf({ orders: takenFor(3210, 3250) }))).toEqual([])
    expect(passed(runOf({ orders: takenFor(3210, 3210) }))).toEqual([])
  })
  test('is wrong where it was empty too long before to be shown, or only afterwards', () => {
    expect(passed(runOf({ orders: takenFor(2200, 2300) }))).toEqual([[4, 3]])
    expect(passed(runOf({ orders: takenFor(3480, null) }))).toEqual([[4, 3]])
    expect(passed(runOf({ orders: takenFor(2200, 2400) }))).toEqual([])
  })
  test('is looked at by the readings where the counters were rebuilt', () => {
    const stock = (available: number) =>
      READINGS.map(({ asked }, index) =>
        run.stock(asked, [index === 12 ? available : 1, 1, 0], { epoch: index > 5 ? 2 : 1 }),
      )
    const orders = takenFor(1400, null)
    expect(passed(runOf({ orders, stock: stock(0) }))).toEqual([])
    expect(passed(runOf({ orders, stock: stock(1) }))).toEqual([[4, 3]])
  })
  test('is no matter to one who is away for as long as the waiting room waits', () => {
    const enters = (again: number) => [
      ...[run.enter(3, 3000, 'too_early'), run.enter(4, 3200), run.enter(3, again, 'too_early')],
    ]
    expect(passed(runOf({}, enters(5990)))).toEqual([[4, 3]])
    expect(passed(runOf({}, enters(5995)))).toEqual([])
    // As slow a way there and back as that: the waiting room may have seen more than three seconds between them.
    const slow = enters(5000).map((one) => (one.sent === 5000 ? { ...one, answered: 6001 } : one))
    expect(passed(runOf({}, slow))).toEqual([])
  })
  test('is right for one who was passed before, and wrong for whoever passed both', () => {
    // 4 asks, 5 is let in, then 3 comes: 4 goes in first.
    const of4 = [run.enter(4, 2900, 'too_early'), run.enter(5, 2950)]
    expect(passed(runOf({}, [...of4, ...ENTERS]))).toEqual([])
    // 3 had asked before 5 was let in.
    expect(passed(runOf({}, [run.enter(3, 2930, 'too_early'), ...of4, ...ENTERS]))).toEqual([[5, 3]])
    // 4 was not there when 5 was let in.
    expect(passed(runOf({}, [run.enter(5, 2800), run.enter(4, 2900, 'too_early'), ...ENTERS]))).toEqual([
      [4, 3],
    ])
  })
})

test('a sale is empty while none of its items has a unit', () => {
  const two = {
    ...run.lawfulRun(),
    sale: {
      ...run.lawfulRun().sale,
      items: ['lamp', 'sofa'].map((id) => ({ id, units: 1, per_buyer_limit: 1, amount: 1 })),
    },
  }
  const orders = [
    run.order(1, 1000),
    run.order(2, 1200, { item_id: 'sofa', restocked_at: 1500 }),
    run.order(3, 1600, { item_id: 'sofa' }),
  ]
  const spans = whenEmpty({ ...two, orders }).map(({ from, to }) => [from + 50, to - 50])
  expect(spans).toEqual([
    [1200, 1500],
    [1600, Infinity],
  ])
  expect(whenEmpty({ ...two, orders: [] })).toEqual([])
})
