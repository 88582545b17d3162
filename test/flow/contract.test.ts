import { afterAll, beforeAll, expect, test } from 'bun:test'
import { SignJWT } from 'jose'
import { PROBLEMS } from '../../src/contracts/problems.ts'
import { createHosts } from '../../src/hosts.ts'
import { connectOperator } from '../../src/operator/client.ts'
import { type HttpServer, listen } from '../../src/platform/server.ts'
import { OPS_TOKEN, problemOf, startApp, type TestApp, URLS } from '../support/app.ts'
import { createBuyer, createSale } from '../support/buyer.ts'

let app: TestApp
let server: HttpServer
beforeAll(async () => {
  app = await startApp()
  server = listen({ host: '127.0.0.1', port: 0, fetch: (request) => app.hosts.fetch(request) })
})
afterAll(async () => {
  await server.stop(0)
  await app.close()
})

interface Operation {
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
  readonly requestBody?: { required: boolean }
}
interface Document {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation> & { servers: { url: string }[] }>
  readonly components: { schemas: Record<string, { additionalProperties?: boolean }> }
}
const read = async (host: keyof typeof URLS) => (await app.send<Document>(host, 'GET', '/openapi.json')).body

/** Every endpoint there is to document: design, section 9, as far as it is built. */
const ENDPOINTS: Record<keyof typeof URLS, string[]> = {
  queue: ['GET /api/queue/{sale}', 'POST /api/queue/{sale}/join', 'POST /api/queue/{sale}/enter'],
  shop: [
    ...['GET /api/products', 'GET /api/products/{id}', 'GET /api/sales/{sale}'],
    ...[
      'GET /api/items/{id}/stock',
      'GET /api/items/{id}/stock/live',
      'POST /api/claims',
      'POST /api/receipts',
    ],
    ...['GET /api/session', 'GET /api/orders', 'GET /api/orders/{id}', 'DELETE /api/orders/{id}'],
    ...['POST /api/orders/{id}/payment', 'POST /api/orders/{id}/payment/check'],
    ...['GET /api/orders/{id}/contact', 'PUT /api/orders/{id}/contact', 'GET /api/orders/{id}/receipt'],
  ],
  ops: [
    ...['GET /api/operator/sales', 'POST /api/operator/sales', 'GET /api/operator/sales/{sale}'],
    ...['open', 'pause', 'resume', 'end'].map((command) => `POST /api/operator/sales/{sale}/${command}`),
    ...['PUT /api/operator/sales/{sale}/rate', 'GET /api/operator/reconcile', 'POST /api/operator/reconcile'],
    ...['GET /api/operator/audit', 'GET /api/operator/dead-letters'],
    ...['POST /api/operator/dead-letters/{id}/replay', 'GET /api/operator/payments/unfunded'],
    ...['GET /api/operator/notices', 'POST /api/operator/notices/retry'],
    ...['PUT /api/operator/sales/{sale}', 'DELETE /api/operator/sales/{sale}'],
    ...[
      'POST /api/operator/sales/{sale}/rehearse',
      'GET /api/operator/orders',
      'GET /api/operator/orders.csv',
      'GET /api/operator/orders/{id}',
    ],
    ...['GET /api/operator/sales/{sale}/live', 'GET /api/operator/sales/{sale}/live/stream'],
    ...['POST', 'GET', 'DELETE'].map((method) => `${method} /api/operator/session`),
    ...['POST', 'PUT', 'DELETE'].map((method) => `${method} /api/operator/session/totp`),
    ...['POST /api/operator/session/password', 'PATCH /api/operator/operators/{name}'],
    ...['GET /api/operator/operators', 'POST /api/operator/operators'],
  ],
}

test('/openapi.json is the same on every host and lists every endpoint with its server', async () => {
  const document = await read('shop')
  expect(document.openapi).toBe('3.1.0')
  expect(await read('queue')).toEqual(document)
  expect(await read('ops')).toEqual(document)
  for (const [host, expected] of Object.entries(ENDPOINTS)) {
    const listed = Object.entries(document.paths)
      .filter(([, { servers }]) => servers[0]?.url === URLS[host as keyof typeof URLS])
      .flatMap(([path, operations]) =>
        Object.keys(operations)
          .filter((method) => method !== 'servers')
          .map((method) => `${method.toUpperCase()} ${path}`),
      )
    for (const endpoint of expected) expect(listed).toContain(endpoint)
    expect(listed.filter((endpoint) => endpoint.includes('/api/')).length).toBeGreaterThanOrEqual(
      expected.length,
    )
  }
})

