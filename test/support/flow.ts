/** The whole flow in one process: the real composition root, Redis, two PostgreSQL shards, both payment sandboxes. */
import { randomUUID } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { type Application, createApp, type Overrides } from '../../src/app.ts'
import { orderConsumer } from '../../src/flow/orders/consumer.ts'
import { parseDelivery } from '../../src/flow/events/entry.ts'
import type { Delivery } from '../../src/flow/events/events.ts'
import type { ClaimRequest } from '../../src/flow/inventory/inventory.ts'
import type { Order } from '../../src/flow/orders/orders.ts'
import type { NewSale } from '../../src/operator/commands.ts'
import { readConfig } from '../../src/platform/config.ts'
import { keyOf } from './inventory.ts'
import { testDatabases } from './postgres.ts'
import { startTestRedis } from './redis.ts'
import { startPaypalSandbox } from './paypal.ts'
import { startStripeSandbox, stripeKeys } from './stripe.ts'

export const PRICE = 1999
export const BY = { operator: 'test', reason: 'a test' } as const

export type Flow = Awaited<ReturnType<typeof startFlow>>
export interface Claim {
  readonly item_id: string
  readonly order_id: string
  readonly user_id: string
}

/** Settings of a system on these servers; secrets that are secrets to nobody. */
export function testEnv(redisUrl: string, databaseUrls: readonly string[], stripeUrl: string) {
  return {
    DATABASE_URLS: databaseUrls.join(','),
    REDIS_URL: redisUrl,
    REDIS_ACCEPT_UNSAFE: '1',
    LOG_LEVEL: 'silent',
    STRIPE_API_URL: stripeUrl,
    STRIPE_SECRET_KEY: stripeKeys.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripeKeys.publishableKey,
    STRIPE_WEBHOOK_SECRET: stripeKeys.webhookSecret,
    OPS_TOKEN: 'an operator of the tests',
    SESSION_KEY: 'a session key that only tests use, 32 bytes',
    TOKEN_KEYS: `test:${Buffer.alloc(32, 7).toString('base64url')}`,
  } satisfies Record<string, string>
}

export const testConfig = (...servers: Parameters<typeof testEnv>) => readConfig(testEnv(...servers))

export async function startFlow(overrides: Overrides = {}) {
  const [server, databases, stripe, paypal] = await Promise.all([
    startTestRedis({ appendfsync: 'always' }),
    testDatabases(2),
    startStripeSandbox(),
    startPaypalSandbox(),
  ])
  const { config, secrets } = testConfig(server.url, databases.urls, stripe.url)
  const provider = stripe.provider({ maxNetworkRetries: 0 })
  const paypalProvider = paypal.provider()
  const app = await createApp(config, secrets, { providers: [provider, paypalProvider], ...overrides })
  return {
    app,
    server,
    databases,
    stripe,
    provider,
    paypal,
    paypalProvider,
    ...actions(app),
    [Symbol.asyncDispose]: async () => {
      await app.close()
      await stripe[Symbol.asyncDispose]()
      await paypal[Symbol.asyncDispose]()
      await databases.drop()
      await server.stop()
    },
  }
}

/** A sale of one item, open now, with windows so long that nothing ends unless a test makes it. */
export const saleOf = (item: string, units = 10, change: Partial<NewSale> = {}): NewSale => ({
  id: `sale-${item}`,
  name: item,
  ends_at: null,
  opens_at: 0,
  rate_per_second: 100,
  payment_window_s: 300,
  hold_s: 600,
  pass_s: 600,
  turn_s: 120,
  lobby_opens_at: null,
  post_sale_at: null,
  order: 'fifo',
  checkout_cap: null,
  checkouts_per_unit: 3,
  standby_threshold: null,
  guard: {},
  message: '',
  products: [
    { id: item, name: item, description: '', amount: PRICE, currency: 'EUR', units, per_buyer_limit: 1 },
  ],
  ...change,
})

let items = 0
let buyers = 0

/** What a test does to a running flow, each step by itself. */
export function actions(app: Application) {
  const { inventory, shards, redis, orders } = app
  const outbox = async (item: string): Promise<Delivery[]> =>
    (await redis.commands.xrange(keyOf(item, 'outbox'), '-', '+')).flatMap(
      ([outbox_id, fields]) => parseDelivery({ owner: item, outbox_id, fields }) ?? [],
    )
  const claim = async (item_id: string, change: Partial<ClaimRequest> = {}): Promise<Claim> => {
    const order_id = change.order_id ?? uuidv7()
    const user_id = change.user_id ?? `buyer-${++buyers}`
    const quantity = change.quantity ?? 1
    const outcome = await inventory.claim({
      item_id,
      order_id,
      user_id,
      quantity,
      limit: 5,
      amount: PRICE * quantity,
      currency: 'EUR',
      hold_ms: 600_000,
      pay_ms: 300_000,
      ...change,
    })
    if (outcome.kind !== 'reserved') throw new Error(`claim is ${outcome.kind}`)
    return { item_id, order_id, user_id }
  }
  const deliver = async (item: string) => {
    const batch = await outbox(item)
    const rejected = await orderConsumer(app)(batch)
    for (const { outbox_id } of batch) await redis.commands.xdel(keyOf(item, 'outbox'), outbox_id)
    return rejected
  }
  const row = async ({ user_id, order_id }: Claim): Promise<Order> => {
    const found = await orders.find(user_id, order_id)
    if (found === undefined) throw new Error(`no row of ${order_id}`)
    return found
  }
  const counts = async (item: string) => {
    const stock = await inventory.stock(item)
    if (stock === undefined) throw new Error(`${item} is not loaded`)
    const { total, available, held, sold } = stock
    return { total, available, held, sold }
  }
  return {
    outbox,
    claim,
    /** What the order worker does with everything in an item's outbox. */
    deliver,
    row,
    counts,
    /** A new item on sale; answers its id. */
    newItem: async (units = 10, change: Partial<NewSale> = {}) => {
      const item = `item-${++items}-${randomUUID().slice(0, 8)}`
      const outcome = await app.commands.createSale(BY, saleOf(item, units, change))
      if (outcome.kind !== 'created') throw new Error(`sale is ${outcome.kind}`)
      return item
    },
    /** A claim whose row is written. */
    pending: async (item: string, change: Partial<ClaimRequest> = {}) => {
      const claimed = await claim(item, change)
      await deliver(item)
      return claimed
    },
    /** A buyer whose rows are on that shard. */
    buyerOn: (shard: number) => {
      for (;;) {
        const user = `buyer-${++buyers}`
        if (shards.numberOf(user) === shard) return user
      }
    },
    /** Lets the hold's deadline be over. */
    expire: ({ item_id, order_id }: Claim) => redis.commands.zadd(keyOf(item_id, 'holds'), 'XX', 1, order_id),
    /** Lets the payment window be over; the hold goes on. */
    lapse: ({ user_id, order_id }: Claim) =>
      shards
        .of(user_id)
        .query(`update orders set pay_by = now() - interval '1 second' where user_id = $1 and id = $2`, [
          user_id,
          order_id,
        ]),
    /** Lets what rests before it is repaired have rested. */
    rest: () => restPayments(app),
  }
}

export async function restPayments({ shards }: Pick<Application, 'shards'>): Promise<void> {
  for (const shard of shards.all)
    await shard.query(
      `update payments set updated_at = now() - interval '1 hour', created_at = now() - interval '1 hour'`,
    )
}
