import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createGiftCards } from '../../src/flow/gift-cards/gift-cards.ts'
import { rehearsalRule } from '../../src/operator/rehearsals.ts'
import type { Order } from '../../src/flow/orders/orders.ts'
import { problemOf, startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale, UNGUARDED } from '../support/buyer.ts'
import { eventually, startStripeSandbox } from '../support/stripe.ts'

// A sale is tried on a copy: nobody finds it by chance, and no real money moves for it.

let stripe: Awaited<ReturnType<typeof startStripeSandbox>>
/** With test keys, and with live ones; both speak to the same local sandbox, which counts. */
let app: TestApp
let live: TestApp
let asked = 0
let counting: ReturnType<typeof Bun.serve>
beforeAll(async () => {
  stripe = await startStripeSandbox()
  counting = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => {
      asked += 1
      return Response.json({ error: { type: 'invalid_request_error', message: 'no' } }, { status: 400 })
    },
  })
  app = await startApp({ STRIPE_API_URL: stripe.url })
  live = await startApp({
    STRIPE_SECRET_KEY: 'sk_live_secret',
    STRIPE_API_URL: `http://127.0.0.1:${counting.port}`,
  })
})
afterAll(async () => {
  await app.close()
  await live.close()
  await stripe[Symbol.asyncDispose]()
  await counting.stop(true)
})

interface Copy {
  readonly id: string
  readonly name: string
  readonly rehearsal: boolean
  readonly opens_at: number
  readonly ends_at: number | null
  readonly lobby_opens_at: number | null
  readonly post_sale_at: number | null
  readonly draw_commitment: string | null
  readonly products: { id: string; sale_id: string; units: number; amount: number }[]
}
const rehearse = async (sale: string, opens_in_s = 0, at = app) => {
  const answer = await at.operate<Copy>('POST', `sales/${sale}/rehearse`, { opens_in_s, reason: 'to see' })
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 })
  return answer.body
}
const listed = async (at = app) =>
  (await at.operate<{ sales: { id: string; rehearsal: boolean; phase: string }[] }>('GET', 'sales')).body
    .sales
/** A buyer with an order whose row is written. */
const ordered = async (at: TestApp, sale: string, item: string) => {
  const buyer = createBuyer(at)
  const claimed = await buyer.claim(await buyer.pass(sale), item)
  expect(claimed.status).toBe(201)
  const { order_id } = claimed.body
  const user = await buyer.userId()
  await at.withWorker(() => eventually(async () => (await at.app.orders.find(user, order_id)) !== undefined))
  return { buyer, user, order_id }
}
const pay = (buyer: ReturnType<typeof createBuyer>, order: string) =>
  buyer.shop('POST', `/api/orders/${order}/payment`, { json: { provider: 'stripe' } })

test('the copy has everything of the sale under ids of its own, with its times as far from the opening', async () => {
  const [now, hour] = [Date.now(), 3_600_000]
  const oversell = { approval: 'two_persons', gift_card: { share: 0.5 }, valid_days: 7 } as const
  const { sale, item } = await createSale(app, {
    ...{ opens_at: now + 24 * hour, lobby_opens_at: now + 23 * hour, ends_at: now + 26 * hour },
    ...{
      post_sale_at: now + 30 * hour,
      order: 'draw',
      standby_threshold: 5,
      checkout_cap: 9,
      message: 'hello',
      oversell,
    },
    product: { units: 7, per_buyer_limit: 3 },
  })
  const before = await app.operate<Copy>('GET', `sales/${sale}`)
  const copy = await rehearse(sale, 7200)
  expect(copy).toMatchObject({
    ...{
      id: `${sale}-rehearsal-1`,
      name: 'Rehearsal: A sale',
      rehearsal: true,
      state: 'open',
      message: 'hello',
    },
    ...{ standby_threshold: 5, checkout_cap: 9, rate_per_second: 1000 },
    products: [
      {
        id: `${item}-rehearsal-1`,
        sale_id: `${sale}-rehearsal-1`,
        units: 7,
        per_buyer_limit: 3,
        amount: 19_900,
      },
    ],
  })
  expect(copy.opens_at).toBeWithin(now + 7_200_000, Date.now() + 7_200_001)
  expect(
    [copy.lobby_opens_at, copy.ends_at, copy.post_sale_at].map((ms) => (ms ?? 0) - copy.opens_at),
  ).toEqual([-hour, 2 * hour, 6 * hour])
  expect(copy.draw_commitment).toMatch(/^[0-9a-f]{64}$/)
  expect(copy.draw_commitment).not.toBe(before.body.draw_commitment)
  expect(await app.app.catalogue.guard(copy.id)).toEqual({ ...UNGUARDED })
  expect(await app.app.catalogue.oversell(copy.id)).toEqual(oversell)
  expect((await app.operate('GET', `sales/${sale}`)).body).toEqual({ ...before.body })
  expect((await rehearse(sale, 0)).id).toBe(`${sale}-rehearsal-2`)
  const audit = (await app.operate<{ entries: unknown[] }>('GET', 'audit')).body.entries
  expect(audit[0]).toMatchObject({
    ...{ command: 'sale.create', target: `${sale}-rehearsal-2`, reason: 'to see' },
    detail: { rehearsal_of: sale },
  })
})

