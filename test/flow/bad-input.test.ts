import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { randomUUID } from 'node:crypto'
import { createTokens } from '../../src/platform/tokens.ts'
import {
  type Answer,
  type Call,
  dumpEverything,
  type HostName,
  problemOf,
  startApp,
  type TestApp,
  URLS,
} from '../support/app.ts'
import { type Buyer, createBuyer, createSale, newKey } from '../support/buyer.ts'

let app: TestApp
let buyer: Buyer
let sale: string
let item: string
/** Of `buyer`, good and free. */
let pass: string
let ticket: string
/** Of `buyer`, used for `order` with `usedKey`. */
let usedPass: string
let usedKey: string
let order: string
beforeAll(async () => {
  app = await startApp()
  ;({ sale, item } = await createSale(app, { product: { per_buyer_limit: 5 } }))
  buyer = createBuyer(app)
  ;[usedKey, usedPass] = [newKey(), await buyer.pass(sale)]
  order = (await buyer.claim(usedPass, item, { key: usedKey })).body.order_id
  ticket = (await buyer.join(sale)).body.ticket
  pass = await buyer.pass(sale)
})
afterAll(() => app.close())

type Everything = Awaited<ReturnType<typeof dumpEverything>>
const snapshot = async (): Promise<Everything> => {
  // Reading the status lets the line stand or go; after that it has.
  await app.send('queue', 'GET', `/api/queue/${sale}`)
  return dumpEverything(app.app)
}

/** The problem of an answer that must have changed nothing in Redis and in SQL since `before`. */
async function harmless(before: Everything, call: () => Promise<Answer>) {
  const answer = await call()
  expect(await dumpEverything(app.app)).toEqual(before)
  return { status: answer.status, code: problemOf(answer) }
}

interface Bad extends Call {
  readonly what: string
  readonly status: number
  readonly code: string
}
const bad = (status: number, code: string, what: string, call: Call = {}): Bad => ({
  what,
  status,
  code,
  ...call,
})
const MEGABYTE = 'x'.repeat(1024 * 1024)
const JSON_TYPE = { 'content-type': 'application/json' }

