/** The few hot routes have two ways to one answer: each request is sent both ways, over real sockets. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { once } from 'node:events'
import { type HttpServer, listen } from '../../src/platform/server.ts'
import { startApp, type TestApp, URLS } from '../support/app.ts'
import { createBuyer, createSale, newKey } from '../support/buyer.ts'
import { eventually } from '../support/stripe.ts'

let app: TestApp
let server: HttpServer
beforeAll(async () => {
  app = await startApp()
  server = listen({
    ...{ host: '127.0.0.1', port: 0 },
    fetch: (request, client) => app.hosts.fetch(request, client),
  })
})
afterAll(async () => {
  await server.stop(0)
  await app.close()
})

interface Sent {
  readonly method: 'GET' | 'POST'
  readonly host: 'shop' | 'queue'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}
interface Raw {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
}

/** One request as its bytes; `usual` with a length, else in chunks, which the short way leaves to the framework. */
async function send(
  { method, host, path, headers = {}, body }: Sent,
  way: 'hot' | 'framework',
): Promise<Raw> {
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${new URL(URLS[host]).host}`, 'Connection: close']
  for (const [name, value] of Object.entries(headers)) head.push(`${name}: ${value}`)
  if (body !== undefined && headers['Content-Type'] === undefined) head.push('Content-Type: application/json')
  const isHot = way === 'hot'
  let payload = ''
  if (body !== undefined) {
    head.push(isHot ? `Content-Length: ${Buffer.byteLength(body)}` : 'Transfer-Encoding: chunked')
    const size = Buffer.byteLength(body)
    payload = isHot ? body : `${size === 0 ? '' : `${size.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`
  }
  const socket = connect(server.port, '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.write(`${head.join('\r\n')}\r\n\r\n${payload}`)
  await once(socket, 'close')
  const [top = '', answer = ''] = text.split('\r\n\r\n')
  const [statusLine = '', ...lines] = top.split('\r\n')
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return { status: Number(statusLine.split(' ')[1]), headers: new Map(fields), text: answer }
}

/** What may differ between two answers to the same question. */
function comparable({ status, headers, text }: Raw) {
  const kept = [...headers].filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name))
  const body = /json/.test(headers.get('content-type') ?? '') ? (JSON.parse(text) as object) : text
  const { request_id, server_time, ...rest } = body as Record<string, unknown>
  expect(headers.get('x-request-id')).toMatch(/^[\w.-]{8,64}$/)
  if (request_id !== undefined) expect(request_id).toBe(headers.get('x-request-id') as string)
  return {
    status,
    headers: Object.fromEntries(kept.map(([name, value]) => [name, name === 'retry-after' ? 'some' : value])),
    body: rest,
    timed: server_time === undefined ? 'no' : 'yes',
  }
}

async function bothWays(request: Sent) {
  const [hot, framework] = [await send(request, 'hot'), await send(request, 'framework')]
  expect(comparable(hot)).toEqual(comparable(framework))
  return hot
}