test('the copy shows the pictures of the sale', async () => {
  const { sale, item } = await createSale(app)
  const picture = {
    hash: 'p'.repeat(22),
    type: 'image/png',
    width: 300,
    height: 300,
    body: new Uint8Array([1]),
  } as const
  await app.app.catalogue.setPicture(item, { ...picture, alt: 'A television' })
  const copy = await rehearse(sale)
  expect((await app.app.catalogue.product(copy.products[0]?.id ?? ''))?.picture).toEqual({
    ...{ path: `/pictures/${'p'.repeat(22)}.png`, width: 300, height: 300, alt: 'A television' },
  })
})

test('ids that are long are cut, and stay apart', async () => {
  const [sale, item] = ['s'.repeat(64), 'i'.repeat(63)]
  await app.operate('POST', 'sales', {
    ...{ id: sale, name: 'Long', rate_per_second: 1, reason: 'test' },
    products: ['a', 'b'].map((end) => ({ id: item + end, name: 'TV', amount: 1, currency: 'EUR', units: 1 })),
  })
  const ids = [await rehearse(sale), await rehearse(sale)].flatMap(({ id, products }) => [
    id,
    ...products.map((product) => product.id),
  ])
  expect(new Set(ids).size).toBe(6)
  for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{1,64}$/)
})

test('nobody finds it by chance; at its own address it says what it is', async () => {
  const { sale, item } = await createSale(app)
  const copy = await rehearse(sale)
  const { body } = await app.send<{ products: { id: string }[] }>('shop', 'GET', '/api/products')
  const shown = body.products.map(({ id }) => id)
  expect(shown).toContain(item)
  expect(shown.filter((id) => id.includes('rehearsal'))).toEqual([])
  expect((await app.send('shop', 'GET', `/api/products/${copy.products[0]?.id}`)).status).toBe(200)
  for (const [id, rehearsal] of [
    [copy.id, true],
    [sale, false],
  ] as const) {
    expect((await app.send('shop', 'GET', `/api/sales/${id}`)).body).toMatchObject({ rehearsal })
    expect((await app.send('queue', 'GET', `/api/queue/${id}`)).body).toMatchObject({ rehearsal })
  }
  const sales = await listed()
  expect(sales.find(({ id }) => id === copy.id)).toMatchObject({ rehearsal: true, phase: 'open' })
  expect(sales.find(({ id }) => id === sale)).toMatchObject({ rehearsal: false, phase: 'open' })
})

test('with test keys everything can be tried, to the payment', async () => {
  const { sale } = await createSale(app)
  const copy = await rehearse(sale)
  const { buyer, order_id } = await ordered(app, copy.id, copy.products[0]?.id ?? '')
  const answer = await pay(buyer, order_id)
  expect({ status: answer.status, body: answer.body }).toMatchObject({
    status: 200,
    body: { provider: 'stripe' },
  })
})

test('with live keys paying is refused before anybody is asked; a real sale goes on', async () => {
  const { sale, item } = await createSale(live)
  const copy = await rehearse(sale, 0, live)
  const { buyer, user, order_id } = await ordered(live, copy.id, copy.products[0]?.id ?? '')
  asked = 0
  expect(problemOf(await pay(buyer, order_id))).toBe('rehearsal_only')
  expect(asked).toBe(0)
  const { rows } = await live.app.shards
    .of(user)
    .query('select 1 from payments where order_id = $1', [order_id])
  expect(rows).toEqual([])
  expect(await live.app.orders.find(user, order_id)).toMatchObject({ status: 'PENDING' })

  const real = await ordered(live, sale, item)
  expect(problemOf(await pay(real.buyer, real.order_id))).toBe('provider_refused')
  expect(asked).toBeGreaterThan(0)
}, 30_000)