/** Bodies that no endpoint takes, whatever it is for. */
const badBodies = (good: object): Bad[] => [
  bad(400, 'malformed_json', 'broken JSON', { raw: '{"item_id":', headers: JSON_TYPE }),
  bad(400, 'malformed_json', 'no JSON', { raw: 'hello', headers: JSON_TYPE }),
  bad(400, 'malformed_json', 'bytes that are no text', {
    raw: new Uint8Array([0xff, 0xfe, 0]),
    headers: JSON_TYPE,
  }),
  bad(413, 'body_too_large', 'a body of 1 MB', { json: { ...good, x: MEGABYTE } }),
  bad(415, 'unsupported_media_type', 'text', {
    raw: JSON.stringify(good),
    headers: { 'content-type': 'text/plain' },
  }),
  bad(415, 'unsupported_media_type', 'a form', {
    raw: 'item_id=a&quantity=1',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
  bad(415, 'unsupported_media_type', 'JSON of another kind', {
    raw: JSON.stringify(good),
    headers: { 'content-type': 'application/jsonp' },
  }),
  bad(415, 'unsupported_media_type', 'JSON with another meaning', {
    raw: JSON.stringify(good),
    headers: { 'content-type': 'application/ld+json' },
  }),
  bad(400, 'bad_request', 'an unknown field', { json: { ...good, extra: 1 } }),
  bad(400, 'bad_request', 'a field of the prototype', {
    raw: JSON.stringify(good).replace('{', '{"__proto__":{"x":1},'),
    headers: JSON_TYPE,
  }),
  ...[null, [], [good], 'text', 1, {}].map((json) =>
    bad(400, 'bad_request', `the body ${JSON.stringify(json).slice(0, 20)}`, { json }),
  ),
]

describe('claims', () => {
  const claim = ({ headers, ...call }: Call) =>
    buyer.shop('POST', '/api/claims', {
      headers: { authorization: `Bearer ${pass}`, 'idempotency-key': newKey(), ...headers },
      ...call,
    })

  test('bodies and values that no claim has', async () => {
    const good = { item_id: item, quantity: 1 }
    const quantities = [0, -1, 1.5, '2', 1e9, 1001, 1e300, null, true, [1], {}]
    const items = ['', 'UPPER', 'a b', '../x', '-a', 'x'.repeat(65), 1, null, ['tv'], 'a\u0000']
    const before = await snapshot()
    for (const { what, status, code, ...call } of [
      ...badBodies(good),
      ...quantities.map((quantity) =>
        bad(400, 'bad_request', `quantity ${JSON.stringify(quantity)}`, { json: { ...good, quantity } }),
      ),
      bad(400, 'bad_request', 'no quantity', { json: { item_id: item } }),
      bad(400, 'bad_request', 'no item', { json: { quantity: 1 } }),
      ...items.map((item_id) =>
        bad(400, 'bad_request', `item ${JSON.stringify(item_id)}`, { json: { ...good, item_id } }),
      ),
      bad(404, 'unknown_item', 'an unknown item', { json: { ...good, item_id: 'no-such-item' } }),
    ])
      expect({ what, ...(await harmless(before, () => claim(call))) }).toEqual({ what, status, code })
  })

  test('passes and keys that do not fit', async () => {
    const other = await createSale(app)
    const foreign = await createBuyer(app).pass(other.sale)
    const forged = createTokens([{ kid: 'k1', secret: Buffer.alloc(32, 9) }]).sign('pass', {
      ...{ aud: sale, iat: 0, exp: 4e9, jti: 'x', pos: 1, dev: 'x' },
    })
    const json = { item_id: item, quantity: 1 }
    const shown = (authorization: string) => ({ json, headers: { authorization } })
    const before = await snapshot()
    for (const { what, status, code, ...call } of [
      bad(401, 'pass_missing', 'no pass', shown('')),
      bad(401, 'pass_missing', 'another scheme', shown(`Basic ${pass}`)),
      bad(401, 'pass_missing', 'two words', shown(`Bearer ${pass} x`)),
      bad(401, 'pass_invalid', 'a ticket', shown(`Bearer ${ticket}`)),
      bad(401, 'pass_invalid', 'a pass signed with another key', shown(`Bearer ${forged}`)),
      bad(401, 'pass_invalid', 'an altered pass', shown(`Bearer ${pass.slice(0, -1)}`)),
      bad(401, 'pass_invalid', 'a long one', shown(`Bearer ${'x'.repeat(4000)}`)),
      bad(403, 'pass_foreign', 'the pass of another sale', shown(`Bearer ${foreign}`)),
      bad(403, 'pass_foreign', 'another device', { json, headers: { 'x-device': 'tablet' } }),
      bad(403, 'pass_used', 'a used pass', shown(`Bearer ${usedPass}`)),
      bad(422, 'idempotency_key_reused', 'the same key with another quantity', {
        json: { ...json, quantity: 2 },
        headers: { authorization: `Bearer ${usedPass}`, 'idempotency-key': usedKey },
      }),
      ...['', 'short', 'a b c d e f', 'x'.repeat(129), 'käse-käse'].map((key) =>
        bad(400, 'idempotency_key_missing', `the key ${key.slice(0, 20)}`, {
          json,
          headers: { 'idempotency-key': key },
        }),
      ),
      bad(403, 'origin_refused', 'a page of another site', {
        json,
        headers: { origin: 'https://evil.example' },
      }),
      bad(403, 'origin_refused', 'a sandboxed page', { json, headers: { origin: 'null' } }),
    ])
      expect({ what, ...(await harmless(before, () => claim(call))) }).toEqual({ what, status, code })
    const stranger = createBuyer(app)
    await stranger.userId()
    const stolen = () => stranger.claim(usedPass, item, { key: usedKey }) as unknown as Promise<Answer>
    expect(await harmless(before, stolen)).toEqual({ status: 403, code: 'pass_foreign' })
  })

  test('an expired pass', async () => {
    const late = await createSale(app, { pass_s: 60 })
    const expiring = await buyer.pass(late.sale)
    app.clock.aheadMs = 61_000
    const call = () => buyer.claim(expiring, late.item) as unknown as Promise<Answer>
    const before = await snapshot()
    expect(await harmless(before, call)).toEqual({ status: 401, code: 'pass_expired' })
    app.clock.aheadMs = 0
  })

  test('after all that the pass is still good', async () => {
    expect((await buyer.claim(pass, item)).status).toBe(201)
  })
})

describe('the waiting room', () => {
  test('join', async () => {
    const devices = ['', 'x'.repeat(257), 1, null, {}, []]
    const before = await snapshot()
    for (const { what, status, code, ...call } of [
      ...badBodies({ device: 'phone' }),
      ...devices.map((device) =>
        bad(400, 'bad_request', `device ${JSON.stringify(device).slice(0, 20)}`, { json: { device } }),
      ),
      bad(400, 'bad_request', 'a ticket that is a number', { json: { device: 'x', ticket: 1 } }),
      bad(400, 'bad_request', 'an empty ticket', { json: { device: 'x', ticket: '' } }),
      bad(400, 'bad_request', 'a solution that is a number', { json: { device: 'x', solution: 1 } }),
    ]) {
      const send = () => app.send('queue', 'POST', `/api/queue/${sale}/join`, call)
      expect({ what, ...(await harmless(before, send)) }).toEqual({ what, status, code })
    }
    const json = { device: 'phone' }
    const elsewhere = () => app.send('queue', 'POST', '/api/queue/no-such-sale/join', { json })
    expect(await harmless(before, elsewhere)).toEqual({ status: 404, code: 'unknown_sale' })
    const misnamed = () => app.send('queue', 'POST', '/api/queue/NO_SALE/join', { json })
    expect(await harmless(before, misnamed)).toEqual({ status: 400, code: 'bad_request' })
  })

  test('enter', async () => {
    const other = (await createBuyer(app).join((await createSale(app)).sale)).body.ticket
    const before = await snapshot()
    for (const { what, status, code, ...call } of [
      ...badBodies({ ticket }),
      bad(400, 'bad_request', 'no ticket', { json: { device: 'phone' } }),
      bad(400, 'bad_request', 'a number', { json: { ticket: 1 } }),
      bad(401, 'ticket_invalid', 'no ticket of ours', { json: { ticket: 'hello' } }),
      bad(401, 'ticket_invalid', 'a pass', { json: { ticket: pass } }),
      bad(403, 'ticket_foreign', 'the ticket of another sale', { json: { ticket: other } }),
      bad(403, 'ticket_foreign', 'another device', { json: { ticket, device: 'tablet' } }),
    ]) {
      const send = () => app.send('queue', 'POST', `/api/queue/${sale}/enter`, call)
      expect({ what, ...(await harmless(before, send)) }).toEqual({ what, status, code })
    }
  })
})

describe('orders, payments, receipts', () => {
  test('of other people, of nobody, of no session', async () => {
    const stranger = createBuyer(app)
    await stranger.userId()
    const json = { provider: 'stripe' }
    const before = await snapshot()
    for (const id of [order, randomUUID()]) {
      const calls: [string, string, Call?][] = [
        ['GET', `/api/orders/${id}`],
        ['DELETE', `/api/orders/${id}`],
        ['POST', `/api/orders/${id}/payment`, { json }],
      ]
      for (const [method, path, call] of calls)
        expect(await harmless(before, () => stranger.shop(method, path, call))).toEqual({
          ...{ status: 404, code: 'unknown_order' },
        })
    }
    expect((await stranger.shop('GET', '/api/orders')).body).toEqual({ orders: [] })
    const anonymous: [string, string, Call?][] = [
      ['GET', '/api/orders'],
      ['GET', `/api/orders/${order}`],
      ['DELETE', `/api/orders/${order}`],
      ['POST', `/api/orders/${order}/payment`, { json }],
      ['POST', '/api/receipts', { json: { receipt: 'x' } }],
    ]
    for (const [method, path, call] of anonymous) {
      expect(await harmless(before, () => app.send('shop', method, path, call))).toEqual({
        ...{ status: 401, code: 'session_missing' },
      })
      const cookie = '__Host-session=made.up.here'
      const headers = { cookie, origin: URLS.shop }
      const made = () => app.send('shop', method, path, { ...call, headers })
      expect(await harmless(before, made)).toEqual({ status: 401, code: 'session_invalid' })
    }
  })

  test('bodies, ids and origins', async () => {
    const origin = 'https://evil.example'
    const cases: [string, string, Bad][] = [
      ...badBodies({ provider: 'stripe' }).map((body): [string, string, Bad] => [
        ...(['POST', `/api/orders/${order}/payment`] as const),
        body,
      ]),
      ...badBodies({ receipt: 'x' }).map((body): [string, string, Bad] => ['POST', '/api/receipts', body]),
      ...['cash', '', 1, null].map((provider): [string, string, Bad] => [
        ...(['POST', `/api/orders/${order}/payment`] as const),
        bad(400, 'bad_request', `provider ${provider}`, { json: { provider } }),
      ]),
      ...['x', pass].map((receipt): [string, string, Bad] => [
        ...(['POST', '/api/receipts'] as const),
        bad(400, 'receipt_invalid', 'no receipt', { json: { receipt } }),
      ]),
      ['GET', '/api/orders/7', bad(400, 'bad_request', 'an id that is none')],
      ['DELETE', `/api/orders/${order}'--`, bad(400, 'bad_request', 'an id with more')],
      ['DELETE', `/api/orders/${order}`, bad(403, 'origin_refused', 'another site', { headers: { origin } })],
      [
        ...(['POST', `/api/orders/${order}/payment`] as const),
        bad(403, 'origin_refused', 'another site', { json: { provider: 'stripe' }, headers: { origin } }),
      ],
      [
        ...(['POST', '/api/receipts'] as const),
        bad(403, 'origin_refused', 'another site', { json: { receipt: 'x' }, headers: { origin } }),
      ],
      // The order worker does not run here: there is no row to pay for yet.
      [
        ...(['POST', `/api/orders/${order}/payment`] as const),
        bad(409, 'order_not_payable', 'too soon', { json: { provider: 'stripe' } }),
      ],
    ]
    const before = await snapshot()
    for (const [method, path, { what, status, code, ...call }] of cases)
      expect({ what, path, ...(await harmless(before, () => buyer.shop(method, path, call))) }).toEqual({
        ...{ what, path, status, code },
      })
    expect((await buyer.shop('GET', '/api/orders', { headers: { origin } })).status).toBe(200)
    const own = { headers: { origin: URLS.shop }, json: { receipt: 'x' } }
    expect((await buyer.shop('POST', '/api/receipts', own)).status).toBe(400)
  })

  test('webhooks that are not signed', async () => {
    const before = await snapshot()
    for (const headers of [{}, { 'stripe-signature': 't=1,v1=00' }]) {
      const call = { json: { id: 'evt_1', type: 'payment_intent.succeeded' }, headers }
      expect(await harmless(before, () => app.send('shop', 'POST', '/webhooks/stripe', call))).toEqual({
        ...{ status: 400, code: 'webhook_invalid' },
      })
    }
  })
})

describe('operators', () => {
  const newSale = {
    ...{ id: 'new-sale', name: 'New', rate_per_second: 1, reason: 'test' },
    products: [{ id: 'new-item', name: 'TV', amount: 1, currency: 'EUR', units: 1 }],
  }
  const ENDPOINTS: [string, string, object?][] = [
    ['GET', 'sales'],
    ['POST', 'sales', newSale],
    ['GET', 'sales/x'],
    ...['open', 'pause', 'resume', 'end'].map((name): [string, string, object] => [
      ...(['POST', `sales/sale-1/${name}`] as const),
      { reason: 'test' },
    ]),
    ['PUT', 'sales/sale-1/rate', { rate_per_second: 1, reason: 'test' }],
    ['PUT', 'sales/sale-1', { name: 'Another', reason: 'test' }],
    ['POST', 'sales/sale-1/rehearse', { opens_in_s: 1, reason: 'test' }],
    ['GET', 'sales/sale-1/live'],
    ['GET', 'sales/sale-1/live/stream'],
    ['GET', 'orders'],
    ['GET', 'orders.csv'],
    ['GET', 'orders/01a20992-e3c2-72d9-b34e-65423441e81a'],
    ['POST', 'reconcile', { reason: 'test' }],
    ['GET', 'reconcile'],
    ['GET', 'audit'],
    ['GET', 'dead-letters'],
    ['POST', 'dead-letters/1/replay', { reason: 'test' }],
  ]

  test('without the token nothing is told and nothing done, not even whether a path exists', async () => {
    const before = await snapshot()
    for (const [method, path, json] of [...ENDPOINTS, ['GET', 'nothing-here'] as [string, string]])
      for (const authorization of ['', 'Bearer ', 'Bearer wrong-token-of-tests', 'operator-token-of-tests']) {
        const headers = { authorization, origin: URLS.ops }
        const call = { headers, ...(json === undefined ? {} : { json }) }
        expect(await harmless(before, () => app.send('ops', method, `/api/operator/${path}`, call))).toEqual({
          ...{ status: 401, code: 'operator_only' },
        })
      }
  })

  test('bodies and values that no command has', async () => {
    const authorization = 'Bearer operator-token-of-tests'
    const before = await snapshot()
    for (const [method, path, good] of ENDPOINTS.filter(([, , json]) => json !== undefined))
      for (const { what, status, code, headers, ...call } of [
        ...badBodies(good ?? {}),
        bad(400, 'bad_request', 'no reason', { json: { ...good, reason: '  ' } }),
        bad(400, 'bad_request', 'a reason with a NUL', { json: { ...good, reason: 'a\u0000b' } }),
      ]) {
        const send = () =>
          app.send('ops', method, `/api/operator/${path}`, {
            headers: { authorization, ...headers },
            ...call,
          })
        expect({ path, what, ...(await harmless(before, send)) }).toEqual({ path, what, status, code })
      }
  })

  test('sales that can not be', async () => {
    const product = newSale.products[0]
    const changes: object[] = [
      ...['', 'Big', 'a b', 'x'.repeat(65)].map((id) => ({ id })),
      ...['', ' ', 'a\u0000b', 'x'.repeat(201), 1].map((name) => ({ name })),
      ...[0, -1, '1', 1e7, null, 1e-300].map((rate_per_second) => ({ rate_per_second })),
      ...[-1, 1.5, '1', 9e15, null].map((opens_at) => ({ opens_at })),
      ...[1, 9e15].map((ends_at) => ({ ends_at, opens_at: 1000 })),
      ...[0, -1, 1e6].flatMap((s) => [{ pass_s: s }, { hold_s: s }, { payment_window_s: s }]),
      { hold_s: 10, payment_window_s: 20 },
      { message: 'a\u0000b' },
      { products: [] },
      { products: [product, product] },
      ...[0, -1, 1.5, '1', 1e8].map((units) => ({ products: [{ ...product, units }] })),
      ...[0, -1, 1.5, '1', 1e10].map((amount) => ({ products: [{ ...product, amount }] })),
      ...['eur', 'EURO', ''].map((currency) => ({ products: [{ ...product, currency }] })),
      ...[0, -1, 1.5, 1001].map((per_buyer_limit) => ({ products: [{ ...product, per_buyer_limit }] })),
      { products: [{ ...product, description: 'a\u0000b' }] },
      { products: [{ ...product, extra: 1 }] },
      { state: 'ended' },
    ]
    const before = await snapshot()
    for (const change of changes) {
      const send = () => app.operate('POST', 'sales', { ...newSale, ...change })
      expect({ change, ...(await harmless(before, send)) }).toEqual({
        change,
        status: 400,
        code: 'bad_request',
      })
    }
    for (const rate_per_second of [0, -1, 1e7, '1', null, 1e-300]) {
      const send = () => app.operate('PUT', `sales/${sale}/rate`, { rate_per_second, reason: 'test' })
      expect(await harmless(before, send)).toEqual({ status: 400, code: 'bad_request' })
    }
  })

  test('commands about what is not there leave only the audit log', async () => {
    const unaudited = async () => ({ ...(await dumpEverything(app.app)), '0 audit_log': undefined })
    await app.send('queue', 'GET', `/api/queue/${sale}`)
    const before = await unaudited()
    const reason = 'test'
    const cases: [string, string, object, string][] = [
      ...['open', 'pause', 'resume', 'end'].map((name): [string, string, object, string] => [
        ...(['POST', `sales/no-such-sale/${name}`] as const),
        ...([{ reason }, 'unknown_sale'] as const),
      ]),
      ['PUT', 'sales/no-such-sale/rate', { rate_per_second: 1, reason }, 'unknown_sale'],
      ['POST', 'sales', { ...newSale, id: sale }, 'already_exists'],
      ['POST', 'sales', { ...newSale, products: [{ ...newSale.products[0], id: item }] }, 'already_exists'],
      ['POST', 'reconcile', { item_id: 'no-such-item', reason }, 'unknown_item'],
      ['POST', 'dead-letters/0-0/replay', { reason }, 'not_found'],
      ['POST', 'dead-letters/what/replay', { reason }, 'not_found'],
    ]
    for (const [method, path, json, code] of cases)
      expect({ path, code: problemOf(await app.operate(method, path, json)) }).toEqual({ path, code })
    expect(await unaudited()).toEqual(before)
    expect(problemOf(await app.operate('GET', 'sales/no-such-sale'))).toBe('unknown_sale')
  })
})

describe('addresses', () => {
  test('unknown paths', async () => {
    const cases: [HostName, string, string][] = [
      ...(['shop', 'queue', 'ops'] as const).map((host): [HostName, string, string] => [
        host,
        'GET',
        '/api/no',
      ]),
      ['shop', 'POST', '/api/queue/sale-1/join'],
      ['queue', 'POST', '/api/claims'],
      ['shop', 'GET', '/api/operator/sales'],
      ['queue', 'GET', '/a/b/c'],
      ['shop', 'GET', '/assets/nothing-12345678.js'],
      ['shop', 'GET', '/api/products/'],
      ['shop', 'GET', '/%00'],
      ['shop', 'GET', '/api/orders/../../etc/passwd/x'],
    ]
    for (const [host, method, path] of cases) {
      const call = method === 'POST' ? { json: {} } : {}
      expect({ path, code: problemOf(await app.send(host, method, path, call)) }).toEqual({
        ...{ path, code: 'not_found' },
      })
    }
    expect(problemOf(await app.send('shop', 'GET', '/api/products/no-such-item'))).toBe('unknown_item')
    expect(problemOf(await app.send('shop', 'GET', '/api/items/no-such-item/stock'))).toBe('unknown_item')
    expect(problemOf(await app.send('shop', 'GET', '/api/items/no-such-item/stock/live'))).toBe(
      'unknown_item',
    )
    expect(problemOf(await app.send('shop', 'GET', '/api/sales/no-such-sale'))).toBe('unknown_sale')
    expect(problemOf(await app.send('queue', 'GET', '/api/queue/no-such-sale'))).toBe('unknown_sale')
  })

  test('a known path with another method is told which methods there are', async () => {
    const cases: [HostName, string, string, string][] = [
      ['shop', 'GET', '/api/claims', 'POST'],
      ['shop', 'DELETE', '/api/claims', 'POST'],
      ['shop', 'OPTIONS', '/api/claims', 'POST'],
      ['shop', 'POST', '/api/products', 'GET, HEAD'],
      ['shop', 'PATCH', `/api/orders/${order}`, 'DELETE, GET, HEAD'],
      ['shop', 'GET', '/webhooks/stripe', 'POST'],
      ['shop', 'POST', '/', 'GET, HEAD'],
      ['shop', 'PUT', '/healthz', 'GET, HEAD'],
      ['queue', 'GET', `/api/queue/${sale}/join`, 'POST'],
      ['queue', 'POST', `/api/queue/${sale}`, 'GET, HEAD'],
    ]
    const before = await snapshot()
    for (const [host, method, path, allow] of cases) {
      const call = method === 'GET' || method === 'DELETE' || method === 'OPTIONS' ? {} : { json: {} }
      const answer = await harmless(before, () => app.send(host, method, path, call))
      const { headers } = await app.send(host, method, path, call)
      expect({ method, path, ...answer, allow: headers.get('allow') }).toEqual({
        ...{ method, path, status: 405, code: 'method_not_allowed', allow },
      })
    }
    const wrong = await app.operate('DELETE', 'sales')
    expect([problemOf(wrong), wrong.headers.get('allow')]).toEqual(['method_not_allowed', 'GET, HEAD, POST'])
    expect((await app.send('shop', 'HEAD', '/api/products')).status).toBe(200)
  })

  test('a request id of the client is kept where it is well-formed', async () => {
    const ask = async (id: string) =>
      (await app.send('shop', 'GET', '/healthz', { headers: { 'x-request-id': id } })).headers.get(
        'x-request-id',
      )
    expect(await ask('client-id.0001')).toBe('client-id.0001')
    for (const id of ['short', 'a b c d e f g', 'x'.repeat(65), '<script>alert(1)'])
      expect(await ask(id)).not.toBe(id)
  })
})
