import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { BY, type Flow, saleOf, startFlow } from '../../test/support/flow.ts'
import { keyOf } from '../../test/support/inventory.ts'
import { createCommands, furnish, type NewSale } from './commands.ts'
import { selectAudit } from './sql.ts'

let flow: Flow
beforeAll(async () => {
  flow = await startFlow()
})
afterAll(() => flow[Symbol.asyncDispose]())

let sales = 0
const newId = (name: string) => `${name}-${++sales}`
const product = (id: string) => ({
  ...{ id, name: id, description: '', amount: 100, currency: 'EUR', units: 7, per_buyer_limit: 1 },
})
const audited = async (target: string) =>
  (await selectAudit(flow.app.shards.catalogue, 1000)).filter((entry) => entry.target === target)
const queue = (sale: string) => flow.app.redis.commands.hgetall(`queue:{${sale}}`)
const exists = (sale: string, item: string) =>
  Promise.all([
    flow.app.redis.commands.exists(`queue:{${sale}}`, keyOf(item, 'stock')),
    flow.app.shards.catalogue
      .query('select 1 from products where id = $1 union all select 1 from sales where id = $2', [item, sale])
      .then(({ rowCount }) => rowCount),
  ])
const claim = (item: string) =>
  flow.app.inventory.claim({
    ...{ item_id: item, order_id: crypto.randomUUID(), user_id: crypto.randomUUID(), quantity: 1, limit: 1 },
    ...{ amount: 100, currency: 'EUR', hold_ms: 600_000, pay_ms: 300_000 },
  })

describe('createSale', () => {
  test('writes the sale, its products, its stock and its waiting room', async () => {
    const id = newId('whole')
    const sale = saleOf(id, 5, { id, products: [product(`${id}-a`), product(`${id}-b`)], opens_at: 12_345 })
    expect(await flow.app.commands.createSale(BY, sale)).toEqual({ kind: 'created' })
    expect(await flow.app.catalogue.sale(id)).toMatchObject({ id, state: 'open', opens_at: 12_345 })
    expect((await flow.app.catalogue.products(id)).map((one) => one.id)).toEqual([`${id}-a`, `${id}-b`])
    for (const item of [`${id}-a`, `${id}-b`])
      expect(await flow.app.inventory.stock(item)).toMatchObject({
        total: 7,
        available: 7,
        sale_id: id,
        opens_at: 12_345,
      })
    expect(await queue(id)).toMatchObject({ tail: '0', opens_at: '12345' })
  })

  test('opens now where no time is given', async () => {
    const id = newId('now')
    const sale = saleOf(id, 5, { id, products: [product(id)], opens_at: undefined })
    const before = flow.app.clock.now()
    await flow.app.commands.createSale(BY, sale)
    expect((await flow.app.catalogue.sale(id))?.opens_at).toBeWithin(before, flow.app.clock.now() + 1)
    expect((await claim(id)).kind).toBe('reserved')
  })

  test('is all or nothing: a product that exists leaves no sale behind', async () => {
    const taken = newId('taken')
    await flow.app.commands.createSale(BY, saleOf(taken, 5, { id: taken, products: [product(taken)] }))
    const id = newId('half')
    const sale = saleOf(id, 5, { id, products: [product(`${id}-new`), product(taken)] })
    expect(await flow.app.commands.createSale(BY, sale)).toEqual({
      kind: 'exists',
      what: 'product',
      id: taken,
    })
    expect(await exists(id, `${id}-new`)).toEqual([0, 0])
    expect(await flow.app.commands.createSale(BY, { ...sale, id: taken })).toMatchObject({
      kind: 'exists',
      what: 'sale',
    })
    expect(await flow.app.inventory.stock(taken)).toMatchObject({ total: 7, epoch: 1 })
  })

  test('of one id many times at once creates one', async () => {
    const id = newId('once')
    const sale = saleOf(id, 5, { id, products: [product(id)] })
    const all = await Promise.all([1, 2, 3, 4].map(() => flow.app.commands.createSale(BY, sale)))
    expect(all.map(({ kind }) => kind).sort()).toEqual(['created', 'exists', 'exists', 'exists'])
  })

  test.each<[string, Partial<NewSale>]>([
    ['an end before its opening', { opens_at: 2000, ends_at: 1000 }],
    ['holds shorter than the payment window', { hold_s: 10, payment_window_s: 11 }],
    ['a product twice', { products: [product('twin'), product('twin')] }],
  ])('refuses %s and does nothing, not even an audit entry', async (_name, change) => {
    const id = newId('contradiction')
    const sale = saleOf(id, 5, { id, products: [product(id)], ...change })
    expect(await flow.app.commands.createSale(BY, sale)).toMatchObject({ kind: 'contradiction' })
    expect(await exists(id, id)).toEqual([0, 0])
    expect(await audited(id)).toEqual([])
  })
})

