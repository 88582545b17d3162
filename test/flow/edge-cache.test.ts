import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { PAGE } from '../../src/platform/cache-control.ts'
import { mostInASecond, skipLoudly, startTestEdge, type TestEdge } from '../support/edge.ts'
import { publicAnswer, type ScriptedOrigin, startScriptedOrigin } from '../support/scripted-origin.ts'
import { eventually } from '../support/stripe.ts'

// What the edge keeps, for how long, and how often it asks: real nginx, an origin that does as the test says.

const skip = skipLoudly()
let origin: ScriptedOrigin
let edge: TestEdge
let sale = 0
let path = ''
beforeAll(async () => {
  if (skip) return
  origin = startScriptedOrigin()
  edge = await startTestEdge([origin.port])
})
afterAll(async () => {
  await edge?.stop()
  await origin?.stop()
})
beforeEach(() => {
  path = `/api/queue/sale-${++sale}`
})

const crowd = (size: number) => Promise.all(Array.from({ length: size }, () => edge.send('queue', path)))
/** The next second of the clock has just begun. */
const secondBegins = () => Bun.sleep(1010 - (Date.now() % 1000))

describe.skipIf(skip)('the edge', () => {
  test('asks a slow origin once a second for a hundred who come at once, for what is new and for what has long expired', async () => {
    origin.answer = async () => {
      await Bun.sleep(300)
      return publicAnswer(`{"n":${origin.times(path).length}}`)
    }
    for (let round = 1; round <= 2; round++) {
      await secondBegins()
      const before = origin.times(path).length
      const answers = await crowd(100)
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      // A second more where the clock's next one began in between.
      expect([1, 2]).toContain(origin.times(path).length - before)
      await Bun.sleep(3500)
    }
  }, 20_000)

  test('asks once a second however many ask it, and nobody waits for that', async () => {
    origin.answer = async () => {
      await Bun.sleep(100)
      return publicAnswer('{}')
    }
    await crowd(1)
    const slowest: number[] = []
    const until = Date.now() + 4000
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while (Date.now() < until) {
          const began = performance.now()
          expect((await edge.send('queue', path)).status).toBe(200)
          slowest.push(performance.now() - began)
          await Bun.sleep(80)
        }
      }),
    )
    expect(slowest.length).toBeGreaterThan(200)
    // One each second; on its way one may be overtaken by the next second.
    expect(mostInASecond(origin.times(path))).toBeLessThanOrEqual(2)
    expect(origin.times(path).length).toBeLessThanOrEqual(6)
    // Whoever sets off the asking gets the answer before; on this connection the next request waits for the end of it.
    expect(slowest.toSorted((a, b) => a - b)[Math.floor(slowest.length * 0.5)]).toBeLessThan(90)
  }, 20_000)

  test('shows a unit that came back within a second', async () => {
    let state = 'sold_out'
    origin.answer = () => publicAnswer(state)
    for (const next of ['available', 'sold_out', 'available']) {
      const before = state
      expect((await edge.send('queue', path)).text).toBe(before)
      // At any moment of a second.
      await Bun.sleep(100 + Math.random() * 900)
      await edge.send('queue', path)
      state = next
      const changed = performance.now()
      while ((await edge.send('queue', path)).text === before) await Bun.sleep(20)
      expect(performance.now() - changed).toBeLessThan(1400)
    }
  }, 20_000)

  test('gives nobody an answer that is older than two seconds, however seldom it is asked', async () => {
    origin.answer = () => publicAnswer(String(Date.now()))
    for (const pauseMs of [0, 400, 1100, 1700, 2500, 3300]) {
      await Bun.sleep(pauseMs)
      const { text } = await edge.send('queue', path)
      expect(Date.now() - Number(text)).toBeLessThan(2300)
    }
  }, 20_000)

  test('goes on with what it has for a few seconds while nobody is behind it, then says so, then sees who is back', async () => {
    origin.answer = ({ target }) =>
      publicAnswer(target, target.startsWith('/api/') ? {} : { 'Cache-Control': PAGE })
    const page = `/sale-${sale}`
    const html = { headers: { Accept: 'text/html' } }
    await Promise.all([edge.send('queue', path), edge.send('queue', page, html)])
    await origin.goAway()
    const gone = performance.now()
    try {
      expect((await edge.send('shop', '/api/orders')).status).toBe(503)
      let last = await edge.send('queue', path)
      while (last.status === 200 && performance.now() - gone < 15_000) {
        await Bun.sleep(200)
        last = await edge.send('queue', path)
      }
      const keptFor = performance.now() - gone
      expect(keptFor).toBeGreaterThan(3000)
      expect(keptFor).toBeLessThan(8000)
      expect(last).toMatchObject({ status: 503 })
      expect(JSON.parse(last.text)).toMatchObject({ code: 'unavailable', status: 503 })
      expect(last.headers.get('retry-after')).toBe('5')
      // The page itself is still there: it tells its reader what is wrong.
      expect(await edge.send('queue', page, html)).toMatchObject({ status: 200, text: page })
    } finally {
      origin.comeBack()
    }
    await eventually(async () => (await edge.send('queue', path)).status === 200)
  }, 40_000)

  test('an origin that answers with a failure is one that is away, for what is public', async () => {
    origin.answer = () => publicAnswer('fine')
    await edge.send('queue', path)
    origin.answer = () => new Response('{"code":"overloaded"}', { status: 503 })
    await Bun.sleep(2100)
    expect(await edge.send('queue', path)).toMatchObject({ status: 200, text: 'fine' })
    const unknown = await edge.send('queue', `${path}-new`)
    expect(unknown.status).toBe(503)
    expect(JSON.parse(unknown.text)).toMatchObject({ code: 'unavailable' })
  }, 20_000)

  test('keeps nothing that sets a cookie, nothing private, and nothing of an address that is not on its list', async () => {
    let n = 0
    const cases: [string, Record<string, string>][] = [
      [`${path}-a`, { 'Set-Cookie': '__Host-session=1; Path=/' }],
      [`${path}-b`, { 'Cache-Control': 'no-store' }],
      [`${path}-c`, { 'Cache-Control': 'private, s-maxage=1' }],
      [`${path}/challenge`, {}],
      ['/api/orders', {}],
      ['/api/orders/0190', {}],
      ['/api/session', {}],
      [`/sale-${sale}/plain`, {}],
      ['/checkout/demo/plain', {}],
    ]
    for (const [target, headers] of cases) {
      origin.answer = () => publicAnswer(String(++n), headers)
      const [one, two] = [await edge.send('queue', target), await edge.send('queue', target)]
      expect({ target, same: one.text === two.text }).toEqual({ target, same: false })
    }
    for (const target of ['/api/products', '/', '/assets/x-123.js']) {
      origin.answer = () => publicAnswer(String(++n))
      const [one, two] = [await edge.send('ops', target), await edge.send('ops', target)]
      expect({ target, same: one.text === two.text }).toEqual({ target, same: false })
    }
  })

  test('a post is answered by the origin and kept by nobody', async () => {
    let n = 0
    origin.answer = ({ method }) => publicAnswer(`${method} ${++n}`)
    const post = () => edge.send('queue', path, { method: 'POST', body: '{}' })
    expect([(await post()).text, (await post()).text, (await edge.send('queue', path)).text]).toEqual([
      'POST 1',
      'POST 2',
      'GET 3',
    ])
  })

  test('assets are kept for good, one for each encoding', async () => {
    origin.answer = ({ headers }) =>
      publicAnswer(headers.get('accept-encoding') ?? 'none', {
        'Cache-Control': 'public, max-age=31536000, immutable',
      })
    const asset = `/assets/x-${sale}.js`
    const get = (accepted: string) =>
      edge.send('shop', `${asset}?v=${Math.random()}`, { headers: { 'Accept-Encoding': accepted } })
    for (const [accepted, used] of [
      ['gzip, deflate, br, zstd', 'br'],
      ['br;q=0, gzip;q=0.5', 'gzip'],
      ['gzip', 'gzip'],
      ['deflate', 'none'],
      ['br;q=1.0', 'br'],
    ] as const)
      expect((await get(accepted)).text).toBe(used)
    expect(origin.times(asset)).toHaveLength(3)
  })
})
