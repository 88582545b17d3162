import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Answer, problemOf, startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale } from '../support/buyer.ts'

let app: TestApp
beforeAll(async () => void (app = await startApp()))
afterAll(() => app.close())

test('the gate without Redis: status and tickets go on; a join is 503, to be tried again at scattered times', async () => {
  const { sale } = await createSale(app)
  const buyer = createBuyer(app)
  const { ticket } = (await buyer.join(sale)).body
  app.clock.aheadMs += 250
  const status = await app.send('queue', 'GET', `/api/queue/${sale}`)
  await app.redis.kill9()
  const waits = new Set<number>()
  for (let attempt = 0; attempt < 40; attempt += 1) {
    app.clock.aheadMs += 250
    const answer = await createBuyer(app, `phone-${attempt}`).join(sale)
    expect(problemOf(answer as unknown as Answer)).toBe('unavailable')
    waits.add(Number(answer.headers.get('retry-after')))
  }
  expect(waits.size).toBeGreaterThan(2)
  for (const wait of waits) expect(wait).toBeWithin(2, 8)
  expect((await app.send('queue', 'GET', `/api/queue/${sale}`)).body).toEqual(status.body)
  const kept = await buyer.join(sale, ticket)
  expect([kept.status, kept.body.position]).toEqual([200, 1])
})

test('an item that is not loaded is no empty shelf: what was seen last is told, or nothing', async () => {
  const other = await startApp()
  try {
    const seen = await createSale(other)
    const status = () => other.send('queue', 'GET', `/api/queue/${seen.sale}`)
    expect((await status()).body).toMatchObject({ total: 10, available: 10 })
    const unseen = await createSale(other)
    for (const { item } of [seen, unseen]) await other.app.redis.commands.del(`item:{${item}}:stock`)
    other.clock.aheadMs += 1000
    expect(await status()).toMatchObject({ status: 200, body: { total: 10, available: 10 } })
    expect(problemOf(await other.send('queue', 'GET', `/api/queue/${unseen.sale}`))).toBe('unavailable')
  } finally {
    await other.close()
  }
})
