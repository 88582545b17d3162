import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import * as shapes from '../../src/contracts/http.ts'
import { ReconcileRun } from '../../src/contracts/operator-http.ts'
import { OperatorSale } from '../../src/contracts/sale-editing-http.ts'
import { createClaiming } from '../../src/flow/inventory/claiming.ts'
import { type Inventory, InventoryUnavailable, InventoryUnknown } from '../../src/flow/inventory/inventory.ts'
import { createTokens } from '../../src/platform/tokens.ts'
import { type Answer, problemOf, startApp, type TestApp } from '../support/app.ts'
import { type Buyer, createBuyer, createSale, newKey } from '../support/buyer.ts'
import { eventually, startStripeSandbox, type TestSandbox } from '../support/stripe.ts'

let app: TestApp
let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await startStripeSandbox()
  app = await startApp({}, { providers: [sandbox.provider()] })
})
afterAll(async () => {
  await app.close()
  await sandbox[Symbol.asyncDispose]()
})

/** The body of an answer, held to its shape: nothing missing, nothing besides. */
function shaped<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  status: number,
  answer: { status: number; body: unknown },
) {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status })
  return schema.strict().parse(answer.body)
}
const problem = (answer: { status: number; headers: Headers; body: unknown }) => problemOf(answer as Answer)
const stock = async (item: string) => {
  const found = await app.app.inventory.stock(item)
  return found && { available: found.available, held: found.held, sold: found.sold }
}
/** Someone with a pass. */
async function ready(sale: string): Promise<{ buyer: Buyer; pass: string }> {
  const buyer = createBuyer(app)
  return { buyer, pass: await buyer.pass(sale) }
}
const statusOf = async (buyer: Buyer, order: string) =>
  (await buyer.shop<{ status: string }>('GET', `/api/orders/${order}`)).body.status

test('the whole way over HTTP, every answer in its shape', async () => {
  const { sale, item } = await createSale(app)
  const buyer = createBuyer(app)
  const joined = shaped(shapes.JoinAnswer, 201, await buyer.join(sale))
  expect(joined).toMatchObject({ position: 1, phase: 'open' })
  expect(shaped(shapes.JoinAnswer, 200, await buyer.join(sale, joined.ticket)).position).toBe(1)
  const status = await app.send('queue', 'GET', `/api/queue/${sale}`)
  expect(shaped(shapes.QueueStatus, 200, status)).toMatchObject({ total: 10, available: 10, phase: 'open' })
  expect(status.headers.get('cache-control')).toContain('s-maxage=1')
  expect(status.headers.get('access-control-allow-origin')).toBe('*')

  const pass = await buyer.pass(sale)
  const claimed = await buyer.claim(pass, item, { headers: { 'x-device': 'phone' } })
  const { order_id, pay_by, hold_expires_at, ...claim } = shaped(shapes.ClaimAnswer, 201, claimed)
  expect(claim.status).toBe('PROCESSING')
  expect(hold_expires_at - pay_by).toBe(300_000)
  expect(pay_by).toBeWithin(Date.now() + 295_000, Date.now() + 301_000)
  expect(claimed.headers.get('cache-control')).toBe('no-store')

  const early = shaped(shapes.Order, 200, await buyer.shop('GET', `/api/orders/${order_id}`))
  expect(early).toMatchObject({
    status: 'PROCESSING',
    amount: 19_900,
    quantity: 1,
    failure_reason: null,
    pay_by,
  })
  await app.withWorker(() => eventually(async () => (await statusOf(buyer, order_id)) === 'PENDING'))
  const order = shaped(shapes.Order, 200, await buyer.shop('GET', `/api/orders/${order_id}`))
  expect(order).toEqual({ ...early, status: 'PENDING' })
  expect((await buyer.shop('GET', '/api/orders')).body).toEqual({ orders: [order] })
  // Of several others one is on the same shard.
  for (let other = 0; other < 6; other += 1) {
    const stranger = createBuyer(app)
    await stranger.userId()
    expect(problem(await stranger.shop('GET', `/api/orders/${order_id}`))).toBe('unknown_order')
    expect(problem(await stranger.shop('DELETE', `/api/orders/${order_id}`))).toBe('unknown_order')
    expect((await stranger.shop('GET', '/api/orders')).body).toEqual({ orders: [] })
  }

  const json = { provider: 'stripe' }
  const payment = shaped(
    shapes.PaymentAnswer,
    200,
    await buyer.shop('POST', `/api/orders/${order_id}/payment`, { json }),
  )
  expect(Object.keys(payment.browser).sort()).toEqual([
    'api_url',
    'client_secret',
    'publishable_key',
    'script_url',
  ])
  const seen = shaped(shapes.StockAnswer, 200, await app.send('shop', 'GET', `/api/items/${item}/stock`))
  expect(seen).toMatchObject({ item_id: item, state: 'available', total: 10 })
  expect(await stock(item)).toEqual({ available: 9, held: 1, sold: 0 })
  const cancelled = shaped(shapes.Order, 200, await buyer.shop('DELETE', `/api/orders/${order_id}`))
  expect(cancelled).toEqual({ ...order, status: 'FAILED', failure_reason: 'cancelled_by_user' })
  expect(await stock(item)).toEqual({ available: 10, held: 0, sold: 0 })
  expect(shaped(shapes.Order, 200, await buyer.shop('DELETE', `/api/orders/${order_id}`))).toEqual(cancelled)
})

