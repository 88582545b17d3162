import { describe, expect, test } from 'bun:test'
import { kindOf } from './request-kind.ts'
import { createShedding, type Kind, type Shedding } from './shedding.ts'

const SHEDDABLE = ['analytics', 'browsing', 'joins', 'admissions'] as const
const NEVER = ['claims', 'operator', 'vital', 'poll'] as const

/** Chance that always turns away what has any chance of being turned away. */
const rig = (on = true) => createShedding({ on, random: () => 0 })
const isShed = (shedding: Shedding, kind: Kind) => {
  const done = shedding.admit(kind)
  done?.()
  return done === undefined
}
const late = (shedding: Shedding, lateMs: number, seconds: number) => {
  for (let ms = 0; ms < seconds * 1000; ms += 100) shedding.measured(lateMs, 100)
}

test('an event loop on time, or late once, turns nobody away', () => {
  const shedding = rig()
  late(shedding, 5, 10)
  shedding.measured(150, 200)
  late(shedding, 5, 1)
  expect([...SHEDDABLE, ...NEVER].filter((kind) => isShed(shedding, kind))).toEqual([])
  expect(shedding.stretch()).toBe(1)
})

test('one that stays late turns away in the order of the design, and never payments', () => {
  const shedding = rig()
  const order: string[] = []
  for (let n = 0; n < 200; n += 1) {
    late(shedding, 250, 0.1)
    for (const kind of SHEDDABLE) if (!order.includes(kind) && isShed(shedding, kind)) order.push(kind)
    if (shedding.stretch() > 1 && !order.includes('slower polls')) order.push('slower polls')
  }
  expect(order).toEqual(['analytics', 'slower polls', 'browsing', 'joins', 'admissions'])
  expect(NEVER.filter((kind) => isShed(shedding, kind))).toEqual([])
  expect(shedding.stretch()).toBe(4)
  late(shedding, 0, 8)
  expect(SHEDDABLE.filter((kind) => isShed(shedding, kind))).toEqual([])
})

test('it sheds a share of a kind first, then all of it', () => {
  let step = 0
  const shedding = createShedding({ random: () => (step++ % 100) / 100 })
  const shares = new Set<number>()
  for (let n = 0; n < 60; n += 1) {
    late(shedding, 180, 0.1)
    shares.add(Array.from({ length: 100 }, () => isShed(shedding, 'joins')).filter(Boolean).length)
  }
  expect(Math.min(...shares)).toBe(0)
  expect(Math.max(...shares)).toBe(100)
  expect([...shares].filter((share) => share > 0 && share < 100).length).toBeGreaterThan(3)
})

test('each kind has a bound of its own, with shedding off too', () => {
  for (const shedding of [rig(), rig(false)]) {
    const done: (() => void)[] = []
    for (let next = shedding.admit('vital'); next !== undefined; next = shedding.admit('vital'))
      done.push(next)
    expect(done.length).toBe(1024)
    expect(isShed(shedding, 'claims')).toBe(false)
    done.pop()?.()
    expect(isShed(shedding, 'vital')).toBe(false)
  }
  const off = rig(false)
  late(off, 1000, 10)
  expect(SHEDDABLE.filter((kind) => isShed(off, kind))).toEqual([])
})

test('it measures the loop it runs on', async () => {
  let [now, turns] = [0, 0]
  const stop = new AbortController()
  const shedding = createShedding({ now: () => now, random: () => 0 })
  const clock = {
    sleep: async (ms: number) => {
      now += ms + 300
      if ((turns += 1) === 40) stop.abort()
    },
  }
  await shedding.watch(clock, stop.signal)
  expect(shedding.pressure()).toBe(5)
})

describe('what a request is for', () => {
  test.each([
    ['shop', 'POST', '/webhooks/stripe', 'vital'],
    ['shop', 'POST', '/api/orders/0190/payment', 'vital'],
    ['shop', 'DELETE', '/api/orders/0190', 'vital'],
    ['shop', 'GET', '/api/orders', 'vital'],
    ['shop', 'POST', '/api/receipts', 'vital'],
    ['shop', 'POST', '/api/claims', 'claims'],
    ['shop', 'GET', '/checkout/my-sale', 'claims'],
    ['shop', 'POST', '/checkout/my-sale/plain', 'claims'],
    ['shop', 'GET', '/assets/main-1.js', 'claims'],
    ['shop', 'GET', '/api/products', 'browsing'],
    ['shop', 'GET', '/api/items/tv/stock', 'browsing'],
    ['shop', 'GET', '/', 'browsing'],
    ['shop', 'GET', '/api/ordersX', 'browsing'],
    ['queue', 'GET', '/api/queue/my-sale', 'poll'],
    ['queue', 'POST', '/api/queue/my-sale/join', 'joins'],
    ['queue', 'GET', '/api/queue/my-sale/challenge', 'joins'],
    ['queue', 'POST', '/api/queue/my-sale/enter', 'admissions'],
    ['queue', 'GET', '/my-sale', 'browsing'],
    ['ops', 'GET', '/api/operator/audit', 'analytics'],
    ['ops', 'GET', '/openapi.json', 'analytics'],
    ['ops', 'POST', '/api/operator/sales/x/pause', 'operator'],
    ['ops', 'GET', '/api/operator/session', 'operator'],
    ['ops', 'GET', '/', 'operator'],
    ['ops', 'GET', '/assets/ops-1.js', 'operator'],
    ['shop', 'GET', '/openapi.json', 'analytics'],
    ['shop', 'GET', '/healthz', undefined],
    ['ops', 'GET', '/metrics', undefined],
  ] as const)('%s %s %s is %p', (host, method, path, kind) => {
    expect(kindOf(host, method, path)).toBe(kind as Kind)
  })
})
