import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Arrival, orderOf } from '../support/arrival-order.ts'
import { UNGUARDED } from '../support/buyer.ts'
import { testDatabases, type TestDatabases } from '../support/postgres.ts'
import { startTestCluster, type TestCluster } from '../support/redis-cluster.ts'
import { stripeKeys } from '../support/stripe.ts'
import { startWebNode, type WebNode } from '../support/web-node.ts'
import { connectRedis } from '../../src/platform/redis.ts'

// Four web processes on one Redis Cluster of three masters are one gate: one line, one order, one phase.

const OPS_TOKEN = 'operator-token-of-tests'
const HOSTS = { shop: 'shop.example.test', queue: 'queue.example.test', ops: 'ops.example.test' } as const

let cluster: TestCluster
let databases: TestDatabases
let nodes: WebNode[]
beforeAll(async () => {
  ;[cluster, databases] = await Promise.all([startTestCluster(), testDatabases()])
  const env = {
    REDIS_URL: cluster.url,
    REDIS_ACCEPT_UNSAFE: '1',
    DATABASE_URLS: databases.urls.join(','),
    SHOP_URL: `http://${HOSTS.shop}`,
    QUEUE_URL: `http://${HOSTS.queue}`,
    OPS_URL: `http://${HOSTS.ops}`,
    TOKEN_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64url')}`,
    SESSION_KEY: 'a session key that is long enough',
    OPS_TOKEN,
    STRIPE_SECRET_KEY: stripeKeys.secretKey,
    STRIPE_PUBLISHABLE_KEY: stripeKeys.publishableKey,
    STRIPE_WEBHOOK_SECRET: stripeKeys.webhookSecret,
    LOG_LEVEL: 'warn',
    // Where the whole suite keeps the machine busy, they would turn a test's requests away.
    SHEDDING: '0',
  }
  // The clocks of two of them are an hour off.
  nodes = await Promise.all(
    [0, 3_600_000, 0, -3_600_000].map((off) => startWebNode({ ...env, CLOCK_OFFSET_MS: String(off) })),
  )
}, 120_000)
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await Promise.all([cluster.stop(), databases.drop()])
}, 30_000)

interface Sent {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly sent: number
  readonly answered: number
}
interface Call {
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
}

async function send(
  node: number,
  host: keyof typeof HOSTS,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  { headers = {}, json }: Call = {},
): Promise<Sent> {
  const answer = await nodes[node % nodes.length]?.wire.send({
    ...{ method, host: HOSTS[host], path },
    headers: { 'content-type': 'application/json', ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  })
  if (answer?.kind !== 'answer') throw new Error(`no answer: ${answer?.reason}`)
  const { status, text, sent, answered } = answer
  return { status, sent, answered, body: JSON.parse(text) as Sent['body'] }
}
async function operate(method: 'POST' | 'PUT', path: string, json: object = {}): Promise<void> {
  const answer = await send(0, 'ops', method, `/api/operator/${path}`, {
    headers: { authorization: `Bearer ${OPS_TOKEN}` },
    json: { ...json, reason: 'test' },
  })
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body))
}
/** Asks every process until it tells what is wanted; fails after the second in which everybody must know. */
async function everywhere(sale: string, wanted: object): Promise<void> {
  const began = performance.now()
  for (const node of nodes.keys())
    for (;;) {
      const { status, body } = await send(node, 'queue', 'GET', `/api/queue/${sale}`)
      const told = Object.fromEntries(Object.keys(wanted).map((name) => [name, body[name]]))
      if (status === 200 && Bun.deepEquals(told, wanted)) break
      const late = performance.now() - began > 1000
      expect({ node, late, told }).toEqual({ node, late: false, told })
      await Bun.sleep(20)
    }
}
/** One product of ten units, by the sale's own id. */
async function newSale(id: string): Promise<void> {
  await operate('POST', 'sales', {
    ...{ id, name: id, rate_per_second: 1000, guard: UNGUARDED },
    products: [{ id, name: 'TV', amount: 100, currency: 'EUR', units: 10 }],
  })
  await everywhere(id, { phase: 'open' })
}
const join = (node: number, sale: string, device: string, key?: string) =>
  send(node, 'queue', 'POST', `/api/queue/${sale}/join`, {
    json: { device },
    ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
  })