test('with live keys gift cards are neither taken nor given for a rehearsal', async () => {
  const { sale, item } = await createSale(live)
  const copy = await rehearse(sale, 0, live)
  const rehearsed = await ordered(live, copy.id, copy.products[0]?.id ?? '')
  const real = await ordered(live, sale, item)
  const shard = live.app.shards.of(rehearsed.user)
  const order = (await live.app.orders.find(rehearsed.user, rehearsed.order_id)) as Order
  const bought = (await live.app.orders.find(real.user, real.order_id)) as Order
  const gift = { amount: 500, currency: 'EUR' }
  expect(await shard.transaction((sql) => live.app.giftCards.issue(sql, order, gift, 7))).toBe(false)
  expect(await live.app.giftCards.of(rehearsed.user)).toEqual([])
  const realShard = live.app.shards.of(real.user)
  expect(await realShard.transaction((sql) => live.app.giftCards.issue(sql, bought, gift, 7))).toBe(true)

  // As if one had been issued to the same buyer before.
  const free = createGiftCards({ ...live.app, newCode: () => '0123456789ABCDEF' })
  expect(await shard.transaction((sql) => free.issue(sql, order, gift, 7))).toBe(true)
  const put = await rehearsed.buyer.shop('POST', `/api/orders/${rehearsed.order_id}/gift-card`, {
    json: { code: '0123456789ABCDEF' },
  })
  expect(problemOf(put)).toBe('rehearsal_only')
  expect(await live.app.giftCards.part(rehearsed.user, rehearsed.order_id)).toBe(0)
}, 30_000)

test('each provider by its own keys, and what nobody knows counts as a rehearsal', async () => {
  const known = { real: false, tried: true } as Record<string, boolean>
  const catalogue = {
    sale: async (id: string) => (id in known ? ({ rehearsal: known[id] } as never) : undefined),
  }
  const of = (sale_id: string) => ({ sale_id }) as Order
  const keys = { ...app.app.secrets.stripe, live: false }
  const paypal = { clientId: 'c', clientSecret: 's', webhookId: 'w', live: true }
  const rule = rehearsalRule(catalogue, { stripe: keys, paypal })
  const may = async (sale: string) => [
    await rule.mayCharge(of(sale), 'stripe'),
    await rule.mayCharge(of(sale), 'paypal'),
    await rule.mayMove(of(sale)),
  ]
  expect(await may('real')).toEqual([true, true, true])
  expect(await may('tried')).toEqual([true, false, false])
  expect(await may('unknown')).toEqual([true, false, false])
})

test('only a rehearsal that has ended is put away, and nothing of it is lost', async () => {
  const { sale } = await createSale(app)
  const copy = await rehearse(sale)
  const { order_id } = await ordered(app, copy.id, copy.products[0]?.id ?? '')
  const remove = (id: string, reason = 'done') => app.operate('DELETE', `sales/${id}`, { reason })
  expect(problemOf(await remove('no-such-sale'))).toBe('unknown_sale')
  expect(problemOf(await remove(copy.id, ''))).toBe('bad_request')
  expect(problemOf(await remove(sale))).toBe('not_removable')
  expect(problemOf(await remove(copy.id))).toBe('not_removable')
  for (const id of [sale, copy.id]) await app.operate('POST', `sales/${id}/end`, { reason: 'over' })
  expect(problemOf(await remove(sale))).toBe('not_removable')
  for (let again = 0; again < 2; again += 1)
    expect(await remove(copy.id)).toMatchObject({ status: 200, body: { outcome: 'archived' } })
  const ids = (await listed()).map(({ id }) => id)
  expect(ids).toContain(sale)
  expect(ids).not.toContain(copy.id)
  expect((await app.operate('GET', `orders/${order_id}`)).body).toMatchObject({ order: { sale_id: copy.id } })
  const audit = (await app.operate<{ entries: unknown[] }>('GET', 'audit')).body.entries
  expect(audit[0]).toMatchObject({ command: 'sale.archive', target: copy.id, reason: 'done' })
  // Its number is not given again.
  expect((await rehearse(sale)).id).toBe(`${sale}-rehearsal-2`)
})

test('what can not be rehearsed is said', async () => {
  const { sale } = await createSale(app)
  const ask = (id: string, json: object) => app.operate('POST', `sales/${id}/rehearse`, json)
  expect(problemOf(await ask('no-such-sale', { opens_in_s: 1, reason: 'x' }))).toBe('unknown_sale')
  for (const json of [
    { opens_in_s: -1, reason: 'x' },
    { opens_in_s: 86_401, reason: 'x' },
    { opens_in_s: 1 },
  ])
    expect(problemOf(await ask(sale, json))).toBe('bad_request')
})
