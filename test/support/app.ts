/** The whole application in this process: real Redis, real PostgreSQL, requests as they come from outside. */
import { expect } from 'bun:test'
import { type Application, createApp, type Overrides } from '../../src/app.ts'
import { PROBLEMS, type ProblemBody } from '../../src/contracts/problems.ts'
import { orderConsumer } from '../../src/flow/orders/consumer.ts'
import { createHosts } from '../../src/hosts.ts'
import { buildAssets } from '../../src/platform/assets.ts'
import { type Clock, systemClock } from '../../src/platform/clock.ts'
import { type Env, readConfig } from '../../src/platform/config.ts'
import { projectPath } from '../../src/platform/project.ts'
import { createLog } from '../../src/platform/telemetry.ts'
import { testDatabases } from './postgres.ts'
import { startTestRedis } from './redis.ts'
import { stripeKeys } from './stripe.ts'

export type HostName = 'shop' | 'queue' | 'ops'
export type Fields = Record<string, string>

export interface Answer<Body = Record<string, unknown>> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export interface Call {
  readonly headers?: Fields
  /** Sent as JSON; `raw` as it is. */
  readonly json?: unknown
  readonly raw?: BodyInit
  /** Of the socket the request comes over. */
  readonly address?: string
}

export const OPS_TOKEN = 'operator-token-of-tests'
export const URLS = {
  shop: 'http://shop.localhost:8080',
  queue: 'http://queue.localhost:8080',
  ops: 'http://ops.localhost:8080',
} as const

/** System time that a test may put forward. */
export interface TestClock extends Clock {
  aheadMs: number
}

interface ApiDocument {
  readonly paths: Record<string, Record<string, { responses: Record<string, unknown> }>>
}

export type TestApp = Awaited<ReturnType<typeof startApp>>

export async function startApp(env: Env = {}, overrides: Overrides = {}) {
  const [redis, databases] = await Promise.all([startTestRedis({ appendfsync: 'always' }), testDatabases()])
  const clock: TestClock = { ...systemClock, aheadMs: 0, now: () => Date.now() + clock.aheadMs }
  const { config, secrets } = readConfig({
    REDIS_URL: redis.url,
    DATABASE_URLS: databases.urls.join(','),
    TOKEN_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64url')}`,
    SESSION_KEY: 'a session key that is long enough',
    OPS_TOKEN,
    // Test and application share an event loop: how late it is says nothing.
    SHEDDING: '0',
    STRIPE_SECRET_KEY: stripeKeys.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripeKeys.publishableKey,
    STRIPE_WEBHOOK_SECRET: stripeKeys.webhookSecret,
    ...env,
  })
  const log = createLog('silent', 'test')
  const app: Application = await createApp(config, secrets, { clock, log, ...overrides })
  const stopping = new AbortController()
  const [assets, consoleAssets] = await Promise.all([
    buildAssets({ config: {}, theme: app.theme }),
    buildAssets({ directory: projectPath('web/console'), config: {} }),
  ])
  const hosts = createHosts(app, { assets, consoleAssets, stopping: stopping.signal })

  const document = (await (await hosts.fetch(new Request(`${URLS.shop}/openapi.json`))).json()) as ApiDocument
  /** An endpoint of the OpenAPI document may only answer with what is written there. */
  const expectDocumented = (method: string, path: string, status: number) => {
    const [bare = ''] = path.split('?')
    const template = Object.keys(document.paths).find((one) =>
      new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(bare),
    )
    const responses = document.paths[template ?? '']?.[method.toLowerCase()]?.responses
    // 401 without the operator's token and 404 on another host are answered before any endpoint is reached.
    if (responses === undefined || status === 404 || status === 405) return
    expect({ method, path, documented: Object.keys(responses), status }).toMatchObject({
      documented: expect.arrayContaining([String(status)]) as string[],
    })
  }

  const send = async <Body = Record<string, unknown>>(
    host: HostName,
    method: string,
    path: string,
    { headers = {}, json, raw, address = '' }: Call = {},
  ): Promise<Answer<Body>> => {
    const body = raw ?? (json === undefined ? undefined : JSON.stringify(json))
    const request = new Request(`${URLS[host]}${path}`, {
      method,
      headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body }),
    })
    const response = await hosts.fetch(request, { address })
    expectDocumented(method, path, response.status)
    expect(response.headers.get('x-request-id')).toMatch(/^[\w.-]{8,64}$/)
    const text = await response.text()
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '')
    const answer = { status: response.status, headers: response.headers, body: text as Body }
    return isJson ? { ...answer, body: JSON.parse(text) as Body } : answer
  }
  return {
    app,
    assets,
    consoleAssets,
    hosts,
    clock,
    redis,
    send,
    operate: <Body = Record<string, unknown>>(method: string, path: string, json?: unknown) =>
      send<Body>('ops', method, `/api/operator/${path}`, {
        headers: { authorization: `Bearer ${OPS_TOKEN}` },
        json,
      }),
    /** Runs `work` beside an order worker, which ends with it. */
    withWorker: async (work: () => Promise<void>) => {
      const ending = new AbortController()
      const worker = app.eventLog.consume(orderConsumer(app), ending.signal)
      await work().finally(() => ending.abort())
      await worker
    },
    close: async () => {
      stopping.abort()
      await app.close()
      await redis.stop()
      await databases.drop()
    },
  }
}

/** Holds an answer to the one problem format, and says which problem it is. */
export function problemOf({ status, headers, body }: Answer): string {
  const problem = body as unknown as ProblemBody
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(Object.keys(PROBLEMS)).toContain(problem.code)
  const { title, status: expected } = PROBLEMS[problem.code]
  expect(problem).toMatchObject({ title, status: expected, type: `urn:doorbuster:problem:${problem.code}` })
  expect(status).toBe(expected)
  expect(problem.request_id).toBe(headers.get('x-request-id') ?? '')
  return problem.code
}

/** Everything in Redis and in every table of every database, but for what the guard and the live screen count. */
export async function dumpEverything({ redis, shards }: Application): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  const { commands } = redis
  for (const key of (await commands.keys('*')).sort()) {
    if (/^(guard|live):/.test(key)) continue
    const read: Record<string, () => Promise<unknown>> = {
      hash: () => commands.hgetall(key),
      zset: () => commands.zrange(key, 0, '-1', 'WITHSCORES'),
      stream: () => commands.xrange(key, '-', '+'),
      set: async () => (await commands.smembers(key)).sort(),
      string: async () => (await commands.getBuffer(key))?.toString('hex'),
    }
    found[key] = await read[await commands.type(key)]?.()
  }
  for (const [index, shard] of shards.all.entries()) {
    const tables = await shard.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    )
    for (const { name } of tables.rows)
      found[`${index} ${name}`] = (await shard.query(`select * from ${name} order by 1, 2`)).rows
  }
  return found
}