test('what the shop and the operator show, in its shape', async () => {
  const { sale, item } = await createSale(app)
  const listed = (await app.send<{ products: { id: string }[] }>('shop', 'GET', '/api/products')).body
    .products
  for (const product of listed) shapes.Product.strict().parse(product)
  const product = shaped(shapes.Product, 200, await app.send('shop', 'GET', `/api/products/${item}`))
  expect(listed).toContainEqual(product)
  const shown = shaped(shapes.SaleWithProducts, 200, await app.send('shop', 'GET', `/api/sales/${sale}`))
  expect(shown).toMatchObject({ products: [product], queue_url: `http://queue.localhost:8080/${sale}` })
  expect(shaped(OperatorSale, 200, await app.operate('GET', `sales/${sale}`))).toMatchObject(shown)
  const reason = 'test'
  const change = (method: string, path: string, json: object) =>
    app.operate(method, `sales/${sale}/${path}`, json)
  const slow = await change('PUT', 'rate', { rate_per_second: 0.5, reason })
  expect(shaped(OperatorSale, 200, slow).rate_per_second).toBe(0.5)
  for (const [command, state] of [
    ['pause', 'paused'],
    ['resume', 'open'],
    ['end', 'ended'],
  ] as const)
    expect(shaped(OperatorSale, 200, await change('POST', command, { reason })).state).toBe(state)
  const { runs } = (await app.operate<{ runs: unknown[] }>('POST', 'reconcile', { item_id: item, reason }))
    .body
  expect(runs.map((run) => ReconcileRun.strict().parse(run).outcome)).toEqual(['clean'])
  const { entries } = (await app.operate<{ entries: { command: string; target: string }[] }>('GET', 'audit'))
    .body
  const commands = entries
    .filter(({ target }) => target === sale || target === item)
    .map(({ command }) => command)
  expect(commands).toEqual(['reconcile', 'sale.end', 'sale.resume', 'sale.pause', 'sale.rate', 'sale.create'])
})

