import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createApp } from '../../src/app.ts'
import type { LiveSample } from '../../src/contracts/live-http.ts'
import { createHosts } from '../../src/hosts.ts'
import { liveKeys } from '../../src/operator/live/keys.ts'
import { OPS_TOKEN, problemOf, startApp, type TestApp, URLS } from '../support/app.ts'
import { createBuyer, createSale } from '../support/buyer.ts'
import { signedIn } from '../support/operators.ts'
import { eventually } from '../support/stripe.ts'

// The numbers of the live screen over HTTP: several web processes, history, event streams.

let app: TestApp
let server: ReturnType<typeof Bun.serve>
beforeAll(async () => {
  app = await startApp()
  server = serve(app.hosts)
})
afterAll(async () => {
  await server.stop(true)
  await app.close()
})

const serve = (hosts: Pick<TestApp['hosts'], 'fetch'>) =>
  Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: (request) => hosts.fetch(request) })
const sampled = async () => {
  await app.app.redis.commands.del(liveKeys.sampler)
  expect(await app.app.live.sampler.round()).toBe('sampled')
}
const nextSecond = () => Bun.sleep(1005 - (Date.now() % 1000))
const history = async (sale: string, query = '') => {
  const answer = await app.operate<{ sale_id: string; samples: LiveSample[] }>(
    'GET',
    `sales/${sale}/live${query}`,
  )
  expect({ status: answer.status, sale_id: answer.body.sale_id }).toEqual({ status: 200, sale_id: sale })
  return answer.body.samples
}

