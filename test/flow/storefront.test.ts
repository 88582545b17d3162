import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { brotliDecompressSync, deflateSync } from 'node:zlib'
import { problemOf, startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale } from '../support/buyer.ts'
import { ownPostgres } from '../support/postgres.ts'

// The shop's pages over HTTP, and the pictures of its products.

setDefaultTimeout(60_000)
let app: TestApp
beforeAll(async () => {
  app = await startApp()
}, 60_000)
afterAll(() => app.close())

const page = (path: string, headers: Record<string, string> = {}, of = app) =>
  of.send<string>('shop', 'GET', path, { headers: { accept: 'text/html,*/*', ...headers } })

describe('pages', () => {
  test('hold all there is to know before any script runs, in the language that is asked for', async () => {
    const { sale, item } = await createSale(app, { product: { name: 'Lampe', description: 'Sie leuchtet.' } })
    const answer = await page(`/products/${item}`, { 'accept-language': 'de-CH,de;q=0.9' })
    expect([answer.status, answer.headers.get('content-language')]).toEqual([200, 'de'])
    for (const text of [
      'Lampe',
      'Sie leuchtet.',
      '199,00',
      'noch 10 von 10',
      `/${sale}/plain"`,
      '<time datetime="',
    ])
      expect(answer.body).toContain(text)
    expect(answer.body).toMatch(
      /<img class="picture" src="\/pictures\/[\w-]{22}\.svg" width="800" height="600"/,
    )
    for (const path of ['/', `/sales/${sale}`]) {
      const { status, body } = await page(path, { 'x-language': 'ja' })
      expect([path, status, body.includes('lang="ja" dir="ltr"'), body.includes('Lampe')]).toEqual([
        path,
        200,
        true,
        true,
      ])
    }
  })

  test('are kept for a second by whoever is in between, and asked for again by browsers', async () => {
    const { item } = await createSale(app)
    const first = await page(`/products/${item}`)
    expect(first.headers.get('cache-control')).toStartWith('public, max-age=0, s-maxage=1')
    expect(first.headers.get('vary')).toBe('Accept-Encoding, Accept-Language, Cookie, X-Language')
    expect(first.headers.get('set-cookie')).toBeNull()
    expect(first.headers.get('content-security-policy')).toContain("script-src 'self'")
    const again = await page(`/products/${item}`, { 'if-none-match': first.headers.get('etag') ?? '' })
    expect([again.status, again.body]).toEqual([304, ''])
    const request = new Request(`http://shop.localhost:8080/products/${item}`, {
      headers: { 'accept-encoding': 'br' },
    })
    const packed = await app.hosts.fetch(request)
    expect(packed.headers.get('content-encoding')).toBe('br')
    expect(brotliDecompressSync(await packed.arrayBuffer()).toString()).toContain('TV')
  })

  test('keep a language that was chosen, for those whose browser runs no script, and share that answer with nobody', async () => {
    const answer = await page('/?lang=fr')
    expect(answer.headers.get('content-language')).toBe('fr')
    expect(answer.headers.get('set-cookie')).toStartWith('lang=fr;')
    expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    expect((await page('/?lang=xx')).headers.get('set-cookie')).toBeNull()
  })

  test('of nothing are 404, and kept by nobody', async () => {
    for (const path of ['/products/nothing', '/sales/nothing', '/products/%3Cscript%3E']) {
      const { status, headers, body } = await page(path)
      expect([path, status, headers.get('cache-control')]).toEqual([path, 404, 'no-store'])
      expect(body).toContain('There is nothing at this address')
    }
  })

  test('show what came back within a second', async () => {
    const { sale, item } = await createSale(app, { product: { units: 1 } })
    const buyer = createBuyer(app)
    const claimed = await buyer.claim(await buyer.pass(sale), item)
    expect(claimed.status).toBe(201)
    const state = async () =>
      /data-state="(\w+)" aria-labelledby="offer-title"/.exec((await page(`/products/${item}`)).body)?.[1]
    await Bun.sleep(1000)
    expect(await state()).toBe('held_out')
    expect((await buyer.shop('DELETE', `/api/orders/${claimed.body.order_id}`)).status).toBe(200)
    const returned = performance.now()
    while ((await state()) !== 'open' && performance.now() - returned < 5000) await Bun.sleep(20)
    expect(performance.now() - returned).toBeLessThan(1000)
  })

  test('and one answer tells what is left of all of a sale', async () => {
    const { sale, item } = await createSale(app)
    const { body } = await app.send<{ items: object[] }>('shop', 'GET', `/api/sales/${sale}/stock`)
    expect(body.items).toMatchObject([{ item_id: item, available: 10, total: 10, state: 'available' }])
    expect(problemOf(await app.send('shop', 'GET', '/api/sales/nothing/stock'))).toBe('unknown_sale')
  })
})

test('where nothing was ever known of the sales a page says so with 503, and tries again by itself', async () => {
  const server = await ownPostgres()
  const other = await startApp({ DATABASE_URLS: server.url })
  try {
    await server.crash()
    const answer = await page('/', { 'x-language': 'es' }, other)
    expect([answer.status, answer.headers.get('content-language')]).toEqual([503, 'es'])
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(answer.headers.get('refresh')).toMatch(/^[1-9]/)
    expect(problemOf(await other.send('shop', 'GET', '/api/products'))).toBe('unavailable')
  } finally {
    await other.close()
    await server.restart()
    await server.stop()
  }
}, 120_000)