describe('the same request again', () => {
  test('20 at once and one more: one order, one unit', async () => {
    const { sale, item } = await createSale(app)
    const { buyer, pass } = await ready(sale)
    await buyer.userId()
    const key = newKey()
    const answers = await Promise.all(Array.from({ length: 20 }, () => buyer.claim(pass, item, { key })))
    answers.push(await buyer.claim(pass, item, { key }))
    for (const answer of answers)
      expect(shaped(shapes.ClaimAnswer, 201, answer)).toEqual(answers[0]?.body as never)
    expect(await stock(item)).toEqual({ available: 9, held: 1, sold: 0 })
  })

  test('after the pass has expired it is still told its order; after the release, that it failed', async () => {
    const { sale, item } = await createSale(app, { pass_s: 60 })
    const { buyer, pass } = await ready(sale)
    const key = newKey()
    const { body } = await buyer.claim(pass, item, { key })
    app.clock.aheadMs = 61_000
    expect(shaped(shapes.ClaimAnswer, 201, await buyer.claim(pass, item, { key }))).toEqual(body as never)
    expect(problem(await buyer.claim(pass, item))).toBe('pass_expired')
    await buyer.shop('DELETE', `/api/orders/${body.order_id}`)
    for (const aheadMs of [61_000, 0]) {
      app.clock.aheadMs = aheadMs
      const late = shaped(shapes.ClaimAnswer, 201, await buyer.claim(pass, item, { key }))
      expect(late).toEqual({ ...body, status: 'FAILED' } as never)
    }
    expect(await stock(item)).toEqual({ available: 10, held: 0, sold: 0 })
  })

  test('a refusal is not remembered: the same key may try again, and so may another', async () => {
    const { sale, item } = await createSale(app)
    const { buyer, pass } = await ready(sale)
    const key = newKey()
    await app.app.inventory.setState(item, { state: 'paused' })
    expect(problem(await buyer.claim(pass, item, { key }))).toBe('paused')
    expect(problem(await buyer.claim(pass, item))).toBe('paused')
    await app.app.inventory.setState(item, { state: 'open' })
    expect((await buyer.claim(pass, item, { key })).status).toBe(201)
  })
})

