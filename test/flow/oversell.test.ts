import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { z } from 'zod'
import { GiftCard, GiftCardAnswer } from '../../src/contracts/gift-card-http.ts'
import { DriftReport } from '../../src/contracts/operator-http.ts'
import { IssuedGiftCard, OversellAnswer, OversellPlan } from '../../src/contracts/oversell-http.ts'
import { type Answer, problemOf, startApp, type TestApp, URLS } from '../support/app.ts'
import { type Buyer, createBuyer, createSale, UNGUARDED } from '../support/buyer.ts'
import { type Browser, signedIn } from '../support/operators.ts'
import { eventually, startStripeSandbox, type TestSandbox } from '../support/stripe.ts'

// The oversell policy and gift cards over HTTP, from the operator's and the buyer's side.

const [ANN, BOB] = ['ann-token-of-the-tests', 'bob-token-of-the-tests']
let app: TestApp
let sandbox: TestSandbox
beforeAll(async () => {
  sandbox = await startStripeSandbox()
  app = await startApp({ OPS_TOKENS: `ann:${ANN},bob:${BOB}` }, { providers: [sandbox.provider()] })
})
afterAll(async () => {
  await app.close()
  await sandbox[Symbol.asyncDispose]()
})

const operate = (token: string, method: string, path: string, json?: unknown) =>
  app.send('ops', method, `/api/operator/${path}`, { headers: { authorization: `Bearer ${token}` }, json })
const shaped = <Shape extends z.ZodType>(schema: Shape, answer: Answer): z.infer<Shape> => {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 })
  return schema.parse(answer.body)
}
const ordered = async (buyer: Buyer, sale: string, item: string): Promise<string> => {
  const claimed = await buyer.claim(await buyer.pass(sale), item)
  const id = claimed.body.order_id
  await app.withWorker(() =>
    eventually(async () => (await buyer.shop('GET', `/api/orders/${id}`)).body['status'] === 'PENDING'),
  )
  return id
}
const cardsOf = async (buyer: Buyer) =>
  ((await buyer.shop('GET', '/api/gift-cards')).body['gift_cards'] as unknown[]).map((card) =>
    GiftCard.strict().parse(card),
  )
const put = (buyer: Buyer, order: string, code: string) =>
  buyer.shop('POST', `/api/orders/${order}/gift-card`, { json: { code } })

/** Two orders of a sale with two units, one of which is then not there: the second buyer gets a card of `gift`. */
async function oversold(gift: number) {
  const { sale, item } = await createSale(app, {
    product: { units: 2 },
    oversell: { approval: 'two_persons', gift_card: { amount: gift } },
  })
  const [first, second] = [createBuyer(app), createBuyer(app)]
  const orders = [await ordered(first, sale, item), await ordered(second, sale, item)]
  const counted = await operate(ANN, 'PUT', `items/${item}/units`, { units: 1, reason: 'counted' })
  expect(counted.body).toMatchObject({ outcome: 'oversold' })
  return { sale, item, first, second, orders }
}

const pageOf = (sale: string, order: string) => `/checkout/${sale}/plain/orders/${order}`

/** Somebody with a gift card, and the page of the order it makes up for. */
async function gifted(gift: number) {
  const { sale, item, second, orders } = await oversold(gift)
  const { preview } = shaped(OversellAnswer, await operate(ANN, 'GET', `items/${item}/oversell`))
  for (const token of [ANN, BOB])
    await operate(token, 'POST', `items/${item}/oversell/approve`, { hash: preview?.hash, reason: 'missing' })
  await app.app.oversell.execute()
  const [card] = await cardsOf(second)
  return { owner: second, code: card?.code ?? '', cancelled: pageOf(sale, orders[1] ?? '') }
}

