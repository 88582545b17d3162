import { beforeAll, describe, expect, test } from 'bun:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { type Assets, buildAssets } from './assets.ts'
import { createHttpApp } from './http.ts'
import { bestEncoding, mountPages } from './pages.ts'
import { projectPath } from './project.ts'
import { stripeCardFields } from './provider-pages.ts'
import { compressed } from './representation.ts'
import { createLog, createMetrics } from './telemetry.ts'

const urls = {
  shop: 'http://shop.example',
  queue: 'http://queue.example',
  ops: 'http://ops.example',
  cards: stripeCardFields('http://pay.example'),
  captcha: [] as readonly string[],
}
const text = (body: Uint8Array) => new TextDecoder().decode(body)
let assets: Assets
beforeAll(async () => {
  assets = await buildAssets({
    config: { shop_url: urls.shop, queue_url: urls.queue, odd: '</script><script>alert(1)' },
  })
})

describe('buildAssets', () => {
  test('every page names assets that exist, and has no placeholder left', () => {
    for (const name of ['checkout', 'orders', 'waiting-room', 'draw', 'not-found']) {
      const html = text(assets.page(name, 'en').bodies.identity)
      const named = [...html.matchAll(/\/assets\/([^"]+)/g)].map((match) => match[1] ?? '')
      expect(named.length).toBeGreaterThanOrEqual(3)
      for (const asset of named) expect(assets.asset(asset)).toBeDefined()
      expect(html).not.toContain('{{')
    }
    expect(() => assets.page('nothing', 'en')).toThrow(RangeError)
    expect(assets.asset('nothing.js')).toBeUndefined()
  })

  test('the console is a build of its own, of which buyers load nothing', async () => {
    const directory = projectPath('web/console')
    const own = await buildAssets({ directory, config: { shop_url: urls.shop, queue_url: urls.queue } })
    const html = text(own.page('console', 'en').bodies.identity)
    const [script = ''] = /console-\w+\.js/.exec(html) ?? []
    await compressed()
    expect(own.asset(script)?.bodies.br.length).toBeLessThan(70_000)
    expect(assets.asset(script)).toBeUndefined()
    for (const [, path] of html.matchAll(/\/assets\/([^"]+)/g)) expect(own.asset(path ?? '')).toBeDefined()
  })

  test('a page with holes of its own is written each time, and what goes into them stays text', () => {
    const values = { notices: '', sales: '<b>', earlier: '', scene: '', head: '' }
    expect(assets.write('shop', 'en', values)).toContain('&lt;b&gt;')
    expect(() => assets.page('shop', 'en')).toThrow(RangeError)
    expect(() => assets.write('shop', 'en', { head: '' })).toThrow(RangeError)
    expect(() => assets.write('orders', 'en', {})).toThrow(RangeError)
  })

  test('a setting can not end the block it stands in', () => {
    const html = text(assets.page('orders', 'en').bodies.identity)
    expect(html).not.toContain('<script>alert')
    const block = /<script type="application\/json" id="config">([^]*?)<\/script>/.exec(html)?.[1] ?? ''
    expect(JSON.parse(block)).toMatchObject({ odd: '</script><script>alert(1)' })
  })

  test('the encodings hold the same bytes', () => {
    const { bodies } = assets.page('checkout', 'en')
    expect(text(gunzipSync(bodies.gzip))).toBe(text(bodies.identity))
    expect(text(brotliDecompressSync(bodies.br))).toBe(text(bodies.identity))
    expect(bodies.br.length).toBeLessThan(bodies.identity.length / 2)
  })
})

describe('mountPages', () => {
  const ask = (
    host: 'shop' | 'queue' | 'ops',
    path: string,
    headers: Record<string, string> = {},
    captcha: readonly string[] = [],
    cards = urls.cards,
  ) => {
    const app = createHttpApp(host, { log: createLog('silent', 'test'), metrics: createMetrics() })
    mountPages(app, host, assets, { ...urls, cards, captcha })
    return app.request(path, { headers })
  }

  test("the card provider's script, frames and calls are let in where a card is typed, and nowhere else", async () => {
    const policy = async (host: 'shop' | 'queue', path: string, cards = urls.cards) =>
      (await ask(host, path, {}, [], cards)).headers.get('content-security-policy') ?? ''
    const checkout = await policy('shop', '/checkout/demo')
    expect(checkout).toContain(`script-src 'self' http://pay.example; `)
    expect(checkout).toContain(
      `connect-src 'self' ${urls.queue} http://pay.example; frame-src http://pay.example; `,
    )
    for (const [host, path] of [
      ['shop', '/orders'],
      ['queue', '/demo'],
    ] as const) {
      expect(await policy(host, path)).not.toContain('pay.example')
      expect(await policy(host, path)).toContain("require-trusted-types-for 'script'")
    }
    // The real one: its script must come from it, and its API from its own host.
    const real = await policy('shop', '/checkout/demo', stripeCardFields('https://api.stripe.com'))
    expect(real).toContain("script-src 'self' https://js.stripe.com https://*.js.stripe.com; ")
    expect(real).toContain(`connect-src 'self' ${urls.queue} https://api.stripe.com; `)
    expect(real).toContain(
      'frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com; ',
    )
    expect(stripeCardFields('https://api.stripe.com').script).toBe('https://js.stripe.com/v3')
  })

  test("a CAPTCHA provider's widget runs in the waiting room alone", async () => {
    const policy = async (host: 'shop' | 'queue', path: string) =>
      (await ask(host, path, {}, ['https://captcha.example'])).headers.get('content-security-policy') ?? ''
    expect(await policy('queue', '/demo')).toContain("script-src 'self' https://captcha.example;")
    expect(await policy('queue', '/demo')).toContain('frame-src https://captcha.example;')
    expect(await policy('shop', '/checkout/demo')).not.toContain('captcha')
  })

  test('a page is asked again each time and sent once', async () => {
    const first = await ask('shop', '/orders', { 'Accept-Encoding': 'gzip, br' })
    expect(first.headers.get('cache-control')).toContain('s-maxage=1')
    expect(first.headers.get('content-encoding')).toBe('br')
    const again = await ask('shop', '/orders', { 'If-None-Match': first.headers.get('etag') ?? '' })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  test('an unknown address is a page for a browser and a problem for a program', async () => {
    const browser = await ask('ops', '/nothing', { Accept: 'text/html,*/*' })
    expect([browser.status, browser.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    for (const [path, accept] of [
      ['/api/nothing', 'text/html'],
      ['/nothing', '*/*'],
      ['/assets/nothing.js', 'text/html'],
    ] as const) {
      const answer = await ask('ops', path, { Accept: accept })
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ code: 'not_found' })
    }
  })

  test('the bare waiting room leads to the shop', async () => {
    const answer = await ask('queue', '/')
    expect([answer.status, answer.headers.get('location')]).toEqual([302, `${urls.shop}/`])
  })
})

test('an encoding is used only where it is accepted', () => {
  expect(bestEncoding('gzip, deflate, br, zstd')).toBe('br')
  expect(bestEncoding('gzip;q=0.5')).toBe('gzip')
  expect(bestEncoding('br;q=0, gzip')).toBe('gzip')
  expect(bestEncoding('br; q=0.0')).toBe('identity')
  expect(bestEncoding('*')).toBe('identity')
  expect(bestEncoding(undefined)).toBe('identity')
})