test('status, join, enter and claim answer the same both ways: what is right, what is refused, what is broken', async () => {
  const { sale, item } = await createSale(app)
  const queue = `/api/queue/${sale}`
  const post = (path: string, body: unknown, headers = {}): Sent => ({
    ...{ method: 'POST', host: 'queue', path, headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  for (const headers of [{}, { 'X-Request-Id': 'from-the-client' }]) {
    const { status } = await bothWays({
      method: 'POST',
      host: 'queue',
      path: `${queue}/join`,
      headers,
      body: '{',
    })
    expect(status).toBe(400)
  }
  // GET has no body: the framework answers HEAD, which has the same head.
  const status = await send({ method: 'GET', host: 'queue', path: queue }, 'hot')
  expect([status.status, status.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  const head = await app.send('queue', 'HEAD', queue)
  for (const [name, value] of status.headers)
    if (!['date', 'content-length', 'x-request-id', 'connection'].includes(name))
      expect([name, head.headers.get(name)]).toEqual([name, value])

  const joined = await send(post(`${queue}/join`, { device: 'phone' }), 'hot')
  expect(joined.status).toBe(201)
  const { ticket } = JSON.parse(joined.text) as { ticket: string }
  const bodies: readonly [string, unknown][] = [
    [`${queue}/join`, { device: 'phone', ticket }],
    [`${queue}/join`, {}],
    [`${queue}/join`, { device: 'phone', extra: 1 }],
    [`${queue}/join`, '[]'],
    [`${queue}/join`, 'null'],
    [`${queue}/join`, ''],
    [`${queue}/join`, { device: 'x'.repeat(20_000) }],
    [`${queue}/enter`, { ticket: 'none' }],
    [`${queue}/enter`, { ticket, device: 'another phone' }],
    ['/api/queue/no-such-sale/join', { device: 'phone' }],
    ['/api/queue/NOT%20a%20slug/join', { device: 'phone' }],
    ['/api/queue//join', { device: 'phone' }],
  ]
  for (const [path, body] of bodies) await bothWays(post(path, body))
  await bothWays(post(`${queue}/join`, { device: 'phone' }, { 'Content-Type': 'text/plain' }))
  await bothWays(post(`${queue}/join`, { device: 'phone', ticket }, { Origin: 'https://elsewhere.example' }))
  await bothWays(post(`${queue}/join`, { device: 'phone', ticket }, { Cookie: '__Host-session=x' }))
  await bothWays(post(`${queue}/join`, { device: 'phone' }, { 'Idempotency-Key': 'short' }))

  let pass = ''
  await eventually(async () => {
    const entered = await send(post(`${queue}/enter`, { ticket, device: 'phone' }), 'hot')
    pass = (JSON.parse(entered.text) as { pass?: string }).pass ?? ''
    return entered.status === 200
  })
  expect((await bothWays(post(`${queue}/enter`, { ticket, device: 'phone' }))).status).toBe(200)

  const buyer = createBuyer(app)
  await buyer.shop('GET', '/api/session')
  const claim = (body: unknown, headers = {}): Sent => ({
    ...{ method: 'POST', host: 'shop', path: '/api/claims', body: JSON.stringify(body) },
    headers: {
      ...buyer.headers(),
      Authorization: `Bearer ${pass}`,
      'X-Device': 'phone',
      'Idempotency-Key': newKey(),
      ...headers,
    },
  })
  const wanted = { item_id: item, quantity: 1 }
  expect((await bothWays(claim(wanted, { Authorization: 'Bearer nothing' }))).status).toBe(401)
  expect((await bothWays(claim({ ...wanted, quantity: 0 }))).status).toBe(400)
  expect((await bothWays(claim({ ...wanted, item_id: 'no-such-item' }))).status).toBe(404)
  expect((await bothWays(claim({ ...wanted, quantity: 11 }))).status).toBe(409)
  expect((await bothWays(claim(wanted, { Origin: URLS.queue }))).status).toBe(403)
  expect((await bothWays(claim(wanted, { 'X-Device': 'another' }))).status).toBe(403)
  // The same request twice is the same order, whichever way it comes.
  expect((await bothWays(claim(wanted))).status).toBe(201)
  expect((await bothWays(claim(wanted))).status).toBe(403)
})

test('a status that is at hand is as fresh as any', async () => {
  const { sale, item } = await createSale(app)
  const told = async () => {
    const { text } = await send({ method: 'GET', host: 'queue', path: `/api/queue/${sale}` }, 'hot')
    return JSON.parse(text) as { phase: string; available: number }
  }
  expect(await told()).toMatchObject({ phase: 'open', available: 10 })
  await app.operate('POST', `sales/${sale}/pause`, { reason: 'test' })
  expect((await told()).phase).toBe('paused')
  const claim = { item_id: item, order_id: crypto.randomUUID(), user_id: 'ann', quantity: 4, limit: 4 }
  await app.app.inventory.setState(item, { state: 'open' })
  await app.app.inventory.claim({ ...claim, amount: 1, currency: 'EUR', hold_ms: 60_000, pay_ms: 60_000 })
  await eventually(async () => (await told()).available === 6, 1000)
})

test('a guest without a session gets one with the answer to a claim', async () => {
  const { item } = await createSale(app)
  const body = JSON.stringify({ item_id: item, quantity: 1 })
  const headers = { Authorization: 'Bearer nothing', 'Idempotency-Key': newKey() }
  for (const way of ['hot', 'framework'] as const) {
    const answer = await send({ method: 'POST', host: 'shop', path: '/api/claims', headers, body }, way)
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-session=.+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
  }
})