test('two persons approve what was previewed; the last buyer gets a card, and the audit log says who', async () => {
  const { item, second, orders } = await oversold(5000)
  expect(shaped(DriftReport.strict(), await operate(ANN, 'GET', `items/${item}/drift`))).toMatchObject({
    ...{ units: 1, oversold: 1, redis: { total: 2, available: 0, fenced: true } },
    last_run: { outcome: 'oversold' },
  })
  expect((await operate(BOB, 'GET', 'oversold')).body['items']).toContainEqual({
    ...{ item_id: item, units: 1, paid: 0, pending: 2, oversold: 1 },
  })
  const { preview } = shaped(OversellAnswer, await operate(ANN, 'GET', `items/${item}/oversell`))
  expect(preview).toMatchObject({ oversold: 1, persons: 2, orders: [{ order_id: orders[1], gift: 5000 }] })
  const approve = (token: string, hash = preview?.hash) =>
    operate(token, 'POST', `items/${item}/oversell/approve`, { hash, reason: 'one is missing' })

  expect(problemOf(await approve(ANN, 'f'.repeat(64)))).toBe('preview_outdated')
  expect(problemOf(await approve(ANN, 'not a hash'))).toBe('bad_request')
  expect(problemOf(await approve('nobody'))).toBe('operator_only')
  expect(shaped(OversellPlan.strict(), await approve(ANN))).toMatchObject({ state: 'waiting', cancelled: 0 })
  expect(shaped(OversellPlan, await approve(ANN))).toMatchObject({ state: 'waiting' })
  const approved = shaped(OversellPlan, await approve(BOB))
  expect(approved).toMatchObject({ state: 'approved', orders: 1 })
  expect(approved.approvals.map(({ operator }) => operator)).toEqual(['ann', 'bob'])
  await app.app.oversell.execute()
  const after = shaped(OversellAnswer, await operate(ANN, 'GET', `items/${item}/oversell`))
  expect(after).toMatchObject({ preview: null, plan: { state: 'done', cancelled: 1 } })
  expect(problemOf(await approve(ANN))).toBe('not_oversold')
  expect(problemOf(await operate(ANN, 'GET', 'items/nothing/oversell'))).toBe('unknown_item')

  const [card] = await cardsOf(second)
  expect(card).toMatchObject({ order_id: orders[1], amount: 5000, balance: 5000, currency: 'EUR' })
  const issued = (await operate(ANN, 'GET', 'gift-cards')).body['gift_cards'] as unknown[]
  const [latest] = issued.map((one) => IssuedGiftCard.strict().parse(one))
  expect(latest).toMatchObject({ order_id: orders[1], code_ends_in: card?.code.slice(-4) })
  const { entries } = (await operate(ANN, 'GET', 'audit')).body as unknown as {
    entries: { command: string; operator: string; target: string }[]
  }
  const told = entries.filter(({ target }) => target === item).map((one) => `${one.operator} ${one.command}`)
  expect(told).toEqual([
    'ann, bob oversell.finish',
    'bob oversell.approve',
    'ann oversell.approve',
    'ann item.units',
  ])
  const metrics = await app.send<string>('ops', 'GET', '/metrics')
  expect(metrics.body).toContain(`doorbuster_oversold_units{item="${item}"} 0`)
})

test('a person counts once, with a token and signed in; whoever may not move money does not count at all', async () => {
  const { item } = await oversold(5000)
  const { preview } = shaped(OversellAnswer, await operate(ANN, 'GET', `items/${item}/oversell`))
  const order = { hash: preview?.hash, reason: 'one is missing' }
  const approve = (browser: Browser) => browser.ask('POST', `items/${item}/oversell/approve`, order)
  const [ann, eve, runner] = [
    await signedIn(app, 'ann', 'admin'),
    await signedIn(app, 'eve', 'admin'),
    await signedIn(app, 'runner', 'operator'),
  ]
  expect(problemOf(await approve(runner))).toBe('role_too_low')
  expect(shaped(OversellPlan, await approve(ann))).toMatchObject({ state: 'waiting' })
  const byToken = await operate(ANN, 'POST', `items/${item}/oversell/approve`, order)
  expect(shaped(OversellPlan, byToken)).toMatchObject({ state: 'waiting' })
  const approved = shaped(OversellPlan, await approve(eve))
  expect(approved.state).toBe('approved')
  expect(approved.approvals.map(({ operator }) => operator)).toEqual(['ann', 'eve'])
})

