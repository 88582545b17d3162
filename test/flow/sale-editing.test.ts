import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  editableFields,
  editableProductFields,
  MARGIN_MS,
  PRODUCT_FIELDS,
  type ProductField,
  SALE_FIELDS,
  type SaleField,
  type Stage,
  stageOf,
  STAGES,
} from '../../src/contracts/sale-editing.ts'
import { createEditSale } from '../../src/operator/edit-sale.ts'
import { dumpEverything, problemOf, startApp, type TestApp } from '../support/app.ts'
import { createBuyer, createSale, UNGUARDED } from '../support/buyer.ts'
import { keyOf } from '../support/inventory.ts'
import { eventually } from '../support/stripe.ts'

// What of a sale may still be changed, and what becomes of it.

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.close())

type Fields = Record<string, unknown>
interface Seen extends Fields {
  readonly products: (Fields & { id: string })[]
  readonly stage: Stage
  readonly editable: string[]
  readonly editable_products: string[]
  readonly accepts_products: boolean
}
const HOUR = 3_600_000
const BY = { operator: 'test', reason: 'a test' }
const put = (sale: string, edit: Fields, reason = 'a test') =>
  app.operate<Seen & Record<string, unknown>>('PUT', `sales/${sale}`, { ...edit, reason })
const get = async (sale: string) => (await app.operate<Seen>('GET', `sales/${sale}`)).body
const done = async (sale: string, edit: Fields) => {
  const answer = await put(sale, edit)
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 })
  return answer.body
}

/** A sale that is as far as that. */
async function saleIn(stage: Stage) {
  const now = Date.now()
  const times: Record<Stage, Fields> = {
    planned: { lobby_opens_at: now + 23 * HOUR, opens_at: now + 24 * HOUR },
    lobby: { lobby_opens_at: now - HOUR, opens_at: now + 24 * HOUR },
    selling: { opens_at: now - HOUR },
    over: { opens_at: now - HOUR },
  }
  const made = await createSale(app, { ends_at: now + 48 * HOUR, ...times[stage] })
  if (stage === 'over') await app.operate('POST', `sales/${made.sale}/end`, { reason: 'over' })
  expect((await get(made.sale)).stage).toBe(stage)
  return made
}

/** Something else than there is. */
const CHANGED: Record<SaleField, () => unknown> = {
  name: () => 'Another name',
  message: () => 'Soon',
  post_sale_at: () => Date.now() + 72 * HOUR,
  ends_at: () => Date.now() + 50 * HOUR,
  rate_per_second: () => 7,
  checkout_cap: () => 11,
  checkouts_per_unit: () => 4,
  payment_window_s: () => 200,
  hold_s: () => 900,
  pass_s: () => 300,
  guard: () => ({ ...UNGUARDED, decoy: { on: true } }),
  opens_at: () => Date.now() + 30 * HOUR,
  turn_s: () => 60,
  oversell: () => ({ approval: 'two_persons', gift_card: { share: 0.2 }, valid_days: 30 }),
  lobby_opens_at: () => Date.now() + 20 * HOUR,
  order: () => 'draw',
  standby_threshold: () => 50,
}
const CHANGED_PRODUCT: Record<ProductField, unknown> = {
  ...{ name: 'Radio', description: 'Small', amount: 100, currency: 'USD', per_buyer_limit: 3, units: 99 },
}