test('every endpoint that is listed is there, and what is not listed is not', async () => {
  const { paths } = await read('shop')
  for (const [path, { servers, ...operations }] of Object.entries(paths)) {
    const host = Object.entries(URLS).find(([, url]) => url === servers[0]?.url)?.[0] as keyof typeof URLS
    const address = path
      .replace('{sale}', 'no-such-sale')
      .replace('{id}', '01a20992-e3c2-72d9-b34e-65423441e81a')
    const allow = Object.keys(operations).map((method) => method.toUpperCase())
    const headers = { authorization: `Bearer ${OPS_TOKEN}` }
    const other = ['PATCH', 'DELETE'].find((method) => !allow.includes(method)) ?? ''
    const answer = await app.send(host, other, address, { json: {}, headers })
    expect({ path, code: problemOf(answer) }).toEqual({ path, code: 'method_not_allowed' })
    const told = (answer.headers.get('allow') ?? '').split(', ').filter((method) => method !== 'HEAD')
    expect({ path, methods: told.sort() }).toEqual({ path, methods: allow.sort() })
  }
})

/** There is nothing to say but that it be done. */
const WITHOUT_BODY = ['/api/operator/session/totp']

test('its answers name shapes, its problems one shape with every code, its bodies refuse unknown fields', async () => {
  const { paths, components } = await read('shop')
  for (const [path, { servers, ...operations }] of Object.entries(paths)) {
    expect(servers).toHaveLength(1)
    for (const [method, { responses, requestBody }] of Object.entries(operations)) {
      if (['post', 'put', 'patch'].includes(method) && !WITHOUT_BODY.includes(path))
        expect({ path, required: requestBody?.required }).toEqual({ path, required: true })
      for (const [status, { description, content = {} }] of Object.entries(responses)) {
        expect(description).not.toBeEmpty()
        const type = status.startsWith('2')
          ? /^(application\/json|text\/(event-stream|csv))$/
          : /^application\/problem\+json$/
        expect(Object.keys(content).every((one) => type.test(one))).toBe(true)
        expect({ path, status, empty: Object.keys(content).length === 0 }).toEqual({
          ...{ path, status, empty: status === '204' },
        })
      }
    }
  }
  for (const [name, schema] of Object.entries(components.schemas))
    if (/^New|Request$/.test(name))
      expect({ name, open: schema.additionalProperties }).toEqual({ name, open: false })
  const problem = JSON.stringify(components.schemas['Problem'])
  for (const code of Object.keys(PROBLEMS)) expect(problem).toContain(`"${code}"`)
})

