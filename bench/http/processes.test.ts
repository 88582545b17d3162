import { expect, test } from 'bun:test'
import type { WireRequest } from '../../sim/wire/client.ts'
import { type BareAnswer, startBareServer, startLoad } from './processes.ts'

const post: WireRequest = {
  ...{ method: 'POST', host: 'shop.test', path: '/api/claims', body: '{"item_id":"tv"}' },
  headers: { 'Content-Type': 'application/json' },
}
const claimed: BareAnswer = { status: 201, type: 'application/json', body: '{"order_id":"o"}' }
const run = { from: 0, count: 50, connections: 4, expected: { status: 201, contains: '"order_id"' } }

test('the bare server answers what it was told to, to every request of the load', async () => {
  await using bare = await startBareServer(claimed)
  const answer = await fetch(`http://127.0.0.1:${bare.port}/`, { method: 'POST', body: '{}' })
  expect({
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: await answer.text(),
  }).toEqual(claimed)
  await using load = startLoad([post, { ...post, body: '{}' }])
  const { perSecond, p99Ms, wrong } = await load.run({ ...run, port: bare.port })
  expect(perSecond).toBeGreaterThan(1)
  expect(p99Ms).toBeGreaterThan(0)
  expect(wrong).toEqual({})
})

test('with a rate, requests come when they are due', async () => {
  await using bare = await startBareServer(claimed)
  await using load = startLoad([post])
  const { perSecond } = await load.run({ ...run, port: bare.port, rate: 100 })
  expect(perSecond).toBeLessThan(105)
})

test('an answer that is not the expected one fails the measurement, and says which it was', async () => {
  await using bare = await startBareServer({ ...claimed, status: 409, body: '{"code":"sold_out"}' })
  await using load = startLoad([post])
  expect(await load.run({ ...run, port: bare.port }).catch(String)).toContain('50 x 409 {"code":"sold_out"}')
})

test('a server that is not there fails it too', async () => {
  await using load = startLoad([post])
  expect(await load.run({ ...run, port: 1, count: 2 }).catch(String)).toContain('2 x lost (ECONNREFUSED)')
})