test('nobody who joins after another has an answer stands before them, whichever process answers', async () => {
  await newSale('order')
  const arrive = async (node: number, device: string): Promise<Arrival> => {
    const { status, body, sent, answered } = await join(node, 'order', device)
    expect(status).toBe(201)
    return { arrived: sent, answered, position: body['position'] as number }
  }
  // Many together, then the next: each group spread over the processes in another order.
  const arriving: Promise<Arrival>[] = []
  for (let group = 0; group < 300; group += 1) {
    for (let one = 0; one < 1 + (group % 17); one += 1)
      arriving.push(arrive(group * 7 + one * 3, `device-${group}-${one}`))
    await Bun.sleep(group % 3)
  }
  const arrivals = await Promise.all(arriving)
  const { slowest, after, ...order } = orderOf(arrivals)
  expect(order).toEqual({ overtaken: [], apart: 0, duplicates: 0 })
  expect(after).toBeGreaterThan(1000)
  expect(Math.max(...arrivals.map(({ position }) => position))).toBe(arrivals.length)
  expect(slowest).toBeLessThan(5000)
}, 60_000)

test('each step of the way may be answered by another process, and sales lie on different masters', async () => {
  const homes = new Set<number>()
  for (let count = 0; count < 6; count += 1) {
    const sale = `way-${count}`
    await newSale(sale)
    const { body: place } = await join(count, sale, 'phone')
    // Told again with the same key by another process.
    const lost = await join(count + 1, sale, 'tablet', 'key-number-1')
    expect((await join(count + 2, sale, 'tablet', 'key-number-1')).body['position']).toBe(
      lost.body['position'],
    )
    const enter = () =>
      send(count + 1, 'queue', 'POST', `/api/queue/${sale}/enter`, {
        json: { ticket: place['ticket'], device: 'phone' },
      })
    let entered = await enter()
    for (let tries = 0; entered.status === 425 && tries < 100; tries += 1) {
      await Bun.sleep(20)
      entered = await enter()
    }
    expect(entered).toMatchObject({ status: 200 })
    const claimed = await send(count + 2, 'shop', 'POST', '/api/claims', {
      headers: {
        ...{ authorization: `Bearer ${String(entered.body['pass'])}`, 'idempotency-key': 'key-number-1' },
        'x-device': 'phone',
      },
      json: { item_id: sale, quantity: 1 },
    })
    expect(claimed).toMatchObject({ status: 201, body: { status: 'PROCESSING' } })
    const masters = await Promise.all(cluster.nodes.map(({ url }) => holds(url, `queue:{${sale}}`)))
    expect(masters.filter(Boolean)).toHaveLength(1)
    homes.add(masters.indexOf(true))
  }
  expect(homes.size).toBeGreaterThan(1)
}, 60_000)

test('what the operator does is told by every process within a second', async () => {
  await newSale('steered')
  const { body: place } = await join(0, 'steered', 'phone')
  const enter = () =>
    send(3, 'queue', 'POST', '/api/queue/steered/enter', { json: { ticket: place['ticket'] } })
  await operate('POST', 'sales/steered/pause')
  await everywhere('steered', { phase: 'paused' })
  expect((await enter()).body['code']).toBe('paused')
  await operate('PUT', 'sales/steered/message', { message: 'Back in a minute' })
  await everywhere('steered', { phase: 'paused', message: 'Back in a minute' })
  await operate('POST', 'sales/steered/resume')
  await everywhere('steered', { phase: 'open' })
  await operate('PUT', 'sales/steered/rate', { rate_per_second: 7 })
  await everywhere('steered', { rate_per_second: 7 })
  await operate('POST', 'sales/steered/end')
  await everywhere('steered', { phase: 'ended' })
  expect((await enter()).body['code']).toBe('ended')
  await operate('POST', 'sales/steered/close')
  await everywhere('steered', { phase: 'post_sale' })
}, 30_000)

test('places outlive the process that gave them', async () => {
  await newSale('outlive')
  const { body: place } = await join(3, 'outlive', 'phone')
  await nodes.pop()?.kill9()
  const again = await send(0, 'queue', 'POST', '/api/queue/outlive/join', {
    json: { device: 'phone', ticket: place['ticket'] },
  })
  expect(again).toMatchObject({ status: 200, body: { position: 1 } })
  expect((await join(1, 'outlive', 'tablet')).body['position']).toBe(2)
})

async function holds(url: string, key: string): Promise<boolean> {
  const connection = await connectRedis({ url })
  const found = await connection.commands.keys(key)
  await connection.close()
  return found.length > 0
}
