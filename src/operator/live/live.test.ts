import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Flow, startFlow } from '../../../test/support/flow.ts'
import { paying } from '../../../test/support/paying.ts'
import { eventually } from '../../../test/support/stripe.ts'
import { systemClock } from '../../platform/clock.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { createCounter, readCounts, saleNamedIn } from './counting.ts'
import { liveKeys } from './keys.ts'
import { createSampler } from './sampler.ts'
import { createSamples, type Samples } from './samples.ts'
import { createPaced, createTallies } from './tallies.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

const saleOf = (item: string) => `sale-${item}`
const clear = () => flow.app.redis.commands.del(liveKeys.sampler)
/** Where it fails the test says so. */
const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('there is none')
  return value
}

describe('counting', () => {
  /** A process of its own on the same Redis. */
  const node = (redis: Pick<RedisConnection, 'commands' | 'runId'> = flow.app.redis) =>
    createCounter({ redis, catalogue: flow.app.catalogue, clock: systemClock })
  const answer = (kind: string) => () => Promise.resolve({ kind })

  test('several processes count into one, whatever comes first', async () => {
    const item = await flow.newItem()
    const sale = saleOf(item)
    const nodes = [node(), node(), node()]
    for (let round = 0; round < 4; round += 1)
      await Promise.all(
        nodes.map(async (one, number) => {
          await one.claims(answer('claimed'))({ item_id: item })
          for (let n = 0; n <= number; n += 1) await one.claims(answer('sold_out'))({ item_id: item })
          one.answered(`/api/queue/${sale}`, 200)
          one.answered(`/api/queue/${sale}/join`, 503)
          await one.flush()
          await one.flush()
        }),
      )
    expect(await readCounts(flow.app.redis, sale)).toEqual({
      requests: 24,
      errors: 12,
      claims: { claimed: 12, sold_out: 24 },
    })
  })

  test('a write whose answer is lost is written again, and counted once', async () => {
    const item = await flow.newItem()
    const { commands } = flow.app.redis
    let lost = 0
    const losing = new Proxy(commands, {
      get: (target, name) => {
        if (name !== 'multi') return Reflect.get(target, name) as unknown
        return () => {
          const real = target.multi()
          const exec = real.exec.bind(real)
          real.exec = async () => {
            const replies = await exec()
            if (lost++ === 0) throw new Error('Command timed out')
            return replies
          }
          return real
        }
      },
    })
    const one = node({ commands: losing, runId: () => 'x' })
    await one.claims(answer('claimed'))({ item_id: item })
    expect(await one.flush().then(String, String)).toContain('Command timed out')
    await one.claims(answer('claimed'))({ item_id: item })
    await one.flush()
    expect(lost).toBe(2)
    expect((await readCounts(flow.app.redis, saleOf(item))).claims).toEqual({ claimed: 2 })
  })

  test('a Redis that has lost the counts learns them with the next one', async () => {
    const item = await flow.newItem()
    const one = node()
    await one.claims(answer('claimed'))({ item_id: item })
    await one.flush()
    await flow.app.redis.commands.del(liveKeys.counts(saleOf(item)))
    await one.claims(answer('held_out'))({ item_id: item })
    await one.flush()
    expect((await readCounts(flow.app.redis, saleOf(item))).claims).toEqual({ claimed: 1, held_out: 1 })
  })

  test('writes nothing while nothing happens', async () => {
    const item = await flow.newItem()
    await node().flush()
    expect(await flow.app.redis.commands.exists(liveKeys.counts(saleOf(item)))).toBe(0)
  })

  test('what names no sale counts for those that are on; made-up names cost nothing', async () => {
    const [now, item] = [Date.now(), await flow.newItem()]
    const later = saleOf(await flow.newItem(1, { opens_at: now + 4 * 3_600_000 }))
    const one = node()
    for (let n = 0; n < 5000; n += 1) one.answered(`/api/queue/made-up-${n}`, 404)
    one.answered('/api/orders/1/payment', 502)
    await one.flush()
    expect(await readCounts(flow.app.redis, saleOf(item))).toMatchObject({ requests: 5001, errors: 1 })
    expect(await readCounts(flow.app.redis, later)).toMatchObject({ requests: 0 })
    expect(await flow.app.redis.commands.keys('live:*made-up*')).toEqual([])
  })

  test('a claim that fails goes on failing, and counts as unavailable', async () => {
    const item = await flow.newItem()
    const one = node()
    const claim = one.claims(() => Promise.reject<{ kind: string }>(new Error('Redis is away')))
    expect(await claim({ item_id: item }).then(String, String)).toContain('Redis is away')
    await one.flush()
    expect((await readCounts(flow.app.redis, saleOf(item))).claims).toEqual({ unavailable: 1 })
  })

  test.each([
    ['/api/queue/tv', 'tv'],
    ['/api/queue/tv/join', 'tv'],
    ['/api/sales/tv', 'tv'],
    ['/checkout/tv', 'tv'],
    ['/api/orders/tv', undefined],
    ['/api/queue/', undefined],
    ['/api/queue/TV%00', undefined],
  ])('%s names %p', (path, sale) => expect(saleNamedIn(path)).toBe(sale as string))
})