describe('a command', () => {
  const running = async () => {
    const id = newId('run')
    await flow.app.commands.createSale(
      BY,
      saleOf(id, 5, { id, products: [product(id)], opens_at: 4_000_000_000_000 }),
    )
    return id
  }

  test('open, pause, resume, end reach SQL, every item and the waiting room, and are audited', async () => {
    const id = await running()
    const { commands, catalogue, inventory } = flow.app
    const seen = async () => [
      (await catalogue.sale(id))?.state,
      (await inventory.stock(id))?.state,
      (await queue(id))['state'],
      (await claim(id)).kind,
    ]
    expect(await seen()).toEqual(['open', 'open', 'open', 'not_open'])
    const by = { operator: 'Ada', reason: 'doors' }
    expect(await commands.open(by, id)).toBe('changed')
    expect(await seen()).toEqual(['open', 'open', 'open', 'reserved'])
    expect(Number((await queue(id))['opens_at'])).toBe((await catalogue.sale(id))?.opens_at ?? 0)
    expect(await commands.pause(by, id)).toBe('changed')
    expect(await seen()).toEqual(['paused', 'paused', 'paused', 'paused'])
    expect(await commands.resume(by, id)).toBe('changed')
    expect(await seen()).toEqual(['open', 'open', 'open', 'reserved'])
    expect(await commands.setRate(by, id, 7.5)).toBe('changed')
    expect((await queue(id))['rate']).toBe('7.5')
    expect((await catalogue.sale(id))?.rate_per_second).toBe(7.5)
    expect(await commands.end(by, id)).toBe('changed')
    expect(await seen()).toEqual(['ended', 'ended', 'ended', 'ended'])
    const entries = (await audited(id)).reverse()
    expect(entries.map(({ command }) => command)).toEqual([
      ...['sale.create', 'sale.open', 'sale.pause', 'sale.resume', 'sale.rate', 'sale.end'],
    ])
    expect(entries[4]).toMatchObject({ operator: 'Ada', reason: 'doors', detail: { rate_per_second: 7.5 } })
  })

  test('to a sale that does not exist changes nothing, and is on record', async () => {
    const { commands } = flow.app
    expect(await commands.pause(BY, 'no-such-sale')).toBe('unknown_sale')
    expect(await commands.setRate(BY, 'no-such-sale', 1)).toBe('unknown_sale')
    expect(await queue('no-such-sale')).toEqual({})
    expect(await audited('no-such-sale')).toHaveLength(2)
  })

  test('is on record before it does anything', async () => {
    const id = await running()
    const broken = {
      ...flow.app,
      database: { ...flow.app.shards.catalogue, query: () => Promise.reject(new Error('no record')) },
    }
    const paused = createCommands(broken).pause(BY, id)
    expect(await paused.catch((error: Error) => error.message)).toBe('no record')
    expect((await flow.app.inventory.stock(id))?.state).toBe('open')
  })

  test('reconcile runs for one item or for all, and is audited', async () => {
    const id = await running()
    expect(await flow.app.commands.reconcile(BY, id)).toMatchObject([{ item_id: id, outcome: 'clean' }])
    const all = await flow.app.commands.reconcile(BY)
    expect(all.map(({ item_id }) => item_id)).toContain(id)
    expect(all.length).toBe((await flow.app.catalogue.products()).length)
    expect((await audited('all items'))[0]).toMatchObject({ command: 'reconcile' })
  })

  test('replay of an unknown dead letter says so', async () => {
    expect(await flow.app.commands.replay(BY, 'tv:1-1')).toBe('unknown')
    expect((await audited('tv:1-1'))[0]).toMatchObject({ command: 'dead-letter.replay' })
  })
})

describe('furnish', () => {
  test('repeated changes nothing', async () => {
    const id = newId('again')
    await flow.app.commands.createSale(BY, saleOf(id, 5, { id, products: [product(id)] }))
    await claim(id)
    const sale = await flow.app.catalogue.sale(id)
    if (sale === undefined) throw new Error('no sale')
    const before = [await queue(id), await flow.app.inventory.stock(id)]
    await furnish(flow.app, sale, await flow.app.catalogue.products(id))
    expect([await queue(id), await flow.app.inventory.stock(id)]).toEqual(before)
  })

  test.each(['paused', 'ended'] as const)('puts a %s sale back as it was', async (state) => {
    const id = newId(state)
    await flow.app.commands.createSale(BY, saleOf(id, 5, { id, products: [product(id)] }))
    await (state === 'paused' ? flow.app.commands.pause(BY, id) : flow.app.commands.end(BY, id))
    await flow.app.redis.commands.del(`queue:{${id}}`, keyOf(id, 'stock'))
    const sale = await flow.app.catalogue.sale(id)
    if (sale === undefined) throw new Error('no sale')
    await furnish(flow.app, sale, await flow.app.catalogue.products(id))
    expect((await queue(id))['state']).toBe(state)
    expect((await flow.app.inventory.stock(id))?.state).toBe(state)
  })
})