describe('refusals', () => {
  test('the limit, all held, not enough, sold out', async () => {
    const { sale, item } = await createSale(app, { product: { units: 3, per_buyer_limit: 2 } })
    const [{ buyer, pass }, other, third] = [await ready(sale), await ready(sale), await ready(sale)]
    expect(problem(await buyer.claim(pass, item, { quantity: 3 }))).toBe('limit_reached')
    expect((await buyer.claim(pass, item, { quantity: 2 })).status).toBe(201)
    expect(problem(await buyer.claim(await buyer.pass(sale), item))).toBe('limit_reached')
    expect(problem(await other.buyer.claim(other.pass, item, { quantity: 2 }))).toBe('not_enough_left')
    expect((await other.buyer.claim(other.pass, item)).status).toBe(201)
    const held = await third.buyer.claim(third.pass, item)
    expect([problem(held), held.headers.get('retry-after')]).toEqual(['held_out', '1'])
    for (const { order_id } of await app.app.inventory.holds(item))
      await app.app.inventory.settle(item, order_id)
    // What is told without looking is a fraction of a second old.
    await eventually(async () => problem(await third.buyer.claim(third.pass, item)) === 'sold_out')
    expect(await stock(item)).toEqual({ available: 0, held: 0, sold: 3 })
    await eventually(async () => (await app.app.waitingRoom.status(sale))?.phase === 'sold_out')
    expect(problem(await createBuyer(app).join(sale))).toBe('sold_out')
  })

  test('that nothing is left is told to everybody; whoever has claimed is told their order still', async () => {
    const { sale, item } = await createSale(app, { product: { units: 1 } })
    const [winner, loser] = [await ready(sale), await ready(sale)]
    const key = newKey()
    const { body } = await winner.buyer.claim(winner.pass, item, { key })
    const stranger = createBuyer(app, 'another device')
    await eventually(async () => problem(await stranger.claim(loser.pass, item)) === 'held_out')
    const told = await stranger.claim(loser.pass, item)
    expect([problem(told), told.headers.get('set-cookie')]).toEqual(['held_out', null])
    expect((await winner.buyer.claim(winner.pass, item, { key })).body.order_id).toBe(body.order_id)
    expect(problem(await stranger.claim(winner.pass, item, { key }))).toBe('pass_foreign')
    expect(problem(await winner.buyer.claim(winner.pass, item))).toBe('pass_used')
    const forged = loser.pass.replace(/\.[^.]+$/, '.AAAA')
    expect(problem(await stranger.claim(forged, item))).toBe('held_out')
    expect(problem(await stranger.claim('no-pass', item))).toBe('pass_invalid')
    // One unit comes back: right again within a second, and no forged pass takes it.
    await app.operate('PUT', `items/${item}/units`, { units: 2, reason: 'found one' })
    await eventually(async () => problem(await stranger.claim(forged, item)) === 'pass_invalid', 1000)
    expect((await loser.buyer.claim(loser.pass, item)).status).toBe(201)
  })

  test('not open, paused, ended', async () => {
    const { sale, item } = await createSale(app)
    const [{ buyer, pass }, waiting] = [await ready(sale), createBuyer(app)]
    const { ticket } = (await waiting.join(sale)).body
    await app.app.inventory.setState(item, { opens_at: Date.now() + 60_000 })
    expect(problem(await buyer.claim(pass, item))).toBe('not_open')
    for (const [command, code] of [
      ['pause', 'paused'],
      ['end', 'ended'],
    ] as const) {
      await app.operate('POST', `sales/${sale}/${command}`, { reason: 'test' })
      await app.app.inventory.setState(item, { opens_at: 0 })
      expect(problem(await buyer.claim(pass, item))).toBe(code)
      expect(problem(await waiting.enter(sale, ticket))).toBe(code)
    }
    expect(problem(await createBuyer(app).join(sale))).toBe('ended')
    expect(await stock(item)).toEqual({ available: 10, held: 0, sold: 0 })
  })

  test('the turn: too early, lapsed', async () => {
    const { sale } = await createSale(app, { rate_per_second: 0.01 })
    const early = await createBuyer(app).enter(sale, (await createBuyer(app).join(sale)).body.ticket)
    expect([problem(early), early.headers.get('retry-after')]).toEqual(['too_early', '100'])
    const short = await createSale(app, { pass_s: 1 })
    const buyer = createBuyer(app)
    const { ticket } = (await buyer.join(short.sale)).body
    await buyer.pass(short.sale)
    await eventually(async () => (await buyer.enter(short.sale, ticket)).status === 200)
    app.clock.aheadMs = 2000
    expect(problem(await buyer.enter(short.sale, ticket))).toBe('turn_lapsed')
    app.clock.aheadMs = 0
  })
})

describe('what a pass was used for, when Redis has forgotten it', () => {
  /** The use alone, or the pass as well: what a cut append-only file or a promoted replica may lack. */
  const forget = {
    'the use': (sale: string) => app.app.redis.commands.hdel(`queue:{${sale}}:pass:1`, 'request'),
    'the pass': (sale: string) => app.app.redis.commands.del(`queue:{${sale}}:pass:1`),
  }
  test.each(Object.entries(forget))(
    '%s: the same request is told of its order, and takes no second unit',
    async (_, lose) => {
      const { sale, item } = await createSale(app)
      const { buyer, pass } = await ready(sale)
      const key = newKey()
      const { order_id } = (await buyer.claim(pass, item, { key })).body
      await app.withWorker(() => eventually(async () => (await statusOf(buyer, order_id)) === 'PENDING'))
      expect(await lose(sale)).toBeGreaterThan(0)
      const again = await buyer.claim(pass, item, { key })
      expect(again).toMatchObject({ status: 201, body: { order_id, status: 'PENDING' } })
      expect(await stock(item)).toEqual({ available: 9, held: 1, sold: 0 })
    },
  )
})

