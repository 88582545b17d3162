import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Answer, problemOf, startApp, type TestApp, URLS } from '../support/app.ts'
import { createSale } from '../support/buyer.ts'
import { eventually } from '../support/stripe.ts'

// Event streams of stock over a real connection: so many at a time, and whoever leaves makes room.

const MAX = 3
let app: TestApp
let server: ReturnType<typeof Bun.serve>
let path: string
beforeAll(async () => {
  app = await startApp({ LIVE_STREAMS_MAX: String(MAX) })
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch: (request) => app.hosts.fetch(request),
  })
  path = `/api/items/${(await createSale(app)).item}/stock/live`
})
afterAll(async () => {
  await server.stop(true)
  await app.close()
})

const ask = async (at = path, method = 'GET') => {
  const leaving = new AbortController()
  const response = await fetch(`http://127.0.0.1:${server.port}${at}`, {
    method,
    headers: { host: new URL(URLS.shop).host },
    signal: leaving.signal,
  })
  return { response, leave: () => leaving.abort() }
}
/** The first event is there: the stream is open. */
const open = async () => {
  const stream = await ask()
  expect(stream.response.status).toBe(200)
  const reader = (stream.response.body as ReadableStream<Uint8Array>).getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toStartWith('event: stock')
  return stream
}
const refused = async () => {
  const { response, leave } = await ask()
  if (response.status === 200) {
    leave()
    return undefined
  }
  const { status, headers } = response
  const code = problemOf({ status, headers, body: (await response.json()) as Answer['body'] })
  return { code, retry: Number(headers.get('retry-after')) }
}

test('past the most there may be, 503 overloaded at scattered times; the JSON goes on; whoever leaves makes room', async () => {
  const streams = await Promise.all(Array.from({ length: MAX }, open))
  const answers = await Promise.all(Array.from({ length: 20 }, refused))
  expect(answers.map((answer) => answer?.code)).toEqual(answers.map(() => 'overloaded'))
  for (const answer of answers) expect(answer?.retry).toBeWithin(1, 7)
  expect(new Set(answers.map((answer) => answer?.retry)).size).toBeGreaterThan(1)
  expect((await ask(path.replace('/live', ''))).response.status).toBe(200)
  for (const { leave } of streams) leave()
  await eventually(async () => (await refused()) === undefined, 10_000)
})

test('who asks without wanting a stream, or for nothing, takes no room', async () => {
  for (let count = 0; count < 3 * MAX; count += 1) {
    expect((await ask(path, 'HEAD')).response.status).toBe(200)
    expect((await ask('/api/items/nothing/stock/live')).response.status).toBe(404)
  }
  let streams: Awaited<ReturnType<typeof ask>>[] = []
  await eventually(async () => (await refused()) === undefined, 10_000)
  await eventually(async () => {
    streams = await Promise.all(Array.from({ length: MAX }, () => ask()))
    const all = streams.every(({ response }) => response.status === 200)
    if (!all) for (const { leave } of streams) leave()
    return all
  }, 10_000)
  for (const { leave } of streams) leave()
})