describe('each field', () => {
  for (const stage of STAGES)
    test(`of a sale that is ${stage}`, async () => {
      const { sale } = await saleIn(stage)
      const { editable } = await get(sale)
      expect(editable).toEqual(editableFields(stage))
      for (const field of Object.keys(SALE_FIELDS) as SaleField[]) {
        const value = CHANGED[field]()
        const before = await dumpEverything(app.app)
        const answer = await put(sale, { [field]: value })
        if (editable.includes(field)) {
          expect({ field, status: answer.status, value: answer.body[field] }).toEqual({
            field,
            status: 200,
            value,
          })
          expect((await get(sale))[field]).toEqual(value)
        } else {
          expect({ field, code: problemOf(answer) }).toEqual({ field, code: 'not_editable' })
          expect(answer.body['detail']).toMatch(new RegExp(`^\`${field}\`: it can be changed until `))
          expect(await dumpEverything(app.app)).toEqual(before)
        }
      }
    }, 30_000)

  for (const stage of STAGES)
    test(`of a product whose sale is ${stage}`, async () => {
      const { sale, item } = await saleIn(stage)
      const { editable_products } = await get(sale)
      expect(editable_products).toEqual(editableProductFields(stage))
      for (const field of Object.keys(PRODUCT_FIELDS) as ProductField[]) {
        const value = CHANGED_PRODUCT[field]
        const answer = await put(sale, { products: [{ id: item, [field]: value }] })
        const [product] = (await get(sale)).products
        if (editable_products.includes(field))
          expect({ field, status: answer.status, value: product?.[field] }).toEqual({
            field,
            status: 200,
            value,
          })
        else {
          expect({ field, code: problemOf(answer) }).toEqual({ field, code: 'not_editable' })
          expect(answer.body['detail']).toStartWith(`\`products.${item}.${field}\`: it can be changed until `)
          expect(product?.[field]).not.toEqual(value)
        }
      }
    })

  test('of the table, by name: no price once it sells, no draw once people wait, units by their own command', () => {
    expect(editableFields('planned')).toEqual(Object.keys(SALE_FIELDS) as SaleField[])
    expect(editableProductFields('planned')).toEqual(Object.keys(PRODUCT_FIELDS) as ProductField[])
    expect(editableFields('lobby')).not.toContain('order')
    expect(editableFields('lobby')).toContain('opens_at')
    expect(editableProductFields('lobby')).toEqual([
      'name',
      'description',
      'amount',
      'currency',
      'per_buyer_limit',
    ])
    expect(editableProductFields('selling')).toEqual(['name', 'description'])
    for (const field of ['name', 'ends_at', 'message', 'rate_per_second', 'checkout_cap'] as const)
      expect(editableFields('selling')).toContain(field)
    expect(editableFields('over')).toEqual(['name', 'message', 'post_sale_at'])
  })
})

test('what is about to be decided counts as decided', () => {
  const of = (change: object) => ({
    state: 'open' as const,
    opens_at: 100_000,
    ends_at: null,
    lobby_opens_at: 50_000,
    ...change,
  })
  const now = (ms: number, change = {}) => stageOf(of(change), ms)
  expect(now(50_000 - MARGIN_MS - 1)).toBe('planned')
  expect(now(50_000 - MARGIN_MS)).toBe('lobby')
  expect(now(100_000 - MARGIN_MS - 1)).toBe('lobby')
  expect(now(100_000 - MARGIN_MS)).toBe('selling')
  expect(now(1e9)).toBe('selling')
  expect(now(200_000, { ends_at: 200_001 })).toBe('selling')
  expect(now(200_001, { ends_at: 200_001 })).toBe('over')
  expect(now(0, { state: 'ended' })).toBe('over')
  expect(now(0, { lobby_opens_at: null })).toBe('lobby')
  expect(now(1e9, { state: 'paused' })).toBe('selling')
})

test('what is as it was is never refused: a form may send everything back', async () => {
  for (const stage of STAGES) {
    const { sale } = await saleIn(stage)
    const before = await get(sale)
    const same = Object.fromEntries(Object.keys(SALE_FIELDS).map((field) => [field, before[field]]))
    const products = before.products.map(({ sale_id: _sale, picture: _picture, ...product }) => product)
    expect({ ...(await done(sale, { ...same, products })) }).toEqual({ ...before })
  }
})

