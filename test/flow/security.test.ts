import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  type Answer,
  dumpEverything,
  type Fields,
  type HostName,
  OPS_TOKEN,
  problemOf,
} from '../support/app.ts'
import { startApp, type TestApp, URLS } from '../support/app.ts'
import { createBuyer, createSale } from '../support/buyer.ts'
import { signedIn } from '../support/operators.ts'

// What browsers are told and what they may send, over every route there is: docs/security.md.
let app: TestApp
let sale: string
let order: string
let session: string
let operator: string
/** Every answer of this file's requests. */
const answers: { path: string; headers: Headers }[] = []

beforeAll(async () => {
  app = await startApp()
  const hosts = { ...app.hosts }
  app.hosts.fetch = async (request, client) => {
    const answer = await hosts.fetch(request, client)
    answers.push({ path: new URL(request.url).pathname, headers: answer.headers })
    return answer
  }
  const made = await createSale(app)
  sale = made.sale
  const buyer = createBuyer(app)
  order = (await buyer.claim(await buyer.pass(sale), made.item)).body.order_id
  session = buyer.headers()['cookie'] ?? ''
  operator = (await signedIn(app, 'sam', 'admin')).cookie
})
afterAll(() => app.close())

interface Route {
  readonly host: HostName
  readonly method: string
  readonly path: string
  /** Forms of the way without scripts. */
  readonly form?: boolean
}

/** Of the OpenAPI document, with ids that exist. */
async function documented(): Promise<Route[]> {
  type Document = { paths: Record<string, Record<string, unknown> & { servers: { url: string }[] }> }
  const { paths } = (await app.send<Document>('shop', 'GET', '/openapi.json')).body
  return Object.entries(paths).flatMap(([path, { servers, ...operations }]) =>
    Object.keys(operations).map((method) => ({
      host: new URL(servers[0]?.url ?? '').hostname.split('.')[0] as HostName,
      method: method.toUpperCase(),
      path: path
        .replace('{sale}', sale)
        .replace('{id}', order)
        .replaceAll(/\{\w+\}/g, 'some'),
    })),
  )
}
const plain = (): Route[] => [
  { host: 'queue', method: 'POST', path: `/${sale}/plain`, form: true },
  { host: 'shop', method: 'POST', path: `/checkout/${sale}/plain`, form: true },
  { host: 'shop', method: 'POST', path: `/checkout/${sale}/plain/orders/${order}`, form: true },
  { host: 'shop', method: 'POST', path: `/checkout/${sale}/plain/orders/${order}/paypal`, form: true },
]
const pagesOf: Record<HostName, string[]> = {
  shop: ['/', '/products/x', '/checkout/x', '/orders', '/nothing'],
  queue: ['/x', '/x/draw', '/nothing/to/see'],
  ops: ['/', '/nothing'],
}
const cookieOf = (host: HostName) => (host === 'ops' ? operator : session)

function send({ host, method, path, form }: Route, headers: Fields): Promise<Answer> {
  if (method === 'GET') return app.send(host, method, path, { headers })
  if (form !== true) return app.send(host, method, path, { headers, json: { reason: 'a test' } })
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return app.send(host, method, path, { headers: { ...type, ...headers }, raw: 'action=cancel' })
}

