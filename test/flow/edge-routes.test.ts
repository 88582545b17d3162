import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { skipLoudly, startTestEdge, type TestEdge } from '../support/edge.ts'
import { type HostName, problemOf, startApp, type TestApp, URLS } from '../support/app.ts'
import { createSale } from '../support/buyer.ts'

// The real application behind the real edge: what is said of caching at the origin and what the edge does, address by address.

const skip = skipLoudly()
let app: TestApp
let server: ReturnType<typeof Bun.serve>
let edge: TestEdge
let sold: Awaited<ReturnType<typeof createSale>>
beforeAll(async () => {
  if (skip) return
  app = await startApp({ TRUSTED_PROXIES: '1' })
  server = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1', idleTimeout: 0 },
    fetch: (request, bun) => app.hosts.fetch(request, { address: bun.requestIP(request)?.address ?? '' }),
  })
  edge = await startTestEdge([server.port ?? 0])
  sold = await createSale(app)
})
afterAll(async () => {
  await edge?.stop()
  await server?.stop(true)
  await app?.close()
})

/** Everything that may be kept for a second; whatever else there is, today or later, may not. */
const KEPT: Readonly<Record<HostName, readonly string[]>> = {
  queue: ['/api/queue/{sale}', '/{sale}', '/{sale}/draw'],
  shop: [
    '/api/products',
    '/api/products/{id}',
    '/api/sales/{sale}',
    '/api/items/{id}/stock',
    '/api/sales/{sale}/stock',
    '/',
    '/products/{id}',
    '/sales/{sale}',
    '/checkout/{sale}',
    '/orders',
  ],
  ops: [],
}
/** Pages, the ways without scripts and the rest that /openapi.json does not tell. */
const OTHERS: Readonly<Record<HostName, readonly string[]>> = {
  queue: ['/', '/{sale}', '/{sale}/draw', '/{sale}/plain', '/openapi.json', '/healthz', '/nothing/here'],
  shop: [
    ...[
      '/',
      '/products/{id}',
      '/sales/{sale}',
      '/checkout/{sale}',
      '/orders',
      '/checkout/{sale}/plain',
      '/openapi.json',
    ],
    ...['/checkout/{sale}/plain/orders/{id}', '/checkout/{sale}/plain/pay/{id}', '/healthz', '/nothing/here'],
  ],
  ops: ['/', '/openapi.json', '/healthz'],
}
interface Document {
  readonly paths: Record<string, Record<string, unknown> & { servers?: { url: string }[] }>
}

async function everyGet(): Promise<[HostName, string][]> {
  const document = (await (await edge.fetch('shop', '/openapi.json')).json()) as Document
  const hostOf = (url: string | undefined) =>
    (['queue', 'shop', 'ops'] as const).find((host) => URLS[host] === url)
  const described = Object.entries(document.paths).flatMap(([path, operations]): [HostName, string][] => {
    const get = operations['get'] as { servers?: { url: string }[] } | undefined
    if (get === undefined) return []
    const host = hostOf((get.servers ?? operations.servers)?.[0]?.url)
    if (host === undefined) throw new Error(`nobody serves ${path}`)
    return [[host, path]]
  })
  const others = Object.entries(OTHERS).flatMap(([host, paths]) =>
    paths.map((path): [HostName, string] => [host as HostName, path]),
  )
  return [...described, ...others]
}

describe.skipIf(skip)('behind the edge', () => {
  test('what may be kept is said by the origin, done by the edge, and on this list; everything else passes', async () => {
    const gets = await everyGet()
    expect(gets.length).toBeGreaterThan(40)
    for (const [host, template] of gets) {
      if (template.endsWith('/live')) continue // a stream; see edge-requests.test.ts
      const path = template.replace('{sale}', sold.sale).replace(/\{\w+\}/g, sold.item)
      const init = { headers: { Accept: template.startsWith('/api') ? '*/*' : 'text/html' } }
      const { headers } = await app.send(host, 'GET', path, init)
      const answer = await edge.send(host, path, init)
      const keeps = KEPT[host].includes(template)
      expect({
        at: `${host} ${template}`,
        origin: /\bs-maxage=/.test(headers.get('cache-control') ?? ''),
        edge: answer.cache !== 'edge; fwd=bypass',
        cookie: answer.headers.has('set-cookie') && keeps,
      }).toEqual({ at: `${host} ${template}`, origin: keeps, edge: keeps, cookie: false })
    }
  }, 30_000)

  test('the security headers of the origin arrive as they are, once', async () => {
    for (const [host, path] of [
      ['shop', '/'],
      ['queue', `/${sold.sale}`],
      ['ops', '/'],
    ] as const) {
      const { headers: sent } = await app.send(host, 'GET', path)
      const { headers: got } = await edge.send(host, path)
      for (const [name, value] of sent)
        if (!['x-request-id', 'content-encoding', 'date'].includes(name))
          expect(`${name}: ${got.get(name)}`).toBe(`${name}: ${value}`)
    }
  })

  test('the guard counts who spoke to the edge, not what a visitor claims', async () => {
    const { sale } = await createSale(app, { guard: { limits: { challenge_address: { points: 3 } } } })
    const ask = (claimed: string) =>
      edge.send('queue', `/api/queue/${sale}/challenge?device=d`, { headers: { 'X-Forwarded-For': claimed } })
    const statuses: number[] = []
    for (let n = 0; n < 12; n++) statuses.push((await ask(`203.0.113.${n}`)).status)
    expect(statuses[0]).toBe(200)
    expect(statuses.at(-1)).toBe(429)
    const other = edge.wire(1, '127.0.9.9')
    const path = `/api/queue/${sale}/challenge?device=d`
    expect(await other.send({ method: 'GET', host: new URL(URLS.queue).host, path })).toMatchObject({
      status: 200,
    })
    other.close()
  })

  test('problems of the origin arrive as they are', async () => {
    const refused = await edge.fetch('shop', '/api/orders')
    const { status, headers } = refused
    expect(problemOf({ status, headers, body: (await refused.json()) as Record<string, unknown> })).toBe(
      'session_missing',
    )
  })
})