test('waiting room, lanes and stock follow', async () => {
  const { commands } = app.app.redis
  const { sale, item } = await saleIn('planned')
  const group = { id: 'club', name: 'Club', code: 'secret code', rate_per_second: 5, reason: 'x' }
  await app.operate('POST', `sales/${sale}/groups`, group)
  const [opens_at, ends_at, lobby_opens_at] = [30, 40, 20].map((hours) => Date.now() + hours * HOUR)
  const edit = { opens_at, ends_at, lobby_opens_at, rate_per_second: 3, standby_threshold: 9, order: 'draw' }
  const after = await done(sale, { ...edit, products: [{ id: item, units: 4 }] })
  expect(after['draw_commitment']).toMatch(/^[0-9a-f]{64}$/)
  const secret = await app.app.catalogue.drawSecret(sale)
  expect(await commands.hgetall(`queue:{${sale}}`)).toMatchObject({
    ...{ opens_at: `${opens_at}`, ends_at: `${ends_at}`, rate: '3', threshold: '9', dormant: '1', secret },
  })
  expect(await commands.hgetall(`queue:{${sale}}:lane:club`)).toMatchObject({
    ...{ opens_at: `${opens_at}`, ends_at: `${ends_at}`, rate: '5', secret: '' },
  })
  expect(await app.app.inventory.stock(item)).toMatchObject({ opens_at, ends_at, total: 4, available: 4 })
  await done(sale, {
    ends_at: null,
    order: 'fifo',
    standby_threshold: null,
    products: [{ id: item, units: 12 }],
  })
  expect(await commands.hgetall(`queue:{${sale}}`)).toMatchObject({
    ends_at: '',
    threshold: '',
    dormant: '0',
    secret: '',
  })
  expect(await app.app.catalogue.drawSecret(sale)).toBeNull()
  expect((await get(sale))['draw_commitment']).toBeNull()
  expect(await app.app.inventory.stock(item)).toMatchObject({ ends_at: null, total: 12, available: 12 })
})

test('a product that is added can be bought when the sale opens', async () => {
  const { sale, item } = await saleIn('lobby')
  const id = `${item}-more`
  const after = await done(sale, { products: [{ id, name: 'More', amount: 5, currency: 'EUR', units: 2 }] })
  expect(after.products[1]).toMatchObject({
    id,
    sale_id: sale,
    description: '',
    per_buyer_limit: 1,
    units: 2,
  })
  await app.operate('POST', `sales/${sale}/open`, { reason: 'now' })
  const buyer = createBuyer(app)
  expect((await buyer.claim(await buyer.pass(sale), id)).status).toBe(201)
  const late = await put(sale, {
    products: [{ id: `${id}-2`, name: 'x', amount: 5, currency: 'EUR', units: 2 }],
  })
  expect(problemOf(late)).toBe('not_editable')
  expect((await get(sale)).accepts_products).toBe(false)
})

test('all of it or nothing, and what is wrong is said', async () => {
  const { sale, item } = await saleIn('planned')
  const other = await saleIn('lobby')
  const [ends_at, opens_at] = [Date.now() + HOUR, Date.now() - HOUR]
  const id = 'never-made'
  const whole = { id, name: 'x', amount: 1, currency: 'EUR', units: 1 }
  const cases: [Fields, string, RegExp][] = [
    [{ ends_at }, 'bad_request', /`ends_at` must be after/],
    [{ opens_at, lobby_opens_at: opens_at }, 'bad_request', /`opens_at` must lie in the future/],
    [{ hold_s: 1 }, 'bad_request', /`hold_s`/],
    [{ guard: { risk: { raised: 90, anomalous: 10 } } }, 'bad_request', /`guard\.risk`/],
    [{ products: [{ id, name: 'x' }] }, 'bad_request', /`products.never-made`: it is new/],
    [
      {
        products: [
          { id: item, amount: 2 },
          { id: item, amount: 3 },
        ],
      },
      'bad_request',
      /names an id twice/,
    ],
    [{ products: [whole, { ...whole, id: other.item }] }, 'already_exists', /There is a product/],
    [{ products: [{ id: item, sale_id: 'x' }] }, 'bad_request', /sale_id/],
    [{ id: 'x' }, 'bad_request', /id/],
    [{ state: 'ended' }, 'bad_request', /state/],
    [{ rehearsal: true }, 'bad_request', /rehearsal/],
    [{ draw_commitment: 'x' }, 'bad_request', /draw_commitment/],
    [{ rate_per_second: 0 }, 'bad_request', /rate_per_second/],
  ]
  const before = await dumpEverything(app.app)
  for (const [edit, code, detail] of cases) {
    const answer = await put(sale, { name: 'Changed', ...edit })
    expect({ edit, code: problemOf(answer), detail: answer.body['detail'] }).toMatchObject({
      ...{ edit, code, detail: expect.stringMatching(detail) as string },
    })
  }
  expect(problemOf(await put('no-such-sale', { name: 'x' }))).toBe('unknown_sale')
  expect(problemOf(await put(sale, { name: 'x' }, ''))).toBe('bad_request')
  // One field that is too late takes the others with it.
  expect(problemOf(await put(other.sale, { name: 'Changed', order: 'draw' }))).toBe('not_editable')
  expect(await dumpEverything(app.app)).toEqual(before)
})

