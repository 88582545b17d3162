import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { PROBLEMS, type ProblemBody } from '../../src/contracts/problems.ts'
import { type EdgeAnswer, skipLoudly, startTestEdge, type TestEdge } from '../support/edge.ts'
import { URLS } from '../support/app.ts'
import { eventually } from '../support/stripe.ts'
import {
  type Asked,
  publicAnswer,
  type ScriptedOrigin,
  startScriptedOrigin,
} from '../support/scripted-origin.ts'

// What the edge lets through, what of it, and what it refuses itself: real nginx, an origin that tells what it was asked.

const skip = skipLoudly()
let origin: ScriptedOrigin
let edge: TestEdge
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
  if (skip) return
  origin.asked.length = 0
  origin.answer = () => publicAnswer('{}', { 'Cache-Control': 'no-store' })
})

const last = () => origin.asked.at(-1) as Asked
/** Bytes as they are, past every client's good manners; the answer whole. */
const raw = (text: string) =>
  new Promise<string>((resolve, reject) => {
    let answer = ''
    const socket = connect(edge.port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
    setTimeout(() => socket.end(), 500)
  })
const problemOf = ({ status, headers, text }: EdgeAnswer) => {
  const problem = JSON.parse(text) as ProblemBody
  const { title } = PROBLEMS[problem.code]
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(problem).toMatchObject({ title, status, type: `urn:doorbuster:problem:${problem.code}` })
  expect(problem.request_id).toBe(headers.get('x-request-id') ?? '')
  return `${status} ${problem.code}`
}

describe.skipIf(skip)('the edge', () => {
  test('hands on what is personal as it is, and says who it is from', async () => {
    const headers = {
      ...{ Cookie: '__Host-session=s', Authorization: 'Bearer pass', 'Idempotency-Key': 'key-12345678' },
      ...{ Origin: URLS.shop, 'User-Agent': 'browser', 'X-Device': 'd', 'Content-Type': 'application/json' },
    }
    const claim = { method: 'POST', body: '{"item_id":"tv","quantity":1}', headers }
    const answer = await edge.send('shop', '/api/claims?x=%2F..%2F', claim)
    expect(answer).toMatchObject({ status: 200, cache: 'edge; fwd=bypass' })
    const { method, target, body, headers: got } = last()
    expect(`${method} ${target} ${new TextDecoder().decode(body)}`).toBe(
      `POST /api/claims?x=%2F..%2F ${claim.body}`,
    )
    for (const [name, value] of Object.entries(headers)) expect(got.get(name)).toBe(value)
    expect(got.get('host')).toBe(new URL(URLS.shop).host)
    expect(got.get('x-request-id')).toBe(answer.headers.get('x-request-id'))
  })

  test('overwrites what a visitor claims about the way it came', async () => {
    const claims = { 'X-Forwarded-For': '203.0.113.9, 198.51.100.7', 'X-Real-IP': '203.0.113.9' }
    const more = {
      Forwarded: 'for=203.0.113.9',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'https',
    }
    await edge.send('queue', '/api/queue/demo/join', { method: 'POST', headers: { ...claims, ...more } })
    const { headers } = last()
    expect(headers.get('x-forwarded-for')).toBe('127.0.0.1')
    expect(headers.get('x-forwarded-proto')).toBe('http')
    for (const name of ['x-real-ip', 'forwarded', 'x-forwarded-host']) expect(headers.get(name)).toBeNull()
    await edge
      .wire(1, '127.0.7.9')
      .send({ method: 'POST', host: new URL(URLS.queue).host, path: '/api/queue/demo/join', body: '' })
    expect(last().headers.get('x-forwarded-for')).toBe('127.0.7.9')
  })

  test('asks for what is public without anything of the visitor, whatever the spelling', async () => {
    origin.answer = ({ target }) => publicAnswer(target)
    const personal = { Cookie: 'lang=de; __Host-session=s', Authorization: 'Bearer x', 'X-User-Token': 't' }
    const more = {
      'Accept-Language': 'fr',
      'User-Agent': 'browser',
      'X-Forwarded-For': '1.2.3.4',
      Origin: 'https://evil.example',
    }
    for (const spelling of [
      '/api/items/tv/stock?x=1',
      '/api/items/%74v/stock',
      '/api/./items/x/../tv/stock',
    ]) {
      const answer = await edge.send('shop', spelling, { headers: { ...personal, ...more } })
      expect(answer.text).toBe('/api/items/tv/stock')
    }
    // As a client of bad manners writes it.
    const dots = `GET /api/./items/%2e%2e//items/tv/stock#x HTTP/1.1\r\nHost: ${new URL(URLS.shop).host}\r\n\r\n`
    expect(await raw(dots)).toEndWith('/api/items/tv/stock')
    expect(origin.asked).toHaveLength(1)
    expect([...last().headers.keys()].toSorted()).toEqual(['accept', 'host', 'x-request-id'])
  })

  test('a page is asked for once a language: as chosen in the address, or before, or as the browser prefers', async () => {
    origin.answer = ({ headers }) =>
      publicAnswer(`${headers.get('x-language')} ${headers.get('accept-language')}`)
    const page = async (headers: Record<string, string>, query = '') =>
      (await edge.send('queue', `/demo${query}`, { headers })).text
    for (const [accepted, language] of [
      ['', 'en'],
      ['de-AT,de;q=0.9,en;q=0.8', 'de'],
      ['nl, it;q=0.9, FR-ca;q=0.8, en;q=0.7', 'fr'],
      ['ja', 'ja'],
      ['den, arn, *', 'en'],
      ['ar-EG', 'ar'],
    ] as const)
      expect(await page({ 'Accept-Language': accepted })).toBe(`${language} ${language}`)
    expect(await page({ 'Accept-Language': 'de', Cookie: 'a=b; lang=es' })).toBe('es es')
    expect(await page({ 'Accept-Language': 'de', Cookie: 'lang=xx' })).toBe('de de')
    expect(await page({ Cookie: 'lang=de' }, '?lang=xx')).toBe('de de')
    expect(origin.asked).toHaveLength(6)
    // Whoever has just chosen is answered by the origin, which gives a cookie to those who run no scripts.
    const chosen = await edge.send('queue', '/demo?lang=ja', { headers: { Cookie: 'lang=es' } })
    expect([chosen.cache, last().target]).toEqual(['edge; fwd=bypass', '/demo?lang=ja'])
    expect([last().headers.get('x-language'), last().headers.get('cookie')]).toEqual(['ja', 'lang=es'])
    // What is personal hears of the same choice.
    await edge.send('queue', '/demo/plain?lang=ar', { headers: { Cookie: 'lang=es' } })
    expect(last().headers.get('x-language')).toBe('ar')
  })

  test('answers a reader who has the page already', async () => {
    origin.answer = () => publicAnswer('page', { ETag: 'W/"abc"' })
    await edge.send('shop', '/orders')
    const again = await edge.send('shop', '/orders', { headers: { 'If-None-Match': 'W/"abc"' } })
    expect(again).toMatchObject({ status: 304, text: '' })
    expect(origin.asked).toHaveLength(1)
  })

  test('hands on webhooks byte by byte, larger than anything else, by the bare address too', async () => {
    const body = crypto.getRandomValues(new Uint8Array(60_000))
    for (const host of ['shop', 'elsewhere'] as const) {
      const headers = { 'Stripe-Signature': 't=1,v1=abc', 'Content-Type': 'application/json' }
      expect((await edge.send(host, '/webhooks/stripe', { method: 'POST', body, headers })).status).toBe(200)
      expect(Buffer.compare(last().body, body)).toBe(0)
      expect(last().headers.get('stripe-signature')).toBe('t=1,v1=abc')
    }
    const tooLarge = { method: 'POST', body: new Uint8Array(300_000) }
    expect(problemOf(await edge.send('shop', '/webhooks/stripe', tooLarge))).toBe('413 body_too_large')
  })

  test('hands on an event stream event by event', async () => {
    let end = () => {}
    origin.answer = () =>
      new Response(
        new ReadableStream({
          start: (stream) => {
            stream.enqueue(new TextEncoder().encode('event: stock\ndata: 1\n\n'))
            end = () => stream.close()
          },
        }),
        { headers: { 'Content-Type': 'text/event-stream' } },
      )
    for (const [host, path] of [
      ['shop', '/api/items/tv/stock/live'],
      ['ops', '/api/operator/live'],
    ] as const) {
      const { body } = await edge.fetch(host, path)
      const reader = (body as ReadableStream<Uint8Array>).getReader()
      expect(new TextDecoder().decode((await reader.read()).value)).toContain('data: 1')
      end()
    }
  })

  test('refuses what is too large or not HTTP, in the one problem format, and the origin never hears of it', async () => {
    const large = { method: 'POST', body: 'x'.repeat(17 * 1024) }
    expect(problemOf(await edge.send('queue', '/api/queue/demo/join', large))).toBe('413 body_too_large')
    expect(problemOf(await edge.send('shop', '/api/claims', large))).toBe('413 body_too_large')
    const header = { headers: { 'X-Long': 'x'.repeat(9000) } }
    expect(problemOf(await edge.send('shop', '/api/orders', header))).toBe('400 bad_request')
    const post = `POST /api/claims HTTP/1.1\r\nHost: ${new URL(URLS.shop).host}\r\n`
    for (const framing of [
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x',
      'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
      'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
      'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      'Content-Length: -1\r\n\r\n',
    ]) {
      const answer = await raw(post + framing)
      expect(answer).toMatch(/^HTTP\/1\.1 (400|501) /)
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    }
    expect(await raw(`TRACE /api/orders HTTP/1.1\r\nHost: ${new URL(URLS.shop).host}\r\n\r\n`)).toContain(
      'HTTP/1.1 405 ',
    )
    expect(await raw(`BREW /api/orders HTTP/1.1\r\nHost: ${new URL(URLS.shop).host}\r\n\r\n`)).toContain(
      '"code":"method_not_allowed"',
    )
    expect(origin.asked).toEqual([])
  })

  test('shows nobody what only those who run it need', async () => {
    for (const host of ['shop', 'queue', 'ops', 'elsewhere'] as const)
      for (const path of ['/metrics', '/readyz', '/%6detrics', '/x/../metrics', '/.edge/json/away'])
        expect(problemOf(await edge.send(host, path))).toBe('404 not_found')
    const dots = `GET /demo/..//%2e/metrics HTTP/1.1\r\nHost: ${new URL(URLS.queue).host}\r\n\r\n`
    expect(await raw(dots)).toContain('"code":"not_found"')
    expect(origin.asked).toEqual([])
    expect((await edge.send('queue', '/healthz')).status).toBe(200)
    const lost = await edge.send('elsewhere', '/')
    expect([lost.status, lost.headers.get('location')]).toEqual([302, `${URLS.shop}/`])
  })

  test('a person finds a page in their language while nobody is behind it, a script a problem', async () => {
    await origin.goAway()
    try {
      const headers = { Accept: 'text/html,*/*;q=0.8', 'Accept-Language': 'de' }
      const { status, headers: got, text } = await edge.send('queue', '/demo/plain', { headers })
      expect(status).toBe(503)
      expect(text).toContain('<html lang="de" dir="ltr">')
      expect(text).toContain('Einen Moment')
      expect(Number(got.get('refresh'))).toBe(5)
      expect(got.get('content-security-policy')).toContain("default-src 'none'")
      expect((await edge.send('queue', '/.edge/moment.css')).headers.get('content-type')).toContain(
        'text/css',
      )
      expect(problemOf(await edge.send('shop', '/api/session', { headers }))).toBe('503 unavailable')
    } finally {
      origin.comeBack()
    }
  })

  test('does not wait for those who take their time, and the origin never hears of them', async () => {
    const host = `Host: ${new URL(URLS.shop).host}\r\n`
    const began = performance.now()
    const slow = [
      `GET /api/orders HTTP/1.1\r\n${host}X-Half: a`,
      `POST /api/claims HTTP/1.1\r\n${host}Content-Length: 100\r\n\r\n{"item`,
    ].map((text) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      connect(edge.port, '127.0.0.1').on('close', resolve).resume().write(text)
      return promise
    })
    await Promise.all(slow)
    const seconds = (performance.now() - began) / 1000
    expect(seconds).toBeGreaterThan(8)
    expect(seconds).toBeLessThan(15)
    expect(origin.asked).toEqual([])
  }, 30_000)

  test('logs what reached the origin, without addresses, queries or secrets', async () => {
    const id = (
      await edge.send('shop', '/api/orders/secret-id/gift-card?secret=1', { headers: { Cookie: 'secret' } })
    ).headers.get('x-request-id')
    let lines: string[] = []
    await eventually(async () => {
      lines = (await Bun.file(`${edge.folder}/access.log`).text()).split('\n')
      return lines.some((line) => line.includes(id ?? ''))
    })
    const line = lines.find((one) => one.includes(id ?? '')) ?? ''
    expect(JSON.parse(line)).toMatchObject({
      host: 'shop.localhost',
      method: 'GET',
      path: '/api/orders/-/gift-card',
      status: 200,
    })
    expect(line).not.toMatch(/127\.0\.0\.1|secret/)
  })

  test('one address that asks without end is told to wait, all others go on', async () => {
    const greedy = edge.wire(64, '127.0.8.1')
    const polite = edge.wire(1, '127.0.8.2')
    origin.answer = () => publicAnswer('{}')
    const poll = { method: 'GET', host: new URL(URLS.queue).host, path: '/api/queue/demo' } as const
    const answers = await Promise.all(Array.from({ length: 8000 }, () => greedy.send(poll)))
    const statuses = Map.groupBy(answers, (answer) => (answer.kind === 'answer' ? answer.status : 0))
    // As many as its burst, and what the rate adds while it asks.
    expect(statuses.get(200)?.length).toBeGreaterThanOrEqual(4000)
    const refused = statuses.get(429)?.[0]
    if (refused?.kind !== 'answer') throw new Error('nothing was refused')
    const headers = new Headers([...refused.headers])
    expect(problemOf({ status: 429, headers, text: refused.text, cache: null })).toBe('429 rate_limited')
    expect(headers.get('retry-after')).toBe('5')
    expect(await polite.send(poll)).toMatchObject({ kind: 'answer', status: 200 })
    for (const client of [greedy, polite]) client.close()
  })
})
