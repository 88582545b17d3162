import { afterAll, beforeAll, expect, test } from 'bun:test'
import { partsOf } from '../../src/contracts/parts.ts'
import { problemOf, startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale } from '../support/buyer.ts'

// An item in parts over HTTP: how an operator splits it, and that buyers notice nothing of it.

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.close())

const split = (item: string, json: object) =>
  app.operate('PUT', `items/${item}/parts`, { reason: 'a part a master', ...json })

test('an operator splits an item before its sale opens, once; it is on record and told with the product', async () => {
  const { item, sale } = await createSale(app, { opens_at: Date.now() + 3_600_000 })
  for (const parts of [1, 17, 2.5, '3']) expect(problemOf(await split(item, { parts }))).toBe('bad_request')
  expect(problemOf(await split('nothing', { parts: 3 }))).toBe('unknown_item')
  expect((await split(item, { parts: 3 })).body).toMatchObject({
    item_id: item,
    outcome: 'repaired',
    drift: 0,
  })
  expect(problemOf(await split(item, { parts: 4 }))).toBe('not_editable')
  const shown = await app.send<{ products: object[] }>('shop', 'GET', `/api/sales/${sale}`)
  expect(shown.body.products).toMatchObject([{ id: item, stock_parts: 3 }])
  const log = await app.operate<{ entries: object[] }>('GET', 'audit')
  expect(log.body.entries).toContainEqual(
    expect.objectContaining({ command: 'item.split', target: item, reason: 'a part a master' }) as object,
  )
  const open = await createSale(app)
  expect(problemOf(await split(open.item, { parts: 3 }))).toBe('not_editable')
})

test('buyers get every unit whatever part they belong to, are told again what they have, and what one gives up another gets', async () => {
  const { sale, item } = await createSale(app, { product: { units: 4, stock_parts: 3 } })
  const stock = () => app.send('shop', 'GET', `/api/items/${item}/stock`)
  expect((await stock()).body).toMatchObject({ total: 4, available: 4, held: 0, sold: 0 })
  const claims = []
  for (let buyers = 0; buyers < 4; buyers += 1) {
    const buyer = createBuyer(app)
    const pass = await buyer.pass(sale)
    const key = `key-of-buyer-${buyers}`
    const claimed = await buyer.claim(pass, item, { key })
    expect(claimed.status).toBe(201)
    expect((await buyer.claim(pass, item, { key })).body.order_id).toBe(claimed.body.order_id)
    claims.push({ buyer, order: claimed.body.order_id })
  }
  const [first] = claims
  if (first === undefined) throw new Error('unreachable')
  expect((await first.buyer.shop('DELETE', `/api/orders/${first.order}`)).status).toBe(200)
  const { parts } = app.app.inventory
  const outboxes = await Promise.all(partsOf(item, 3).map((part) => parts.unconfirmed(part)))
  expect(outboxes.reduce((sum, one) => sum + one, 0)).toBe(5)
  const next = createBuyer(app)
  expect((await next.claim(await next.pass(sale), item)).status).toBe(201)
  expect(await app.app.inventory.stock(item)).toMatchObject({ total: 4, available: 0, held: 4, sold: 0 })
})