describe('the sampler', () => {
  const sampler = (change: { samples?: Samples } = {}) => {
    const tallies = createTallies({ ...flow.app })
    return {
      tallies,
      ...createSampler({ ...flow.app, samples: createSamples(flow.app.redis), tallies, ...change }),
    }
  }
  const last = async (item: string) => must(await createSamples(flow.app.redis).last(saleOf(item))).sample
  const entries = (item: string) => flow.app.redis.commands.xlen(liveKeys.samples(saleOf(item)))
  const nextSecond = () => systemClock.sleep(1005 - (Date.now() % 1000))

  test('tells queue, stock, claims, orders, payments and the event log as they are', async () => {
    const item = await flow.newItem(5)
    const pay = paying(flow, item)
    const paid = await pay.authorised()
    await pay.receive(paid.ref, 'authorised')
    const failed = await flow.pending(item)
    await flow.app.orders.fail(failed.user_id, failed.order_id, 'declined')
    await flow.pending(item)
    await flow.claim(item)
    await flow.app.catalogue.addGroup({
      ...{
        sale_id: saleOf(item),
        id: 'club',
        name: 'Club',
        code_hash: 'x',
        rate_per_second: 1,
        places: null,
      },
    })
    const sale = must(await flow.app.catalogue.sale(saleOf(item)))
    await flow.app.waitingRoom.create(sale, await flow.app.catalogue.groups(sale.id), null)
    const { commands } = flow.app.redis
    await commands.hset(`queue:{${sale.id}}`, {
      tail: 30,
      ceiling: 30,
      entered: 4,
      base: 10,
      pace: 0,
      since: 0,
    })
    await commands.hset(`queue:{${sale.id}}:lane:club`, { tail: 5, ceiling: 5, entered: 1, base: 2, pace: 0 })
    const counter = flow.app.live.counter
    await counter.claims(() => Promise.resolve({ kind: 'claimed' }))({ item_id: item })
    await counter.flush()

    await clear()
    const one = sampler()
    await one.round()
    // Counted beside it; the next sample has it.
    await eventually(() => one.tallies.counted(sale.id) !== undefined)
    await nextSecond()
    const before = Date.now()
    expect(await one.round()).toBe('sampled')
    const sample = await last(item)
    expect(sample).toMatchObject({
      phase: 'open',
      queue: {
        ...{ depth: 23, joined: 35, now_serving: 10, entered: 5, checkouts: 0 },
        ...{ checkout_cap: null, rate_per_second: 100 },
      },
      items: [{ item_id: item, available: 1, held: 3, sold: 1, total: 5 }],
      claims: { claimed: 1 },
      orders: { PENDING: 1, PAID: 1, FAILED: 1, failures: { declined: 1 } },
      payments: { captured: 1 },
      event_log: { waiting: 1, dead_letters: 0 },
    })
    expect(sample.at % 1000).toBe(0)
    expect(sample.at).toBeWithin(before - 1000, before + 1)
    expect(sample.event_log.oldest_s).toBeGreaterThan(0)
    expect(must(sample.counted_at ?? undefined)).toBeWithin(before - 10_000, before + 1)
  })

  test('two that both think it is their turn take one sample of a second', async () => {
    const item = await flow.newItem()
    const bothAreHere = Promise.withResolvers<void>()
    const outcomes: string[] = []
    let waiting = 0
    const samples = createSamples(flow.app.redis)
    const late: Samples = {
      ...samples,
      add: async (sale, kept) => {
        if (sale !== saleOf(item)) return samples.add(sale, kept)
        if (++waiting === 2) bothAreHere.resolve()
        await bothAreHere.promise
        const outcome = await samples.add(sale, kept)
        outcomes.push(outcome)
        return outcome
      },
    }
    await nextSecond()
    await clear()
    const first = sampler({ samples: late }).round()
    await eventually(() => waiting === 1)
    // The lease of the first is over before it has written anything.
    await clear()
    expect(await Promise.all([first, sampler({ samples: late }).round()])).toEqual(['sampled', 'sampled'])
    expect(outcomes.sort()).toEqual(['added', 'taken'])
    expect(await entries(item)).toBe(1)
  })

  test('one of several takes the samples; when it is gone another one does', async () => {
    await clear()
    const [one, other] = [sampler(), sampler()]
    expect(await one.round()).toBe('sampled')
    expect(await other.round()).toBe('left')
    expect(await one.round()).toBe('sampled')
    expect(await flow.app.redis.commands.pttl(liveKeys.sampler)).toBeWithin(1, 3001)
    await clear()
    expect(await other.round()).toBe('sampled')
    expect(await one.round()).toBe('left')
  })

  test('a sale is watched until it is long over; what was never watched is not begun with', async () => {
    const [item, unseen] = [await flow.newItem(1, { hold_s: 300 }), await flow.newItem()]
    await clear()
    await flow.app.commands.end({ operator: 'test', reason: 'x' }, saleOf(unseen))
    let aheadMs = 0
    const clock = { ...systemClock, now: () => Date.now() + aheadMs }
    const tallies = createTallies({ ...flow.app, clock })
    const samples = createSamples(flow.app.redis)
    /** A process that has just been started, so much later. */
    const roundAfter = async (seconds: number) => {
      aheadMs += seconds * 1000
      await clear()
      await createSampler({ ...flow.app, clock, tallies, samples }).round()
      return entries(item)
    }
    expect(await roundAfter(1)).toBe(1)
    await flow.app.commands.end({ operator: 'test', reason: 'x' }, saleOf(item))
    expect(await roundAfter(1)).toBe(2)
    expect((await last(item)).phase).toBe('ended')
    expect(await roundAfter(1100)).toBe(3)
    expect(await roundAfter(200)).toBe(3)
    expect(await entries(unseen)).toBe(0)
  })

  test('while SQL is slow the samples go on, with what was counted last', async () => {
    const item = await flow.newItem(5)
    await flow.pending(item)
    await clear()
    const one = sampler()
    await one.round()
    await eventually(() => one.tallies.counted(saleOf(item))?.orders.PENDING === 1)
    const locked = Promise.withResolvers<void>()
    const done = Promise.withResolvers<void>()
    const locks = flow.app.shards.all.map((shard) =>
      shard.transaction(async (sql) => {
        await sql.query('lock table orders in access exclusive mode')
        locked.resolve()
        await done.promise
      }),
    )
    await locked.promise
    // What was counted is old enough to be counted again.
    await systemClock.sleep(3100)
    const began = performance.now()
    for (let round = 0; round < 3; round += 1) {
      await nextSecond()
      const at = performance.now()
      expect(await one.round()).toBe('sampled')
      expect(performance.now() - at).toBeLessThan(500)
    }
    expect(performance.now() - began).toBeGreaterThan(2000)
    // Beside the locks nothing waits any more: the question was withdrawn.
    await eventually(async () => {
      const { rows } = await flow.app.shards.catalogue.query<{ waiting: number }>(
        `select count(*) as waiting from pg_stat_activity where wait_event_type = 'Lock' and query like '%orders%'`,
      )
      return rows[0]?.waiting === 0
    })
    done.resolve()
    await Promise.all(locks)
    expect(await last(item)).toMatchObject({ orders: { PENDING: 1 } })
  }, 30_000)

  test('runs until it is told to stop, whatever fails meanwhile', async () => {
    const item = await flow.newItem()
    await clear()
    const stop = new AbortController()
    let failures = 0
    const lines: typeof flow.app.waitingRoom.lines = (sale) =>
      sale === saleOf(item) && failures++ === 0
        ? Promise.reject(new Error('Redis is away'))
        : flow.app.waitingRoom.lines(sale)
    const samples = createSamples(flow.app.redis)
    const running = createSampler({
      ...{ ...flow.app, samples, waitingRoom: { lines } },
      tallies: createTallies({ ...flow.app }),
    }).run(stop.signal)
    await eventually(async () => (await entries(item)) >= 2, 6000)
    stop.abort()
    await running
    expect(failures).toBeGreaterThan(2)
    const found = await samples.since(saleOf(item), 0)
    expect(new Set(found.map(({ at }) => at)).size).toBe(found.length)
  })

  test('a sale of many items keeps fewer samples, not more memory', async () => {
    const item = await flow.newItem()
    await clear()
    await sampler().round()
    const samples = createSamples(flow.app.redis)
    const like = await last(item)
    const large = {
      ...like,
      items: Array.from({ length: 300 }, (_, n) => ({ ...must(like.items[0]), item_id: `${item}-${n}` })),
    }
    for (let n = 1; n <= 500; n += 1)
      await samples.add(saleOf(item), { sample: { ...large, at: like.at + n * 1000 }, over_at: undefined })
    const bytes = await flow.app.redis.commands.memory('USAGE', liveKeys.samples(saleOf(item)), 'SAMPLES', 0)
    expect(Number(bytes)).toBeLessThan(6_000_000)
    expect(await entries(item)).toBeWithin(60, 250)
  })
})