describe('a change that a page of another origin has a browser send', () => {
  const foreign: Readonly<Record<string, Fields>> = {
    'a page of another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    'its origin alone': { origin: 'https://evil.example' },
    'a neighbour of our own': { origin: 'http://evil.localhost:8080', 'sec-fetch-site': 'same-site' },
    'a page without an origin': { origin: 'null' },
    'the other host of ours': { origin: 'http://elsewhere.localhost:8080' },
    'Fetch Metadata alone': { 'sec-fetch-site': 'cross-site' },
    'a referrer alone': { referer: 'https://evil.example/page' },
    'a referrer that is none': { referer: 'about:blank' },
    'nothing but cookies': {},
  }
  const codeOf = (answer: Answer) => {
    const page = answer.headers.get('content-type')?.startsWith('text/html') ?? false
    const body: unknown = answer.body
    return page && typeof body === 'string' && body.includes('Requests from this origin are refused')
      ? 'origin_refused'
      : page || answer.status < 400
        ? 'done'
        : problemOf(answer)
  }

  test('is refused on every route, and changes nothing', async () => {
    const routes = [...(await documented()), ...plain()].filter(
      ({ method, path }) => method !== 'GET' && !path.startsWith('/webhooks/'),
    )
    expect(routes.length).toBeGreaterThan(30)
    const before = await dumpEverything(app.app)
    for (const route of routes)
      for (const [what, headers] of Object.entries(foreign)) {
        const answer = await send(route, { ...headers, cookie: cookieOf(route.host) })
        expect({ route, what, status: answer.status, code: codeOf(answer) }).toEqual({
          ...{ route, what, status: 403, code: 'origin_refused' },
        })
        expect(answer.headers.get('set-cookie')).toBeNull()
      }
    expect(await dumpEverything(app.app)).toEqual(before)
  })

  test('is not refused for its origin where it comes from our own page, or from a program', async () => {
    for (const route of [...(await documented()), ...plain()]) {
      if (route.method === 'GET') continue
      const own = { origin: URLS[route.host], cookie: `${cookieOf(route.host)}x` }
      expect({ route, code: codeOf(await send(route, own)) }).not.toMatchObject({ code: 'origin_refused' })
      if (route.host === 'ops') continue
      for (const says of [{}, { 'sec-fetch-site': 'same-origin' }, { referer: `${URLS[route.host]}/x` }])
        expect({ route, code: codeOf(await send(route, says as Fields)) }).not.toMatchObject({
          code: 'origin_refused',
        })
    }
  })

  test('webhooks are judged by their signature, an operator with a token by the token', async () => {
    const { origin = '' } = foreign['its origin alone'] ?? {}
    const hook = await app.send('shop', 'POST', '/webhooks/stripe', { headers: { origin }, json: {} })
    expect(problemOf(hook)).toBe('webhook_invalid')
    const headers = { origin, authorization: `Bearer ${OPS_TOKEN}` }
    const path = `/api/operator/sales/${sale}/pause`
    expect((await app.send('ops', 'POST', path, { headers, json: { reason: 'test' } })).status).toBe(200)
    await app.operate('POST', `sales/${sale}/resume`, { reason: 'test' })
  })

  test('no answer but the public status may be read by other origins', async () => {
    for (const route of await documented()) {
      if (route.path.endsWith('/stream') || route.path.endsWith('/stock/live')) continue
      const { headers } = await send(route, { origin: URLS.shop, cookie: cookieOf(route.host) })
      const shared = headers.get('access-control-allow-origin')
      expect({ route, shared }).toEqual({ route, shared: route.path === `/api/queue/${sale}` ? '*' : null })
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    }
  })
})

test('cookies: of this host alone, over TLS alone, read by no script, not sent along from other sites', async () => {
  const jar = new Map<string, string>()
  const visit = async (host: HostName, path: string, form?: Fields) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await app.send<string>(host, form === undefined ? 'GET' : 'POST', path, {
      headers: {
        ...{ cookie, origin: URLS[host] },
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form === undefined ? {} : { raw: new URLSearchParams(form).toString() }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      jar.set(name, value)
    }
    return answer
  }
  const field = ({ body }: Answer<string>, name: string) =>
    new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1] ?? ''
  // A whole purchase without scripts; the one with scripts was made above.
  const fresh = await createSale(app)
  const door = await visit('queue', `/${fresh.sale}/plain`)
  await visit('queue', `/${fresh.sale}/plain`, { nonce: field(door, 'nonce'), code: '' })
  let inside = await visit('queue', `/${fresh.sale}/plain`)
  for (let looks = 0; looks < 100 && inside.status !== 303; looks++) {
    await Bun.sleep(20)
    inside = await visit('queue', `/${fresh.sale}/plain`)
  }
  const { pathname, search } = new URL(inside.headers.get('location') ?? '')
  await visit('shop', pathname + search)
  const items = await visit('shop', pathname)
  const claimed = await visit('shop', pathname, {
    ...{ nonce: field(items, 'nonce'), item_id: fresh.item, quantity: '1' },
  })
  expect(claimed.headers.get('location')).toContain('/orders/')

  const lines = answers.flatMap(({ headers }) => headers.getSetCookie())
  const names = new Set(lines.map((line) => line.split('=')[0]?.replace(/sale-\d+$/, '*')))
  expect([...names].sort()).toEqual([
    '__Host-device',
    '__Host-operator',
    '__Host-order-*',
    '__Host-pass-*',
    '__Host-session',
    '__Host-ticket-*',
  ])
  for (const line of lines) {
    const [pair = '', ...attributes] = line.split('; ')
    const kinds = attributes.map((attribute) => attribute.replace(/^Max-Age=\d+$/, 'Max-Age'))
    expect([pair, kinds.filter((kind) => !/^SameSite=(Lax|Strict)$/.test(kind)).sort()]).toEqual([
      ...[pair, ['HttpOnly', 'Max-Age', 'Path=/', 'Secure']],
    ])
    expect([pair, kinds.length]).toEqual([pair, 5])
  }
})

