import { expect, test } from 'bun:test'
import { type Arrival, ARRIVALS, arrivalS, createBehaviour, type Shape } from './behaviour.ts'
import { createCalendar } from './calendar.ts'

const SHAPE: Shape = {
  ...{ seed: 5, buyers: 20_000, arrival: 'spike', spread: 600, patience: 300 },
  ...{ noShows: 0.2, bots: 0.1, pay: 0.8 },
}
const crowd = (change: Partial<Shape> = {}) => {
  const shape = { ...SHAPE, ...change }
  const behaviour = createBehaviour(shape)
  return { behaviour, visitors: Array.from({ length: shape.buyers }, (_, visitor) => visitor) }
}
const share = <One>(all: readonly One[], holds: (one: One) => boolean) =>
  all.filter(holds).length / all.length

test('a visitor is a function of the seed and the number', () => {
  const told = (seed: number) => {
    const { behaviour: b } = crowd({ seed })
    return [0, 1, 19_999].map((visitor) => [b.arrivalMs(visitor), b.patienceMs(visitor), b.checkout(visitor)])
  }
  expect(told(5)).toEqual(told(5))
  expect(told(6)).not.toEqual(told(5))
})

test('visitors are numbered in the order they arrive, within the spread', () => {
  for (const arrival of ARRIVALS) {
    const { behaviour, visitors } = crowd({ arrival })
    const times = visitors.map(behaviour.arrivalMs)
    expect(times.every((time, visitor) => time >= (times[visitor - 1] ?? -Infinity))).toBe(true)
    expect(times.at(-1)).toBeLessThanOrEqual(600_000)
    expect(times[0]).toBeGreaterThanOrEqual(arrival === 'lobby' ? -600_000 : 0)
  }
})

test.each([
  ['spike', 60, 1 - Math.exp(-1)],
  ['ramp', 300, 0.25],
  ['lobby', 0, 0.8],
] as [Arrival, number, number][])('%s: by second %d of 600 a known share is there', (arrival, by, there) => {
  const shares = Array.from({ length: 1000 }, (_, index) => arrivalS({ arrival, spread: 600 }, index / 1000))
  expect(share(shares, (at) => at < by)).toBeCloseTo(there, 2)
})

test('shares and means are those asked for', () => {
  const { behaviour: b, visitors } = crowd()
  const people = visitors.filter((visitor) => !b.isBot(visitor))
  expect(share(visitors, b.isBot)).toBeCloseTo(0.1, 1)
  expect(share(people, (visitor) => !b.comes(visitor))).toBeCloseTo(0.2, 1)
  expect(share(people, (visitor) => b.checkout(visitor).then === 'pays')).toBeCloseTo(0.95 * 0.8, 1)
  const mean = people.reduce((sum, visitor) => sum + b.patienceMs(visitor), 0) / people.length
  expect(mean / 300_000).toBeCloseTo(1, 1)
  for (const bots of [0, 0.3, 0.7])
    expect(share(visitors, crowd({ bots }).behaviour.isBot)).toBeCloseTo(bots, 1)
})

test('a bot operator has many devices and one account, a person one', () => {
  const { behaviour: b, visitors } = crowd()
  const accounts = (some: number[]) => new Set(some.map(b.account)).size
  const [bots, people] = [visitors.filter(b.isBot), visitors.filter((visitor) => !b.isBot(visitor))]
  expect(accounts(people)).toBe(people.length)
  expect(bots.length / accounts(bots)).toBeGreaterThan(15)
})

test('the calendar gives everybody back once, when they are due', () => {
  const calendar = createCalendar(5000)
  const due = new Map<number, number>()
  for (let visitor = 0; visitor < 5000; visitor += 1) {
    const after = 1 + ((visitor * 7919) % 2000)
    due.set(visitor, 100 + after)
    calendar.add(visitor, 100, after)
  }
  expect(calendar.waiting).toBe(5000)
  for (let now = 101; now <= 2100; now += 1)
    calendar.take(now, (visitor) => {
      expect(due.get(visitor)).toBe(now)
      due.delete(visitor)
    })
  expect(due.size).toBe(0)
  expect(calendar.waiting).toBe(0)
})

test('who is put back while taken comes again in the new slot only', () => {
  const calendar = createCalendar(3)
  for (const visitor of [0, 1, 2]) calendar.add(visitor, 0, 1)
  calendar.take(1, (visitor) => calendar.add(visitor, 1, 3))
  const seen: number[] = []
  for (let now = 2; now <= 3; now += 1) calendar.take(now, (visitor) => seen.push(visitor))
  expect(seen).toEqual([])
  calendar.take(4, (visitor) => seen.push(visitor))
  expect(seen.sort()).toEqual([0, 1, 2])
  // Further off than the calendar goes: asked for again before, never lost and never late.
  calendar.add(0, 4, 1e9)
  expect(calendar.waiting).toBe(1)
})