describe('what is worked out seldom', () => {
  test('never twice at once, and at most a twentieth of the time', async () => {
    let now = 0
    const clock = { ...systemClock, now: () => now }
    const runs: { begun: number; end: (answer: number) => void }[] = []
    const paced = createPaced(clock, () => {
      const run = Promise.withResolvers<number>()
      runs.push({ begun: now, end: run.resolve })
      return run.promise
    })
    for (; now < 60_000; now += 100) {
      paced.ask(undefined)
      const latest = must(runs.at(-1))
      // Each takes a second.
      if (now === latest.begun + 1000) latest.end(runs.length)
      await Promise.resolve().then(() => undefined)
      await systemClock.sleep(0)
    }
    expect(runs.map(({ begun }) => begun)).toEqual([0, 21_000, 42_000])
    expect(paced.last()).toEqual({ at: 42_000, answer: 3 })
  })

  test('one that fails keeps the answer there was', async () => {
    let now = 0
    let fails = false
    const errors: unknown[] = []
    const paced = createPaced(
      { ...systemClock, now: () => now },
      () => (fails ? Promise.reject(new Error('away')) : Promise.resolve('first')),
      (error) => errors.push(error),
    )
    paced.ask(undefined)
    await eventually(() => paced.last() !== undefined)
    ;[fails, now] = [true, 10_000]
    paced.ask(undefined)
    await eventually(() => errors.length === 1)
    expect(paced.last()).toEqual({ at: 0, answer: 'first' })
  })
})