test('a guest is a signed cookie that no script reads and no other site sends', async () => {
  const answer = await app.send('shop', 'GET', '/api/session')
  const [pair = '', ...attributes] = (answer.headers.get('set-cookie') ?? '').split('; ')
  expect(pair).toMatch(/^__Host-session=[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax', 'Secure'])
  const headers = { cookie: pair }
  const again = await app.send('shop', 'GET', '/api/session', { headers })
  expect(again.body).toEqual(answer.body)
  expect(again.headers.get('set-cookie')).toBeNull()
  // Expired or altered: somebody new.
  app.clock.aheadMs = 31 * 24 * 3_600_000
  expect((await app.send('shop', 'GET', '/api/session', { headers })).body).not.toEqual(answer.body)
  app.clock.aheadMs = 0
  const altered = { cookie: pair.slice(0, -2) + (pair.at(-2) === 'A' ? 'B' : 'A') + pair.slice(-1) }
  expect((await app.send('shop', 'GET', '/api/session', { headers: altered })).body).not.toEqual(answer.body)
})

test('a claim without a session makes one, refused or not', async () => {
  const { sale, item } = await createSale(app)
  const pass = await createBuyer(app).pass(sale)
  for (const [quantity, status] of [
    [11, 409],
    [1, 201],
  ] as const) {
    const answer = await app.send('shop', 'POST', '/api/claims', {
      headers: { authorization: `Bearer ${pass}`, 'idempotency-key': 'key-of-nobody' },
      json: { item_id: item, quantity },
    })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('set-cookie')).toStartWith('__Host-session=')
  }
})

test("with AUTH=jwt the order belongs to the provider's buyer, whatever cookie comes along", async () => {
  const jwtKey = 'a shared key of at least 32 characters'
  const auth = { kind: 'jwt', jwksUrl: undefined, issuer: undefined, audience: undefined } as const
  const { assets, consoleAssets } = app
  const hosts = createHosts(
    { ...app.app, config: { ...app.app.config, auth }, secrets: { ...app.app.secrets, jwtKey } },
    { assets, consoleAssets, stopping: new AbortController().signal },
  )
  const tokenOf = (sub: string) =>
    new SignJWT({ sub })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1 hour')
      .sign(new TextEncoder().encode(jwtKey))
  const { sale, item } = await createSale(app)
  const pass = await createBuyer(app).pass(sale)
  const guest = createBuyer(app)
  await guest.userId()
  const ask = async (method: string, path: string, sub: string | undefined, body?: object) => {
    const headers = {
      ...{ authorization: `Bearer ${pass}`, 'idempotency-key': 'key-of-customer' },
      ...{ 'content-type': 'application/json', ...guest.headers() },
      ...(sub === undefined ? {} : { 'x-user-token': await tokenOf(sub) }),
    }
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const response = await hosts.fetch(new Request(`${URLS.shop}${path}`, init))
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const claim = { item_id: item, quantity: 1 }
  expect(await ask('POST', '/api/claims', undefined, claim)).toMatchObject({
    body: { code: 'session_missing' },
  })
  const { status, body } = await ask('POST', '/api/claims', 'customer|17', claim)
  expect(status).toBe(201)
  const path = `/api/orders/${String(body['order_id'])}`
  expect(await ask('GET', path, 'customer|17')).toMatchObject({ status: 200 })
  expect(await ask('GET', path, 'customer|18')).toMatchObject({ body: { code: 'unknown_order' } })
  expect(await app.app.inventory.holds(item)).toMatchObject([{ user_id: 'customer|17' }])
})

test('over a listening server: hosts by name, a stranger to the shop, big bodies, an event stream', async () => {
  const ask = (path: string, host: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), host },
      redirect: 'manual',
    })
  const answers = [
    await ask('/api/queue/no-such-sale', 'queue.localhost:8080'),
    await ask('/api/products', 'shop.localhost:1'),
    await ask('/api/products', '127.0.0.1'),
    await ask('/', '127.0.0.1'),
    await ask('/healthz', 'ops.localhost:8080'),
    await ask('/', 'ops.localhost'),
    await ask('/api/operator/sales', 'ops.localhost'),
    await ask('/%', 'shop.localhost'),
    await ask('/api/products/%E0%A4%A', 'shop.localhost'),
  ]
  expect(answers.map(({ status }) => status)).toEqual([404, 200, 200, 302, 200, 200, 401, 404, 400])
  expect(answers[3]?.headers.get('location')).toBe(`${URLS.shop}/`)
  for (const { headers, url } of answers)
    expect({ url, id: headers.has('x-request-id') }).toEqual({ url, id: true })

  const claim = (body: BodyInit, headers: Record<string, string> = {}) =>
    ask('/api/claims', 'shop.localhost', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
  for (const megabytes of [1, 3]) {
    const response = await claim(JSON.stringify({ x: 'x'.repeat(megabytes * 1024 * 1024) }))
    const body = (await response.json()) as Record<string, unknown>
    expect(problemOf({ status: response.status, headers: response.headers, body })).toBe('body_too_large')
  }
  const chunks = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      controller.enqueue(new TextEncoder().encode('x'.repeat(10_000)))
      if ((controller.desiredSize ?? 0) < -5) controller.close()
    },
  })
  expect((await claim(chunks)).status).toBe(413)
  // A provider's event holds whole objects and may be larger; what it says is believed with a signature only.
  const event = async (kilobytes: number) => {
    const text = JSON.stringify({ x: 'x'.repeat(kilobytes * 1024) })
    const request = { method: 'POST', body: text, headers: { 'content-type': 'application/json' } }
    const { status, headers, ...response } = await ask('/webhooks/stripe', 'shop.localhost', request).then(
      async (answer) => ({
        status: answer.status,
        headers: answer.headers,
        body: (await answer.json()) as never,
      }),
    )
    return problemOf({ status, headers, ...response })
  }
  expect([await event(100), await event(300)]).toEqual(['webhook_invalid', 'body_too_large'])

  const { item } = await createSale(app)
  const stream = await ask(`/api/items/${item}/stock/live`, 'shop.localhost')
  expect(stream.headers.get('content-type')).toContain('text/event-stream')
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
  const first = new TextDecoder().decode((await reader.read()).value)
  expect(first).toMatch(/^event: stock\ndata: {"item_id"/m)
  await reader.cancel()
})

test("the operator's client meets the real API: what it creates, what it is refused", async () => {
  const operator = connectOperator({ port: server.port, opsUrl: URLS.ops, token: OPS_TOKEN })
  const sale = {
    ...{ id: 'by-client', name: 'By client', rate_per_second: 1, reason: 'test' },
    products: [{ id: 'by-client', name: 'TV', amount: 1, currency: 'EUR', units: 1 }],
  }
  expect((await operator.createSale(sale)).queue_url).toBe(`${URLS.queue}/by-client`)
  expect((await operator.command('by-client', 'pause', 'test')).state).toBe('paused')
  expect((await operator.reconcile('test', 'by-client')).runs).toHaveLength(1)
  const refusal = (promise: Promise<unknown>) => promise.then(String, ({ code }: { code: string }) => code)
  expect(await refusal(operator.createSale(sale))).toBe('already_exists')
  expect(await refusal(operator.command('../sales', 'pause', 'test'))).toBe('bad_request')
  const stranger = connectOperator({ port: server.port, opsUrl: URLS.ops, token: 'wrong' })
  expect(await refusal(stranger.command('by-client', 'end', 'test'))).toBe('operator_only')
})