/** An open event stream, read event by event. */
async function watch(sale: string, headers: Record<string, string> = {}, port = server.port) {
  const leaving = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/api/operator/sales/${sale}/live/stream`, {
    headers: {
      host: new URL(URLS.ops).host,
      ...('cookie' in headers ? {} : { authorization: `Bearer ${OPS_TOKEN}` }),
      ...headers,
    },
    signal: leaving.signal,
  })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  const more = async () => {
    const { done, value } = await reader.read()
    text += new TextDecoder().decode(value)
    return !done
  }
  const next = async (): Promise<{ id: string; sample: LiveSample }> => {
    for (;;) {
      const found = /^event: sample\ndata: (.*)\nid: (.*)\n\n/m.exec(text)
      if (found !== null) {
        text = text.slice(found.index + found[0].length)
        return { id: found[2] ?? '', sample: JSON.parse(found[1] ?? '') as LiveSample }
      }
      if (!(await more())) throw new Error('the stream has ended')
    }
  }
  const untilEnd = async () => {
    while (await more());
  }
  return { response, next, more, untilEnd, leave: () => leaving.abort() }
}

test('claims and requests of two web processes are in one sample; history is there when the page opens', async () => {
  const { sale, item } = await createSale(app, { product: { units: 1 } })
  const { config, secrets, log } = app.app
  const second = await createApp(config, secrets, { log })
  const hosts = createHosts(second, {
    assets: app.assets,
    consoleAssets: app.consoleAssets,
    stopping: new AbortController().signal,
  })
  await sampled()
  const send: TestApp['send'] = async (host, method, path, { headers = {}, json } = {}) => {
    const response = await hosts.fetch(
      new Request(`${URLS[host]}${path}`, {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      }),
    )
    return { status: response.status, headers: response.headers, body: (await response.json()) as never }
  }
  const [one, other] = [createBuyer(app, 'phone'), createBuyer({ ...app, send }, 'tablet')]
  const passes = [await one.pass(sale), await other.pass(sale)]
  expect((await one.claim(passes[0] ?? '', item)).status).toBe(201)
  expect((await other.claim(passes[1] ?? '', item)).status).toBe(409)
  for (let n = 0; n < 3; n += 1) await send('queue', 'GET', `/api/queue/${sale}`)
  await Promise.all([app.app.live.counter.flush(), second.live.counter.flush()])
  await nextSecond()
  await sampled()
  await second.close()

  const [before, now] = (await history(sale)) as [LiveSample, LiveSample]
  expect(before).toMatchObject({ requests: 0, errors: 0, claims: {}, queue: { joined: 0 } })
  expect(now).toMatchObject({
    phase: 'held_out',
    claims: { claimed: 1, held_out: 1 },
    queue: { joined: 2, entered: 2, depth: 0 },
    items: [{ item_id: item, available: 0, held: 1, sold: 0, total: 1 }],
    errors: 0,
  })
  expect(now.requests).toBeGreaterThanOrEqual(9)
  expect(now.at - before.at).toBeGreaterThanOrEqual(1000)
})

test('history goes back as far as it is asked to', async () => {
  const { sale } = await createSale(app)
  await sampled()
  const sample = (await app.app.live.samples.last(sale))?.sample as LiveSample
  await app.app.redis.commands.del(liveKeys.samples(sale))
  for (const minutes of [59, 16, 14, 2, 0.5])
    await app.app.live.samples.add(sale, {
      sample: { ...sample, at: sample.at - minutes * 60_000 },
      over_at: undefined,
    })
  expect((await history(sale, '?minutes=60')).length).toBe(5)
  expect((await history(sale)).length).toBe(3)
  const [only] = await history(sale, '?minutes=1')
  expect(only?.at).toBe(sample.at - 30_000)
  for (const bad of ['0', '61', '1.5', 'x'])
    expect(problemOf(await app.operate('GET', `sales/${sale}/live?minutes=${bad}`))).toBe('bad_request')
  expect(problemOf(await app.operate('GET', 'sales/no-such-sale/live'))).toBe('unknown_sale')
  expect(problemOf(await app.send('ops', 'GET', `/api/operator/sales/${sale}/live`))).toBe('operator_only')
})

test('a stream begins with the latest sample, goes on with the next, and after the one the browser had', async () => {
  const { sale } = await createSale(app)
  await sampled()
  const stream = await watch(sale)
  expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
  const first = await stream.next()
  expect(first.id).toBe(String(first.sample.at))
  await nextSecond()
  await sampled()
  const second = await stream.next()
  expect(second.sample.at).toBeGreaterThan(first.sample.at)
  stream.leave()
  await nextSecond()
  await sampled()
  const again = await watch(sale, { 'last-event-id': first.id })
  expect(await again.next()).toEqual(second)
  expect((await again.next()).sample.at).toBeGreaterThan(second.sample.at)
  again.leave()
})

test('a stream ends after a minute, and is not given again to whoever has been signed out', async () => {
  const { sale } = await createSale(app)
  const viewer = await signedIn(app, 'watcher', 'viewer')
  const headers = { cookie: viewer.cookie }
  const stream = await watch(sale, headers)
  expect(stream.response.status).toBe(200)
  await app.operate('PATCH', 'operators/watcher', { disabled: true, reason: 'left' })
  app.clock.aheadMs = 60_000
  await stream.untilEnd()
  app.clock.aheadMs = 0
  expect((await watch(sale, headers)).response.status).toBe(401)
})

test('streams are so many at a time, whoever leaves makes room, and all end when the process stops', async () => {
  const { sale } = await createSale(app)
  const stopping = new AbortController()
  const own = serve(
    createHosts(app.app, { assets: app.assets, consoleAssets: app.consoleAssets, stopping: stopping.signal }),
  )
  const streams: Awaited<ReturnType<typeof watch>>[] = []
  while (streams.length < 100) streams.push(await watch(sale, {}, own.port))
  expect(streams.map(({ response }) => response.status)).toEqual(streams.map(() => 200))
  const refused = await watch(sale, {}, own.port)
  expect(refused.response.status).toBe(503)
  // The first comment is there: it is open, though there is no sample yet.
  expect(await streams[0]?.more()).toBe(true)
  streams.pop()?.leave()
  await eventually(async () => {
    const one = await watch(sale, {}, own.port)
    const status = one.response.status
    if (status === 200) streams.push(one)
    return status === 200
  }, 10_000)
  stopping.abort()
  await Promise.all(streams.map((stream) => stream.untilEnd()))
  await own.stop(true)
})
