import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { WireAnswer } from '../../sim/wire/client.ts'
import type { Database } from '../../src/platform/postgres.ts'
import { projectPath } from '../../src/platform/project.ts'
import type { Crowd, CrowdReport } from './crowd-process.ts'
import { UNGUARDED } from './buyer.ts'
import { testDatabases } from './postgres.ts'
import { startTestRedis } from './redis.ts'
import { startStripeSandbox, stripeKeys } from './stripe.ts'
import { startWebNode } from './web-node.ts'

const OPS_TOKEN = 'operator-token-of-tests'
const HOSTS = { shop: 'shop.example.test', queue: 'queue.example.test', ops: 'ops.example.test' } as const

/** A web process, Redis, PostgreSQL and a payment provider, and whoever wants to overload the first. */
export async function startOverloadable(env: Readonly<Record<string, string>> = {}) {
  const [redis, databases, stripe] = await Promise.all([
    startTestRedis({ appendfsync: 'always' }),
    testDatabases(1),
    startStripeSandbox(),
  ])
  const common = {
    REDIS_URL: redis.url,
    DATABASE_URLS: databases.urls.join(','),
    SHOP_URL: `http://${HOSTS.shop}`,
    QUEUE_URL: `http://${HOSTS.queue}`,
    OPS_URL: `http://${HOSTS.ops}`,
    TOKEN_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64url')}`,
    SESSION_KEY: 'a session key that is long enough',
    OPS_TOKEN,
    STRIPE_API_URL: stripe.url,
    STRIPE_SECRET_KEY: stripeKeys.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripeKeys.publishableKey,
    STRIPE_WEBHOOK_SECRET: stripeKeys.webhookSecret,
    LOG_LEVEL: 'silent',
  }
  const web = await startWebNode({ ...common, ...env })
  const send = async (
    host: keyof typeof HOSTS,
    method: 'GET' | 'POST',
    path: string,
    { headers = {}, json }: { headers?: Record<string, string>; json?: unknown } = {},
  ): Promise<Extract<WireAnswer, { kind: 'answer' }>> => {
    const answer = await web.wire.send({
      ...{ host: HOSTS[host], method, path },
      headers: { ...headers, ...(json === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    })
    if (answer.kind === 'lost') throw new Error(`${path}: ${answer.reason}`)
    return answer
  }
  const operate = (path: string, json: object) =>
    send('ops', 'POST', `/api/operator/${path}`, { headers: { Authorization: `Bearer ${OPS_TOKEN}` }, json })

  return {
    env: common,
    hosts: HOSTS,
    web,
    send,
    /** An unguarded sale that is open. */
    sale: async (id: string, units: number) => {
      const product = {
        id: `${id}-tv`,
        name: 'TV',
        amount: 19_900,
        currency: 'EUR',
        units,
        per_buyer_limit: 1000,
      }
      const created = await operate('sales', {
        ...{ id, name: id, rate_per_second: 100_000, guard: UNGUARDED, reason: 'test', products: [product] },
      })
      if (created.status !== 201) throw new Error(created.text)
    },
    /** A buyer with a session and an order that waits to be paid. */
    buyerWithOrder: async (sale: string, database: Database) => {
      const session = await send('shop', 'GET', '/api/session')
      const cookie = /^[^;]+/.exec(session.headers.get('set-cookie') ?? '')?.[0] ?? ''
      const { user_id } = JSON.parse(session.text) as { user_id: string }
      const order = crypto.randomUUID()
      await database.query(
        `insert into orders (id, user_id, sale_id, item_id, quantity, amount, currency, status, claim_seq, claimed_at,
                             pay_by, hold_expires_at)
         values ($1, $2, $3, $4, 1, 19900, 'EUR', 'PENDING', 1, now(),
                 now() + interval '5 minutes', now() + interval '10 minutes')`,
        [order, user_id, sale, `${sale}-tv`],
      )
      return { cookie, order }
    },
    /** Browsers that look at the shop, ask for the status, and join the line, as fast as they are answered. */
    crowd: (sale: string, connections: number, patient = false) => {
      const json = { 'Content-Type': 'application/json' }
      const join: Crowd['requests'][number] = {
        ...{
          kind: 'join',
          method: 'POST',
          host: HOSTS.queue,
          path: `/api/queue/${sale}/join`,
          headers: json,
        },
        body: JSON.stringify({ device: 'visitor-{n}' }),
      }
      return startCrowd({
        ...{ port: web.port, connections, patient },
        requests: [
          join,
          { kind: 'browse', method: 'GET', host: HOSTS.shop, path: '/api/products' },
          join,
          { kind: 'poll', method: 'GET', host: HOSTS.queue, path: `/api/queue/${sale}` },
        ],
      })
    },
    stop: async () => {
      await web.stop()
      await stripe[Symbol.asyncDispose]()
      await Promise.all([redis.stop(), databases.drop()])
    },
  }
}

/** Resolves when it asks. `stop` ends it and tells what it was answered. */
async function startCrowd(crowd: Crowd) {
  const script = projectPath('test/support/crowd-process.ts')
  const child = spawn(process.execPath, [script, JSON.stringify(crowd)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  await lines.next()
  return {
    stop: async (): Promise<CrowdReport> => {
      child.stdin.end()
      const { value } = (await lines.next()) as { value: string }
      return JSON.parse(value) as CrowdReport
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}
