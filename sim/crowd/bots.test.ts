import { describe, expect, test } from 'bun:test'
import { systemClock } from '../../src/platform/clock.ts'
import { createProofOfWork } from '../../src/guard/proof-of-work.ts'
import { createNonces } from '../../src/guard/single-use.ts'
import { oddities } from '../../src/guard/headers.ts'
import { clientAddress } from '../../src/guard/client-address.ts'
import { now } from '../clock.ts'
import { createBotOperator, prove } from './bot-operator.ts'
import { type BuyerPlan, planBuyer } from './plan.ts'

const shape = { seed: 7, buyers: 4000, spread: 2, pay: 0.5, products: 1, bots: 0.9 }
const crowd = (change: Partial<typeof shape> = {}) =>
  Array.from({ length: 4000 }, (_, buyer) => planBuyer({ ...shape, ...change }, buyer))
const isBot = ({ bot }: BuyerPlan) => bot !== undefined
const isHonest = ({ bot }: BuyerPlan) => bot === undefined
const from = ({ guise }: BuyerPlan) => clientAddress({ address: '127.0.0.1' }, guise['X-Forwarded-For'], 1)

describe('a crowd with bots', () => {
  test('the same for the same seed, with the share that was asked for', () => {
    const kinds = (seed: number) => crowd({ seed }).map(({ bot, guise }) => ({ bot, guise }))
    expect(kinds(7)).toEqual(kinds(7))
    expect(kinds(8)).not.toEqual(kinds(7))
    expect(crowd().filter(isBot).length / 4000).toBeCloseTo(0.9, 1)
    expect(crowd({ bots: 0 }).some(isBot)).toBe(false)
    const tricks = new Set(crowd().map(({ bot }) => bot?.trick))
    expect([...tricks].sort()).toEqual(['bare', 'farms', 'replays', undefined])
  })

  test('honest buyers are who they are without bots, each in a network of their own', () => {
    const alone = crowd({ bots: 0 })
    for (const plan of crowd().filter(isHonest)) {
      const { random, guise, ...like } = plan
      expect(alone[plan.buyer]).toMatchObject(like)
      expect(random()).toBeLessThan(1)
      expect(oddities(new Headers({ ...guise }))).toEqual([])
    }
    const honest = crowd().filter(isHonest)
    expect(new Set(honest.map((plan) => from(plan).network)).size).toBe(honest.length)
    expect(alone.every(({ guise }) => Object.keys(guise).length === 0)).toBe(true)
  })

  test.each([7, 8])(
    'seed %i: bots come from one block, sooner, with many devices, and some look headless',
    (seed) => {
      const bots = crowd({ seed }).filter(isBot)
      expect(new Set(bots.map((plan) => from(plan).network)).size).toBe(1)
      expect(new Set(bots.map(({ device }) => device)).size).toBe(bots.length)
      expect(Math.max(...bots.map(({ arrivesMs }) => arrivesMs))).toBeLessThanOrEqual(500)
      expect(bots.every(({ then }) => then === 'pays')).toBe(true)
      const headless = bots.filter(({ guise }) => oddities(new Headers({ ...guise })).length > 0).length
      expect(headless / bots.length).toBeCloseTo(0.5, 1)
    },
  )
})

describe('the operator of the bots', () => {
  const clock = systemClock
  const work = createProofOfWork({ secret: Buffer.alloc(32, 7), clock, nonces: createNonces(clock) })
  const challenge = (hashes: number) =>
    work.create({ sale: 'sale-1', device: 'device-1', hashes, lifetime_s: 60 })

  test('really solves, one after another within its budget, harder ones for longer', async () => {
    const operator = createBotOperator(10_000)
    expect(operator.used()).toBeUndefined()
    const started = now()
    const proven = await Promise.all(
      [100, 100, 800].map((hashes) => operator.solve(challenge(hashes), () => false)),
    )
    expect(now() - started).toBeGreaterThanOrEqual(99)
    for (const payload of proven)
      expect(work.check({ sale: 'sale-1', device: 'device-1', payload }).kind).toBe('valid')
    expect(operator.used()).toBe(proven[2])
  })

  test('stops when all is over, and hands tickets round', async () => {
    const operator = createBotOperator(1)
    expect(await operator.solve(challenge(1000), () => true)).toBeUndefined()
    expect(operator.ticket()).toBeUndefined()
    operator.share({ ticket: 'one', position: 1 })
    expect(operator.ticket()).toEqual({ ticket: 'one', position: 1 })
  })

  test('an honest browser solves at once', () => {
    const payload = prove(challenge(50))
    expect(work.check({ sale: 'sale-1', device: 'device-1', payload }).kind).toBe('valid')
  })
})