describe('a pass while its claim is under way', () => {
  const outcomeOf = (promise: Promise<{ kind: string }>) => promise.then(({ kind }) => kind, String)
  const claimingWith = (claim: Inventory['claim']) =>
    createClaiming({
      ...app.app,
      findOrder: async () => undefined,
      endLost: async () => undefined,
      isBacklogFull: async () => false,
      tokens: createTokens(app.app.secrets.tokenKeys),
      inventory: { ...app.app.inventory, claim },
      runId: () => app.app.redis.runId(),
    })
  const commandOf = (pass: string, item_id: string, idempotency_key = newKey()) => ({
    ...{ item_id, quantity: 1, pass },
    claimant: async () => ({ order_id: uuidv7(), user_id: 'ann' }),
    visitor: { device: 'phone', network: '' },
    idempotency_key,
  })

  test('stays bound while the same request is under way a second time', async () => {
    const { sale, item } = await createSale(app)
    const { pass } = await ready(sale)
    const answers: ((kind: 'paused' | 'real') => void)[] = []
    const claiming = claimingWith(async (request) => {
      const kind = await new Promise((resolve: (kind: 'paused' | 'real') => void) => answers.push(resolve))
      return kind === 'paused' ? { kind } : app.app.inventory.claim(request)
    })
    const command = commandOf(pass, item)
    const first = outcomeOf(claiming.claim(command))
    const second = outcomeOf(claiming.claim(command))
    await eventually(() => answers.length === 2)
    answers[0]?.('paused')
    expect(await first).toBe('paused')
    // The other may still take a unit: nobody else may use the pass.
    expect(await outcomeOf(app.app.claiming.claim(commandOf(pass, item)))).toBe('pass_used')
    answers[1]?.('real')
    expect(await second).toBe('claimed')
    expect(await stock(item)).toEqual({ available: 9, held: 1, sold: 0 })
  })

  test('is free after a failure in which nothing was done; stays bound where the outcome is unknown', async () => {
    const { sale, item } = await createSale(app)
    const [one, other] = [await ready(sale), await ready(sale)]
    const failing = (error: Error) => claimingWith(() => Promise.reject(error))
    const gone = failing(new InventoryUnavailable('refused')).claim(commandOf(one.pass, item))
    expect(await outcomeOf(gone)).toContain('InventoryUnavailable')
    expect(await outcomeOf(app.app.claiming.claim(commandOf(one.pass, item)))).toBe('claimed')
    const command = commandOf(other.pass, item)
    expect(await outcomeOf(failing(new InventoryUnknown('lost')).claim(command))).toContain(
      'InventoryUnknown',
    )
    expect(await outcomeOf(app.app.claiming.claim(commandOf(other.pass, item)))).toBe('pass_used')
    expect(await outcomeOf(app.app.claiming.claim(command))).toBe('limit_reached')
  })
})