test('the audit log has what was before and after, and only that', async () => {
  const { sale, item } = await saleIn('planned')
  await done(sale, {
    name: 'New',
    rate_per_second: 1000,
    order: 'draw',
    products: [{ id: item, amount: 5, name: 'TV' }],
  })
  const { body } = await app.operate<{ entries: Fields[] }>('GET', 'audit')
  expect(body.entries[0]).toMatchObject({
    ...{ command: 'sale.edit', target: sale, reason: 'a test', operator: 'operator' },
    detail: {
      before: { name: 'A sale', order: 'fifo' },
      after: { name: 'New', order: 'draw' },
      products: [{ id: item, before: { amount: 19_900 }, after: { amount: 5 } }],
      added: [],
    },
  })
  expect(JSON.stringify(body)).not.toContain((await app.app.catalogue.drawSecret(sale)) as string)
})

test('who opens the sale first wins: an edit that waited for it is too late', async () => {
  const { sale, item } = await saleIn('lobby')
  let editing: ReturnType<typeof put> | undefined
  await app.app.shards.catalogue.transaction(async (sql) => {
    await sql.query('update sales set opens_at = now() where id = $1', [sale])
    editing = put(sale, { products: [{ id: item, amount: 1 }] })
    await eventually(async () => {
      const { rows } = await app.app.shards.catalogue.query<{ waiting: number }>(
        `select count(*) as waiting from pg_stat_activity where wait_event_type = 'Lock' and query like '%from sales%'`,
      )
      return rows[0]?.waiting === 1
    })
  })
  expect(problemOf((await editing) as Awaited<ReturnType<typeof put>>)).toBe('not_editable')
  expect((await get(sale)).products[0]?.['amount']).toBe(19_900)
})

test('where Redis fails after SQL was written, the same command again brings it in line', async () => {
  const { sale, item } = await saleIn('lobby')
  const ends_at = Date.now() + 60 * HOUR
  const { waitingRoom } = app.app
  let failures = 0
  const failing = createEditSale({
    ...app.app,
    waitingRoom: {
      ...waitingRoom,
      steer: (...given) =>
        failures++ === 0 ? Promise.reject(new Error('away')) : waitingRoom.steer(...given),
    },
  })
  expect(await failing(BY, sale, { ends_at }).then(String, String)).toContain('away')
  expect((await app.app.catalogue.sale(sale))?.ends_at).toBe(ends_at)
  expect((await app.app.inventory.stock(item))?.ends_at).not.toBe(ends_at)
  expect(await failing(BY, sale, { ends_at })).toEqual({ kind: 'edited' })
  expect((await app.app.inventory.stock(item))?.ends_at).toBe(ends_at)
  expect(await app.app.redis.commands.hget(`queue:{${sale}}`, 'ends_at')).toBe(`${ends_at}`)
})

test('an item that Redis has lost is not put back by an edit: what was sold of it is not for it to know', async () => {
  const { sale, item } = await saleIn('selling')
  await app.app.redis.commands.del(keyOf(item, 'stock'))
  await done(sale, { name: 'Renamed', rate_per_second: 5 })
  expect(await app.app.inventory.stock(item)).toBeUndefined()
})

test('once somebody has a place, how the line begins stays as it is, whatever SQL says', async () => {
  const { sale } = await saleIn('lobby')
  expect((await createBuyer(app).join(sale)).status).toBe(201)
  expect(await app.app.waitingRoom.amend(sale, { secret: 'f'.repeat(64), threshold: null })).toBe('taken')
  expect(await app.app.waitingRoom.amend(sale, { secret: null, threshold: null })).toBe('same')
})