test('a card pays a part of another order, or all of it; taken off, the whole price is left', async () => {
  const { owner: buyer, code } = await gifted(25_000)
  const { sale, item } = await createSale(app, { product: { amount: 30_000 } })
  const order = await ordered(buyer, sale, item)
  expect(shaped(GiftCardAnswer.strict(), await put(buyer, order, code))).toEqual({
    ...{ order_id: order, amount: 30_000, gift_part: 25_000, left_to_pay: 5000, currency: 'EUR' },
    status: 'PENDING',
  })
  expect((await buyer.shop('GET', `/api/orders/${order}`)).body).toMatchObject({ gift_part: 25_000 })
  const payment = await buyer.shop<{ browser: Record<string, string> }>(
    'POST',
    `/api/orders/${order}/payment`,
    {
      json: { provider: 'stripe' },
    },
  )
  expect(payment.status).toBe(200)
  expect(sandbox.entry(order)).toMatchObject([{ amount: 5000 }])
  const off = await buyer.shop('DELETE', `/api/orders/${order}/gift-card`)
  expect(shaped(GiftCardAnswer, off)).toMatchObject({ gift_part: 0, left_to_pay: 30_000 })

  const small = await createSale(app, { product: { amount: 10_000 } })
  const covered = await ordered(buyer, small.sale, small.item)
  const paid = shaped(GiftCardAnswer, await put(buyer, covered, code))
  expect(paid).toMatchObject({ status: 'PAID', left_to_pay: 0 })
  expect(await app.app.inventory.stock(small.item)).toMatchObject({ sold: 1, held: 0 })
  expect(sandbox.entry(covered)).toEqual([])
  expect((await cardsOf(buyer))[0]?.balance).toBe(15_000)
  expect(problemOf(await put(buyer, covered, code))).toBe('order_not_payable')
  const after = await buyer.shop('DELETE', `/api/orders/${covered}/gift-card`)
  expect(problemOf(after)).toBe('order_not_payable')
})

test('a wrong code tells nothing, and who guesses is stopped', async () => {
  const { owner, code } = await gifted(500)
  const { sale, item } = await createSale(app, {
    guard: { ...UNGUARDED, limits: { on: true, gift_user: { points: 4, duration_s: 60 } } },
  })
  const thief = createBuyer(app)
  const order = await ordered(thief, sale, item)
  const foreign = await put(thief, order, code)
  const wrong = await put(thief, order, '0000-0000-0000-0000')
  expect([problemOf(foreign), problemOf(wrong)]).toEqual(['unknown_gift_card', 'unknown_gift_card'])
  expect(foreign.body['detail']).toEqual(wrong.body['detail'])
  expect(problemOf(await put(owner, order, code))).toBe('unknown_order')
  expect(problemOf(await put(thief, order, 'x'.repeat(65)))).toBe('bad_request')
  const answers: string[] = []
  for (let guess = 0; guess < 8; guess += 1) answers.push(problemOf(await put(thief, order, `${guess}`)))
  expect(answers.at(-1)).toBe('rate_limited')
  const stranger = createBuyer(app)
  expect(problemOf(await put(stranger, order, code))).toBe('session_missing')
})

test('the way without scripts: the code on the page of the cancelled order, and what is wrong beside the field', async () => {
  const { owner: buyer, code, cancelled } = await gifted(25_000)
  const page = (path: string) => buyer.shop<string>('GET', path)
  expect((await page(cancelled)).body).toContain(code)

  const guard = { ...UNGUARDED, limits: { on: true, gift_user: { points: 6, duration_s: 60 } } }
  const { sale, item } = await createSale(app, { guard, product: { amount: 30_000 } })
  const path = pageOf(sale, await ordered(buyer, sale, item))
  const post = (to: string, fields: Record<string, string>) =>
    buyer.shop<string>('POST', to, {
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: URLS.shop },
      raw: new URLSearchParams(fields).toString(),
    })
  const use = (typed: string, to = path) => post(to, { action: 'gift-card', code: typed })
  expect((await page(path)).body).not.toContain('name="code"')
  expect((await page(`${path}?gift-card`)).body).toContain('name="code"')

  for (const [typed, status, said] of [
    [' ', 400, 'Type the code of your gift card.'],
    ['x'.repeat(65), 400, 'Type the code of your gift card.'],
    ['"wrong"', 404, 'You have no gift card with this code'],
  ] as const) {
    const refused = await use(typed)
    expect([refused.status, refused.body.split('name="code"')[1]?.includes(said)]).toEqual([status, true])
    expect(refused.headers.has('refresh')).toBe(false)
  }
  expect((await use('"wrong"')).body).toContain('value="&quot;wrong&quot;"')
  expect((await use(code)).status).toBe(303)
  expect((await page(path)).body).toMatch(/Left to pay<\/dt>\s*<dd>€50\.00/)
  expect((await post(path, { action: 'gift-card-off' })).status).toBe(303)
  expect((await page(path)).body).not.toContain('Left to pay')

  let last = await use('guess')
  for (let guess = 0; guess < 8; guess += 1) last = await use('guess')
  expect([last.status, last.body.includes('Too many requests')]).toEqual([429, true])
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)

  const small = await createSale(app, { product: { amount: 10_000 } })
  const order = await ordered(buyer, small.sale, small.item)
  const covered = pageOf(small.sale, order)
  expect((await use(code, covered)).status).toBe(303)
  expect((await page(covered)).body).toContain('Gift card (€100.00)')
  expect(sandbox.entry(order)).toEqual([])
})