test('only what is the same for everybody is compressed: no secret shares a body with what an attacker sent', async () => {
  const everybody = Object.entries(pagesOf).flatMap(([host, paths]) =>
    paths.map((path): Route => ({ host: host as HostName, method: 'GET', path })),
  )
  const gets = (await documented()).filter(
    ({ method, path }) => method === 'GET' && !/\/(stream|live)$/.test(path),
  )
  const shown = plain().map((route) => ({ ...route, method: 'GET' }))
  const compressed: string[] = []
  for (const route of [
    ...everybody,
    ...gets,
    ...shown,
    { host: 'shop', method: 'GET', path: '/metrics' } as const,
  ]) {
    const ask = (cookie: string, query = '') =>
      app.hosts.fetch(
        new Request(`${URLS[route.host]}${route.path}${query}`, {
          headers: { cookie, accept: 'text/html,application/json', 'accept-encoding': 'br, gzip' },
        }),
      )
    const mine = await ask(cookieOf(route.host))
    if (mine.headers.get('content-encoding') === null) continue
    compressed.push(route.path)
    const others = await ask('', '?reflected=something')
    expect(Buffer.compare(await bytes(mine), await bytes(others))).toBe(0)
  }
  // The stock of a sale is packed once for all who look.
  expect(compressed.toSorted()).toEqual(
    [...everybody.map(({ path }) => path), `/api/sales/${sale}/stock`].toSorted(),
  )
})
const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer())

test('every answer says what a browser must not do with it, and nothing of what made it', async () => {
  for (const route of await documented())
    if (!/\/(stream|live)$/.test(route.path)) await send(route, { cookie: cookieOf(route.host) })
  for (const host of ['shop', 'queue', 'ops'] as const) {
    for (const path of pagesOf[host]) await app.send(host, 'GET', path, { headers: { accept: 'text/html' } })
    await app.send(host, 'GET', '/api/nothing')
    await app.send(host, 'DELETE', '/openapi.json')
  }
  await app.hosts.fetch(new Request('http://127.0.0.1:8080/'))
  expect(answers.length).toBeGreaterThan(100)
  for (const { path, headers } of answers) {
    const policy = headers.get('content-security-policy') ?? ''
    const said = {
      policy:
        /default-src 'none'/.test(policy) && /frame-ancestors 'none'/.test(policy) && !/unsafe/.test(policy),
      sniff: headers.get('x-content-type-options'),
      referrer: /^(same-origin|no-referrer)$/.test(headers.get('referrer-policy') ?? ''),
      shared: headers.get('cross-origin-resource-policy'),
      tls: headers.get('strict-transport-security'),
      server: headers.get('server') ?? headers.get('x-powered-by'),
    }
    expect({ path, ...said }).toEqual({
      ...{
        path,
        policy: true,
        sniff: 'nosniff',
        referrer: true,
        shared: 'same-origin',
        tls: null,
        server: null,
      },
    })
    if (!headers.get('content-type')?.startsWith('text/html')) continue
    expect(headers.get('permissions-policy')).toContain('camera=(), ')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('origin-agent-cluster')).toBe('?1')
  }
})

test('what browsers report of broken policies is counted, by names we know', async () => {
  const report = (type: string, raw: string) =>
    app.send('shop', 'POST', '/csp-reports', { headers: { 'content-type': type }, raw })
  const violation = (effectiveDirective: string) => ({ type: 'csp-violation', body: { effectiveDirective } })
  const many = JSON.stringify([
    violation('img-src'),
    violation('made-up'),
    ...Array.from({ length: 30 }, () => violation('img-src')),
  ])
  expect((await report('application/reports+json', many)).status).toBe(204)
  const old = JSON.stringify({ 'csp-report': { 'effective-directive': 'script-src-elem' } })
  expect((await report('application/csp-report', old)).status).toBe(204)
  for (const bad of ['', 'x', '{}', '[1]'])
    expect((await report('application/csp-report', bad)).status).toBe(204)
  expect((await report('application/csp-report', ' '.repeat(20_000))).status).toBe(413)
  const told = (await app.send<string>('shop', 'GET', '/metrics')).body
  const count = (directive: string) =>
    Number(new RegExp(`csp_reports_total\\{host="shop",directive="${directive}"\\} (\\d+)`).exec(told)?.[1])
  expect(['img-src', 'other', 'script-src-elem'].map(count)).toEqual([19, 1, 1])
})
