import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Proxy, startProxy, type Trouble } from '../../sim/chaos/proxy.ts'
import { randomOf } from '../../sim/random.ts'
import { type Answer, problemOf, startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale, newKey } from '../support/buyer.ts'
import { startTestRedis, type TestRedis } from '../support/redis.ts'
import { eventually } from '../support/stripe.ts'

// The connection to Redis breaks while a claim is on its way: before the script has run, and after it.

let server: TestRedis
let proxy: Proxy
let app: TestApp
beforeAll(async () => {
  server = await startTestRedis({ appendfsync: 'always' })
  proxy = await startProxy({ upstreams: [server.port], random: randomOf(1, 'lost answers') })
  app = await startApp({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` })
})
afterAll(async () => {
  await app.close()
  await proxy.close()
  await server.stop()
})

type Command = (...args: unknown[]) => Promise<unknown>

/** From the next claim script on, the network is in trouble. */
function sufferAtNextClaim(trouble: Trouble): void {
  const commands = app.app.redis.commands as unknown as { inventory_claim: Command }
  const original = commands.inventory_claim
  commands.inventory_claim = (...args) => {
    commands.inventory_claim = original
    proxy.suffer(trouble)
    return original.apply(commands, args)
  }
}
const stock = async (item: string) => {
  const { available, held, sold } = (await app.app.inventory.stock(item)) ?? {}
  return { available, held, sold }
}

test.each([
  ['the script has run, its answer is lost', { kind: 'answers_lost', share: 1 }, 1],
  ['the script never arrives', { kind: 'cut', share: 1 }, 0],
] as const)(
  '%s: 503, not known; the same key tells the truth, and one unit is taken',
  async (_name, trouble, taken) => {
    const { sale, item } = await createSale(app)
    const [before, buyer] = [createBuyer(app), createBuyer(app)]
    expect((await before.claim(await before.pass(sale), item)).status).toBe(201)
    const [pass, key] = [await buyer.pass(sale), newKey()]
    const { cut, answersLost } = proxy.counts

    sufferAtNextClaim(trouble)
    const lost = await buyer.claim(pass, item, { key })
    expect(problemOf(lost as unknown as Answer)).toBe('unavailable')
    expect(lost.body).toMatchObject({
      detail: expect.stringContaining('ask again with this same key') as string,
    })
    expect(Number(lost.headers.get('retry-after'))).toBeGreaterThan(0)
    const counted = { cut: proxy.counts.cut > cut, answersLost: proxy.counts.answersLost > answersLost }
    expect(counted).toEqual({ cut: taken === 0, answersLost: taken === 1 })

    proxy.suffer({ kind: 'none' })
    await eventually(() => app.app.redis.runId() !== undefined, 10_000)
    expect(await stock(item)).toEqual({ available: 9 - taken, held: 1 + taken, sold: 0 })
    const told = await Promise.all([1, 2, 3].map(() => buyer.claim(pass, item, { key })))
    expect(told.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(new Set(told.map(({ body }) => body.order_id)).size).toBe(1)
    // The pass is used: no other key gets a second unit with it.
    expect(problemOf((await buyer.claim(pass, item)) as unknown as Answer)).toBe('pass_used')
    expect(await stock(item)).toEqual({ available: 8, held: 2, sold: 0 })
    await app.withWorker(() => eventually(async () => (await app.app.eventLog.backlog()) === 0, 10_000))
    expect(await app.app.orders.forItem(item)).toHaveLength(2)
  },
)