describe('receipts', () => {
  const show = (buyer: Buyer, receipt: string) =>
    buyer.shop<{ order_id: string }>('POST', '/api/receipts', { json: { receipt } })
  /** The item and everything about it is gone from Redis, and the order has not reached SQL. */
  async function lose(item: string): Promise<void> {
    const { commands } = app.app.redis
    await commands.del(...(await commands.keys(`item:{${item}}:*`)))
  }
  /** Events on their way to SQL would be waited for. */
  const rebuild = async (item: string) => {
    await app.withWorker(() => eventually(async () => (await app.app.eventLog.backlog()) === 0))
    return (await app.app.reconcile.item(item)).outcome
  }

  test('restore a claim that was lost everywhere, once', async () => {
    const { sale, item } = await createSale(app)
    const { buyer, pass } = await ready(sale)
    const key = newKey()
    const { order_id, receipt } = (await buyer.claim(pass, item, { key })).body
    const there = shaped(shapes.ClaimAnswer, 201, await show(buyer, receipt))
    expect(there).toMatchObject({ order_id, status: 'PROCESSING', receipt })
    await lose(item)
    expect(problem(await show(buyer, receipt))).toBe('fenced')
    expect(await rebuild(item)).toBe('repaired')
    expect(await stock(item)).toEqual({ available: 10, held: 0, sold: 0 })
    expect(problem(await buyer.shop('GET', `/api/orders/${order_id}`))).toBe('unknown_order')
    for (let time = 0; time < 2; time += 1) {
      expect(shaped(shapes.ClaimAnswer, 201, await show(buyer, receipt)).order_id).toBe(order_id)
      expect(await stock(item)).toEqual({ available: 9, held: 1, sold: 0 })
    }
    // The claim itself, asked again with its key, knows it too.
    expect((await buyer.claim(pass, item, { key })).body.order_id).toBe(order_id)
    await app.withWorker(() => eventually(async () => (await statusOf(buyer, order_id)) === 'PENDING'))
  })

  test('of an order that has ended restore nothing', async () => {
    const { sale, item } = await createSale(app)
    const { buyer, pass } = await ready(sale)
    const { order_id, receipt } = (await buyer.claim(pass, item)).body
    await buyer.shop('DELETE', `/api/orders/${order_id}`)
    await lose(item)
    // As with an empty Redis: nothing there knows the order, only SQL does.
    const fresh = {
      item_id: item,
      sale_id: sale,
      total: 10,
      state: 'open',
      opens_at: 0,
      ends_at: null,
    } as const
    expect(await app.app.inventory.load(fresh)).toBe('loaded')
    expect(shaped(shapes.ClaimAnswer, 201, await show(buyer, receipt))).toMatchObject({
      order_id,
      status: 'FAILED',
    })
    expect(await stock(item)).toEqual({ available: 10, held: 0, sold: 0 })
  })

  test('restore nothing where the stock is gone', async () => {
    const { sale, item } = await createSale(app, { product: { units: 1 } })
    const [{ buyer, pass }, other] = [await ready(sale), await ready(sale)]
    const { receipt } = (await buyer.claim(pass, item)).body
    await lose(item)
    await rebuild(item)
    const taken = await other.buyer.claim(other.pass, item)
    expect(taken.status).toBe(201)
    expect(problem(await show(buyer, receipt))).toBe('held_out')
    // Sold for good: the yes is not forgotten, it ends as an order that the shop owes something for.
    const { order_id } = taken.body
    await app.withWorker(() => eventually(async () => (await statusOf(other.buyer, order_id)) === 'PENDING'))
    expect(await app.app.inventory.settle(item, order_id)).toBe('settled')
    for (let time = 0; time < 2; time += 1) {
      const answer = shaped(shapes.ClaimAnswer, 201, await show(buyer, receipt))
      expect(answer).toMatchObject({ status: 'FAILED' })
      const order = await buyer.shop('GET', `/api/orders/${answer.order_id}`)
      expect(order.body).toMatchObject({ status: 'FAILED', failure_reason: 'oversold' })
    }
    expect(await stock(item)).toEqual({ available: 0, held: 0, sold: 1 })
  })

  test.each(['paused', 'ended'] as const)('of a sale that is %s are honoured all the same', async (state) => {
    const { sale, item } = await createSale(app)
    const { buyer, pass } = await ready(sale)
    const { order_id, receipt } = (await buyer.claim(pass, item)).body
    await lose(item)
    await rebuild(item)
    await app.app.inventory.setState(item, { state })
    expect(shaped(shapes.ClaimAnswer, 201, await show(buyer, receipt)).order_id).toBe(order_id)
    expect(await stock(item)).toEqual({ available: 9, held: 1, sold: 0 })
  })

  test('of somebody else, altered, forged or expired are none', async () => {
    const { sale, item } = await createSale(app)
    const { buyer, pass } = await ready(sale)
    const { receipt } = (await buyer.claim(pass, item)).body
    await lose(item)
    await rebuild(item)
    const [stranger, user] = [createBuyer(app), await buyer.userId()]
    await stranger.userId()
    const claims = { sub: user, order: uuidv7(), item, quantity: 1 }
    const forged = createTokens([{ kid: 'k1', secret: Buffer.alloc(32, 7) }]).sign('receipt', {
      ...{ aud: sale, iat: 1, exp: 4e9, ...claims },
    })
    const answers = [await show(stranger, receipt), await show(buyer, forged), await show(buyer, pass)]
    for (let index = 0; index < receipt.length; index += 7) {
      const byte = receipt[index] === 'A' ? 'B' : 'A'
      answers.push(await show(buyer, receipt.slice(0, index) + byte + receipt.slice(index + 1)))
    }
    for (const answer of answers) expect(problem(answer)).toBe('receipt_invalid')
    app.clock.aheadMs = 91 * 24 * 3_600_000
    expect(['receipt_invalid', 'session_invalid']).toContain(problem(await show(buyer, receipt)))
    app.clock.aheadMs = 0
    expect(await stock(item)).toEqual({ available: 10, held: 0, sold: 0 })
  })
})

