import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type Answer, problemOf, startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale, newKey } from '../support/buyer.ts'
import { ownPostgres, type OwnPostgres } from '../support/postgres.ts'
import { eventually } from '../support/stripe.ts'

// The only database is lost. Claims go on into the outbox; what needs SQL says so, and is tried again at scattered times.

setDefaultTimeout(60_000)
let app: TestApp
let server: OwnPostgres
beforeAll(async () => {
  server = await ownPostgres()
  app = await startApp({ DATABASE_URLS: server.url })
}, 120_000)
afterAll(async () => {
  await app.close()
  await server.stop()
}, 120_000)

const problem = (answer: Answer<never> | Answer) => problemOf(answer)
const quickly = async <T>(work: Promise<T>, ms: number): Promise<T> => {
  const started = performance.now()
  const answer = await work
  expect(performance.now() - started).toBeLessThan(ms)
  return answer
}
const backlog = async (item: string) => {
  const { body } = await app.operate<Backlog>('GET', 'backlog')
  return body.items.find(({ item_id }) => item_id === item)
}
interface Backlog {
  readonly items: { item_id: string; outbox: number; oldest_s: number | null }[]
  readonly consumer_lag: number | null
  readonly outbox_max: number
}

const faults = {
  'is gone': { lose: () => server.crash(), heal: () => server.restart() },
  hangs: { lose: async () => server.freeze(), heal: async () => server.thaw() },
}

describe.each(Object.entries(faults))('SQL that %s', (_name, { lose, heal }) => {
  test('stops no claim: it is told again, counted in the backlog, and written when SQL is back', async () => {
    const { sale, item } = await createSale(app)
    const buyers = [createBuyer(app, 'one'), createBuyer(app, 'two')] as const
    const passes = await Promise.all(buyers.map((buyer) => buyer.pass(sale)))
    const key = newKey()
    await lose()
    // What was read of the catalogue is not fresh any more.
    app.clock.aheadMs += 2000
    const claimed = await quickly(buyers[0].claim(passes[0] ?? '', item, { key }), 3000)
    expect([claimed.status, claimed.body.status]).toEqual([201, 'PROCESSING'])
    expect(await quickly(buyers[0].claim(passes[0] ?? '', item, { key }), 4000)).toMatchObject({
      status: 201,
      body: { order_id: claimed.body.order_id, hold_expires_at: claimed.body.hold_expires_at },
    })
    const other = await quickly(buyers[1].claim(passes[1] ?? '', item), 3000)
    expect(other.status).toBe(201)

    const waits = new Set<number>()
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const answer = await quickly(buyers[0].shop('GET', `/api/orders/${claimed.body.order_id}`), 12_000)
      expect(problem(answer)).toBe('unavailable')
      waits.add(Number(answer.headers.get('retry-after')))
    }
    expect(waits.size).toBeGreaterThan(1)
    for (const wait of waits) expect(wait).toBeWithin(1, 8)
    const ready = await quickly(app.send('shop', 'GET', '/readyz'), 3000)
    expect([ready.status, ready.body]).toMatchObject([200, { ready: true, degraded: true, sql: false }])
    expect(await backlog(item)).toMatchObject({ outbox: 2, oldest_s: expect.any(Number) as number })

    await app.withWorker(async () => {
      await Bun.sleep(300)
      expect((await backlog(item))?.outbox).toBe(2)
      await heal()
      await eventually(async () => (await backlog(item))?.outbox === 0, 20_000)
    })
    await eventually(async () => {
      const { body } = await buyers[0].shop('GET', `/api/orders/${claimed.body.order_id}`)
      return body['status'] === 'PENDING'
    }, 10_000)
    expect((await app.send('shop', 'GET', '/readyz')).body).toMatchObject({ ready: true, degraded: false })
    expect(await backlog(item)).toEqual({ item_id: item, outbox: 0, oldest_s: null })
    app.clock.aheadMs = 0
  })
})

test('a backlog has its bound: nothing new is claimed, nothing written; who has claimed is told so', async () => {
  const small = await startApp({ OUTBOX_MAX: '2' })
  try {
    const { sale, item } = await createSale(small)
    const buyers = [1, 2, 3].map((n) => createBuyer(small, `phone-${n}`))
    const passes = await Promise.all(buyers.map((buyer) => buyer.pass(sale)))
    const key = newKey()
    const first = await buyers[0]?.claim(passes[0] ?? '', item, { key })
    await buyers[1]?.claim(passes[1] ?? '', item)
    small.clock.aheadMs += 1000
    const before = await small.app.redis.commands.hgetall(`item:{${item}}:stock`)
    const refused = await buyers[2]?.claim(passes[2] ?? '', item)
    expect(problem(refused as Answer<never>)).toBe('overloaded')
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await small.app.redis.commands.hgetall(`item:{${item}}:stock`)).toEqual(before)
    const again = await buyers[0]?.claim(passes[0] ?? '', item, { key })
    expect([again?.status, again?.body.order_id]).toEqual([201, first?.body.order_id])
    await small.withWorker(() => eventually(async () => (await small.app.eventLog.backlog()) === 0, 10_000))
    small.clock.aheadMs += 1000
    // The pass was never used: another request may use it.
    expect((await buyers[2]?.claim(passes[2] ?? '', item))?.status).toBe(201)
  } finally {
    await small.close()
  }
})