describe('pictures', () => {
  /** A real PNG of one grey: signature, header, data, end, each with its checksum. */
  const png = (width: number, height: number) => {
    const chunk = (type: string, data: Uint8Array) => {
      const body = Buffer.concat([Buffer.from(type), data])
      const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
      length.writeUInt32BE(data.length)
      sum.writeUInt32BE(Bun.hash.crc32(body))
      return Buffer.concat([length, body, sum])
    }
    const header = Buffer.alloc(13)
    header.writeUInt32BE(width)
    header.writeUInt32BE(height, 4)
    header.set([8, 0], 8)
    const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
    const data = deflateSync(Buffer.alloc((width + 1) * height, 128))
    return Buffer.concat([
      signature,
      chunk('IHDR', header),
      chunk('IDAT', data),
      chunk('IEND', Buffer.alloc(0)),
    ])
  }
  const put = (
    item: string,
    raw: BodyInit,
    { type = 'image/png', query = 'reason=test', token = 'operator-token-of-tests' } = {},
  ) =>
    app.send<Record<string, unknown> & { picture: { path: string } }>(
      'ops',
      'PUT',
      `/api/operator/products/${item}/picture?${query}`,
      {
        raw,
        headers: { authorization: `Bearer ${token}`, 'content-type': type },
      },
    )

  test('of products are given by operators, shown everywhere, kept for ever, and written down', async () => {
    const { sale, item } = await createSale(app)
    const given = await put(item, png(640, 480), { query: 'reason=a%20better%20one&alt=A%20grey%20wall' })
    const picture = { path: given.body.picture.path, width: 640, height: 480, alt: 'A grey wall' }
    expect([given.status, given.body.picture]).toEqual([200, picture])
    expect(picture.path).toMatch(/^\/pictures\/[\w-]{22}\.png$/)
    expect((await app.send('shop', 'GET', `/api/products/${item}`)).body).toMatchObject({ picture })
    const { body } = await page(`/sales/${sale}`)
    expect(body).toContain(`src="${picture.path}" width="640" height="480" alt="A grey wall"`)
    for (const host of ['shop', 'queue', 'ops'] as const) {
      const found = await app.send('shop', 'GET', picture.path)
      expect([host, found.status, found.headers.get('content-type')]).toEqual([host, 200, 'image/png'])
      expect(found.headers.get('cache-control')).toContain('immutable')
      expect(found.headers.get('x-content-type-options')).toBe('nosniff')
      expect(found.headers.get('content-security-policy')).toContain("default-src 'none'")
    }
    const audit = await app.operate<{ entries: object[] }>('GET', 'audit')
    expect(audit.body.entries[0]).toMatchObject({
      ...{ command: 'item.picture', target: item, reason: 'a better one' },
      detail: { type: 'image/png', width: 640, height: 480 },
    })
    const gone = await app.send('ops', 'DELETE', `/api/operator/products/${item}/picture?reason=test`, {
      headers: { authorization: 'Bearer operator-token-of-tests' },
    })
    expect(gone.body).toMatchObject({ picture: { path: expect.stringMatching(/\.svg$/) as string, alt: '' } })
    // Who still has the page of before is still shown it.
    expect((await app.send('shop', 'GET', picture.path)).status).toBe(200)
  })

  test('are drawn where none is given, the same each time, and nothing in them runs', async () => {
    const { item } = await createSale(app, { product: { name: '<script>' } })
    const { body } = await app.send<{ picture: { path: string } }>('shop', 'GET', `/api/products/${item}`)
    const { status, headers, body: svg } = await app.send<string>('shop', 'GET', body.picture.path)
    expect([status, headers.get('content-type')]).toEqual([200, 'image/svg+xml'])
    expect(svg).toStartWith('<svg xmlns')
    expect(svg).not.toMatch(/script|style|onload|href=/)
    expect((await app.send('shop', 'GET', '/pictures/AAAAAAAAAAAAAAAAAAAAAA.svg')).status).toBe(404)
  })

  test('that are none, too large, too small or nobody’s change nothing', async () => {
    const { item } = await createSale(app)
    const before = (await app.send('shop', 'GET', `/api/products/${item}`)).body
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"></svg>'
    const gif = Buffer.concat([Buffer.from('GIF89a'), Buffer.from([144, 1, 144, 1, 0, 0, 0, 59])])
    const refused = async (answer: ReturnType<typeof put>) => problemOf(await answer)
    expect(await refused(put(item, svg, { type: 'image/svg+xml' }))).toBe('unsupported_media_type')
    expect(await refused(put(item, png(300, 300), { type: 'text/html' }))).toBe('unsupported_media_type')
    for (const raw of [
      svg,
      gif,
      '',
      'x'.repeat(1000),
      png(300, 300).subarray(0, 12),
      png(100, 300),
      png(6001, 300),
    ])
      expect(await refused(put(item, raw))).toBe('bad_request')
    expect(await refused(put(item, Buffer.concat([png(300, 300), Buffer.alloc(1024 * 1024)])))).toBe(
      'body_too_large',
    )
    expect(await refused(put(item, png(300, 300), { query: 'alt=x' }))).toBe('bad_request')
    expect(await refused(put(item, png(300, 300), { query: `reason=test&alt=${'x'.repeat(301)}` }))).toBe(
      'bad_request',
    )
    expect(await refused(put(item, png(300, 300), { token: 'wrong' }))).not.toBe('bad_request')
    expect(await refused(put('nothing', png(300, 300)))).toBe('unknown_item')
    expect((await app.send('shop', 'GET', `/api/products/${item}`)).body).toEqual(before)
  })

  test('what a body says it is does not count: its bytes do', async () => {
    const { item } = await createSale(app)
    const { body } = await put(item, png(300, 300), { type: 'image/webp' })
    expect(body.picture.path).toEndWith('.png')
  })
})