test('a restarted Redis sells nothing until it has been checked, and forgets nothing', async () => {
  const { sale, item } = await createSale(app, { product: { per_buyer_limit: 2 } })
  const [{ buyer, pass }, other] = [await ready(sale), await ready(sale)]
  const [first, key] = [newKey(), newKey()]
  const { body } = await buyer.claim(pass, item, { key: first })
  const connected = app.app.redis.runId()
  await app.redis.restart()
  await eventually(() => ![undefined, connected].includes(app.app.redis.runId()), 5000)
  const fenced = await other.buyer.claim(other.pass, item, { key })
  expect([problem(fenced), fenced.headers.get('retry-after')]).toEqual(['fenced', '2'])
  expect(problem(await buyer.claim(pass, item, { key: first }))).toBe('fenced')
  expect(await app.app.reconcile.item(item)).toMatchObject({ outcome: 'repaired', drift: 0 })
  expect((await buyer.claim(pass, item, { key: first })).body).toEqual(body)
  expect((await other.buyer.claim(other.pass, item, { key })).status).toBe(201)
  expect(await stock(item)).toEqual({ available: 8, held: 2, sold: 0 })
})

test('while Redis is away everything that needs it is 503, and what is remembered goes on', async () => {
  const { sale, item } = await createSale(app)
  const cold = await createSale(app)
  const { buyer, pass } = await ready(sale)
  await app.redis.kill9()
  await eventually(() => app.app.redis.runId() === undefined)
  app.clock.aheadMs += 1000
  const json = { device: 'phone' }
  const answers = [
    await buyer.claim(pass, item),
    await app.send('queue', 'POST', `/api/queue/${sale}/join`, { json }),
    await app.send('queue', 'GET', `/api/queue/${cold.sale}`),
    await app.send('shop', 'GET', `/api/items/${item}/stock`),
    await app.send('shop', 'GET', `/api/items/${item}/stock/live`),
    await app.operate('POST', `sales/${sale}/pause`, { reason: 'test' }),
  ]
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503))
  expect(answers.map((answer) => problem(answer))).toEqual(answers.map(() => 'unavailable'))
  for (const { headers } of answers) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await app.send('queue', 'GET', `/api/queue/${sale}`)).status).toBe(200)
  expect((await app.send('shop', 'GET', '/readyz')).body).toMatchObject({
    ready: false,
    redis: false,
    sql: true,
  })
  expect((await app.send('shop', 'GET', '/healthz')).status).toBe(200)
  app.clock.aheadMs = 0
  await app.redis.restart()
  await eventually(() => app.app.redis.runId() !== undefined, 5000)
})
