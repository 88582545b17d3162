import { expect, test } from 'bun:test'
import { arrival, planBuyer } from './plan.ts'

const shape = { seed: 7, buyers: 4000, spread: 2, pay: 0.8, products: 3, bots: 0 }
const crowd = (seed: number) =>
  Array.from({ length: 4000 }, (_, buyer) => planBuyer({ ...shape, seed }, buyer))
const plain = (seed: number) => crowd(seed).map(({ random, ...plan }) => ({ ...plan, next: random() }))

test('a seed replays a crowd, another seed makes another', () => {
  expect(plain(7)).toEqual(plain(7))
  expect(plain(8)).not.toEqual(plain(7))
})

test('most arrive in the first second, all within the spread', () => {
  const arrivals = crowd(7).map((plan) => plan.arrivesMs)
  expect(Math.max(...arrivals)).toBeLessThanOrEqual(2000)
  const early = arrivals.filter((ms) => ms < 1000).length / arrivals.length
  expect(early).toBeGreaterThan(0.75)
  expect(early).toBeLessThan(0.9)
  expect(arrival(0, 5)).toBeCloseTo(0)
  expect(arrival(1, 5)).toBeCloseTo(5)
})

test('the shares come out as asked for', () => {
  const plans = crowd(7)
  const share = (some: number) => some / plans.length
  expect(share(plans.filter((plan) => plan.then === 'pays').length)).toBeCloseTo(0.8, 1)
  const others = plans.filter((plan) => plan.then !== 'pays')
  expect(others.filter((plan) => plan.then === 'cancels').length / others.length).toBeCloseTo(0.1, 1)
  for (const kind of ['declinedFirst', 'impatient', 'losesAnswer'] as const) {
    const some = share(plans.filter((plan) => plan[kind]).length)
    expect(some).toBeGreaterThan(0.01)
    expect(some).toBeLessThan(0.06)
  }
  expect(share(plans.filter((plan) => plan.paysWith === 'paypal').length)).toBeCloseTo(0.3, 1)
  for (const item of [0, 1, 2])
    expect(share(plans.filter((plan) => plan.itemIndex === item).length)).toBeCloseTo(1 / 3, 1)
})

test('everybody pays, or nobody', () => {
  const of = (pay: number) =>
    Array.from({ length: 500 }, (_, buyer) => planBuyer({ ...shape, pay }, buyer).then)
  expect(of(1).every((then) => then === 'pays')).toBe(true)
  expect(of(0).every((then) => then !== 'pays')).toBe(true)
})
