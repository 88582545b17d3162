import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import type { FoundOrder, OrderDetails } from '../../src/contracts/order-search-http.ts'
import { exportOrders } from '../../src/operator/orders/export.ts'
import { cursorOf, idsLike, readCursor, searchPage } from '../../src/operator/orders/search.ts'
import { csvLines } from '../../src/platform/csv.ts'
import type { Database, Sql } from '../../src/platform/postgres.ts'
import { surveyOf } from '../support/sql.ts'
import { OPS_TOKEN, problemOf, startApp, type TestApp } from '../support/app.ts'
import { testDatabases, type TestDatabases } from '../support/postgres.ts'
import { replaySettings } from '../support/seed.ts'

// What an operator finds of the orders on two shards: page by page, as a file, one by one.

const VIEWER = 'v'.repeat(20)
let databases: TestDatabases
let app: TestApp
beforeAll(async () => {
  databases = await testDatabases(2)
  app = await startApp({ DATABASE_URLS: databases.urls.join(','), OPS_TOKENS: `watcher:${VIEWER}:viewer` })
})
afterAll(async () => {
  await app.close()
  await databases.drop()
})

interface Row {
  readonly order_id: string
  readonly user_id: string
  readonly sale_id: string
  readonly created_us: number
}
let rows = 0
/** A row as the order worker leaves it, at a moment of our choice. */
async function insert(change: Partial<Row & Record<string, unknown>> = {}): Promise<Row> {
  rows += 1
  const row = {
    ...{ order_id: uuidv7(), user_id: `user-${rows}`, sale_id: 'sale', item_id: 'tv', quantity: 1 },
    ...{ amount: 1999, currency: 'EUR', status: 'PENDING', failure_reason: null, claim_seq: rows },
    ...{ created_us: 1_790_000_000_000_000 + rows, paid_at: null },
    ...change,
  }
  await app.app.shards.of(row.user_id).query(
    `insert into orders (id, user_id, sale_id, item_id, quantity, amount, currency, status, failure_reason, claim_seq,
         claimed_at, pay_by, hold_expires_at, created_at, paid_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now(), now(), now(),
         timestamptz 'epoch' + $11::bigint * interval '1 microsecond', $12)`,
    [
      ...[row.order_id, row.user_id, row.sale_id, row.item_id, row.quantity, row.amount, row.currency],
      ...[row.status, row.failure_reason, row.claim_seq, row.created_us, row.paid_at],
    ],
  )
  return row
}
const pay = ({ user_id, order_id }: Row, ref: string, state: string) =>
  app.app.shards.of(user_id).query(
    `insert into payments (user_id, order_id, provider, provider_ref, amount, currency, state)
     values ($1, $2, 'stripe', $3, 1999, 'EUR', $4)`,
    [user_id, order_id, ref, state],
  )
const mail = ({ user_id, order_id }: Row, email: string) =>
  app.app.notices.give(user_id, order_id, { email, language: 'en' })

interface Found {
  readonly orders: FoundOrder[]
  readonly next: string | null
  readonly incomplete: boolean
}
const as = (token: string) => ({ authorization: `Bearer ${token}` })
const ask = async <Body = Record<string, unknown>>(
  query: Record<string, string | number>,
  token = OPS_TOKEN,
) => {
  const path = `/api/operator/orders?${new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)])).toString()}`
  return app.send<Body>('ops', 'GET', path, { headers: as(token) })
}
const find = async (query: Record<string, string | number>, token = OPS_TOKEN) => {
  const answer = await ask<Found>(query, token)
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 })
  return answer.body
}
const idsOf = async (query: Record<string, string | number>) =>
  (await find(query)).orders.map(({ order_id }) => order_id)
const newestFirst = (all: readonly Row[]) =>
  [...all]
    .sort((a, b) => b.created_us - a.created_us || (a.order_id < b.order_id ? 1 : -1))
    .map(({ order_id }) => order_id)

describe('pages', () => {
  test('hold what there was at the start once and in order, whatever arrives between them', async () => {
    // Moments that are close together, so that many are the same, and some of what arrives is older than the page.
    const moment = fc.integer({ min: 0, max: 12 })
    let sales = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(moment, { minLength: 1, maxLength: 25 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.array(moment, { maxLength: 3 })), {
          minLength: 1,
        }),
        async (before, turns) => {
          const sale = `paged-${++sales}`
          const put = (at: number) => insert({ sale_id: sale, created_us: 1_791_000_000_000_000 + at })
          const there: Row[] = []
          for (const at of before) there.push(await put(at))
          const seen: string[] = []
          let cursor: string | null = ''
          for (let turn = 0; cursor !== null; turn += 1) {
            const [limit, arriving] = turns[turn % turns.length] ?? [1, []]
            const page: Found = await find({ sale, limit, cursor })
            expect(page.orders.length).toBeLessThanOrEqual(limit)
            if (page.next !== null) expect(page.orders.length).toBe(limit)
            seen.push(...page.orders.map(({ order_id }) => order_id))
            cursor = page.next
            // Enough to see that nothing is lost; without an end the pages would have none either.
            if (turn < 6) for (const at of arriving) await put(at)
          }
          expect(new Set(seen).size).toBe(seen.length)
          const known = new Set(there.map(({ order_id }) => order_id))
          expect(seen.filter((id) => known.has(id))).toEqual(newestFirst(there))
        },
      ),
      { ...replaySettings('pages of orders'), numRuns: 25 },
    )
  }, 60_000)

  test('a microsecond counts', async () => {
    const all = await Promise.all(
      [5, 3, 4, 1, 2].map((us) => insert({ sale_id: 'exact', created_us: 1_792_000_000_123_400 + us })),
    )
    const first = await find({ sale: 'exact', limit: 2 })
    const second = await find({ sale: 'exact', limit: 2, cursor: first.next ?? '' })
    const third = await find({ sale: 'exact', limit: 2, cursor: second.next ?? '' })
    const told = [first, second, third].flatMap(({ orders }) => orders.map(({ order_id }) => order_id))
    expect(told).toEqual(newestFirst(all))
    expect(third.next).toBeNull()
  })

  test.each(['x', 'MTIz', cursorOf({ created_us: 1, order_id: 'x'.repeat(36) }), `${'1'.repeat(30)}`])(
    'a cursor that is none of ours is refused: %s',
    async (cursor) => expect(problemOf(await ask({ cursor }))).toBe('bad_request'),
  )
  test('a cursor is read as it was written', () => {
    const place = { created_us: 1_792_000_000_123_456, order_id: uuidv7() }
    expect(readCursor(cursorOf(place))).toEqual(place)
  })
})

test('where one of the databases is away the others answer, and the page says so', async () => {
  await Promise.all(Array.from({ length: 8 }, () => insert({ sale_id: 'partly' })))
  const [one, other] = app.app.shards.all as [Database, Database]
  const gone = { ...other, transaction: () => Promise.reject(new Error('gone')) }
  const options = { limit: 100, addresses: true }
  const whole = await searchPage(surveyOf([one, other]), { sale: 'partly' }, options)
  const part = await searchPage(surveyOf([one, gone]), { sale: 'partly' }, options)
  expect(whole.away).toEqual([])
  expect(part.away).toHaveLength(1)
  expect(part.orders.length).toBeWithin(1, 8)
  expect(whole.orders).toEqual(expect.arrayContaining([...part.orders]) as FoundOrder[])
})

describe('filters', () => {
  test('by sale, item, status and time, each and together', async () => {
    const at = (seconds: number) => (1_793_000_000 + seconds) * 1_000_000
    const a = await insert({ sale_id: 'f1', item_id: 'f1-a', created_us: at(0) })
    const b = await insert({
      sale_id: 'f1',
      item_id: 'f1-b',
      created_us: at(10),
      status: 'PAID',
      paid_at: new Date(),
    })
    const c = await insert({
      sale_id: 'f2',
      created_us: at(20),
      status: 'FAILED',
      failure_reason: 'declined',
    })
    const ids = [a, b, c].map(({ order_id }) => order_id) as [string, string, string]
    expect(await idsOf({ sale: 'f1' })).toEqual([ids[1], ids[0]])
    expect(await idsOf({ item: 'f1-a' })).toEqual([ids[0]])
    expect(await idsOf({ sale: 'f1', status: 'PAID' })).toEqual([ids[1]])
    expect(await idsOf({ sale: 'f1', item: 'f1-a', status: 'PAID' })).toEqual([])
    const [from, to] = [1_793_000_010_000, 1_793_000_020_000]
    expect(await idsOf({ from, to })).toEqual([ids[1]])
    expect(await idsOf({ from })).toEqual([ids[2], ids[1]])
    // As a form sends what nobody filled in.
    expect(
      await idsOf({ sale: 'f1', item: '', status: '', q: '', from: '', to: '', cursor: '', limit: '' }),
    ).toEqual([ids[1], ids[0]])
  })

  test.each([
    { status: 'LOST' },
    { sale: 'No such' },
    { from: 'yesterday' },
    { from: -1 },
    { limit: 0 },
    { limit: 201 },
    { q: 'nul\0' },
    { q: 'x'.repeat(255) },
  ])('%p is refused', async (query) => expect(problemOf(await ask(query as never))).toBe('bad_request'))

  test('by what an operator has in hand', async () => {
    const order_id = 'abcdef12-3456-7890-abcd-ef1234567890'
    const row = await insert({ order_id, user_id: 'wanted%buyer' })
    const other = await insert({ user_id: 'wanted%buyer' })
    await insert({ user_id: 'wanted-buyer' })
    await pay(row, 'pi_looked_for_1', 'started')
    await pay(row, 'pi_looked_for_2', 'captured')
    await pay(row, 'pi_looked_for_3', 'failed')
    await mail(row, 'Some.Body@Example.com')
    const only = [order_id]
    expect(await idsOf({ q: order_id })).toEqual(only)
    expect(await idsOf({ q: order_id.toUpperCase() })).toEqual(only)
    expect(await idsOf({ q: 'abcdef12-34' })).toEqual(only)
    expect(await idsOf({ q: 'abcdef12-34', status: 'PAID' })).toEqual([])
    expect(await idsOf({ q: 'wanted%buyer' })).toEqual([other.order_id, order_id])
    expect(await idsOf({ q: 'pi_looked_for_1' })).toEqual(only)
    expect(await idsOf({ q: 'pi_looked' })).toEqual(only)
    expect(await idsOf({ q: 'some.body@example.com' })).toEqual(only)
    expect(await idsOf({ q: 'SOME.B' })).toEqual(only)
    // What stands for anything in a pattern stands for itself.
    for (const q of ['pi%looked', 'some_body@example.com', '%', 'abcde', '\\', "'; drop table orders; --"])
      expect({ q, ids: await idsOf({ q }) }).toEqual({ q, ids: [] })
    const [found] = (await find({ q: order_id })).orders
    expect(found?.payment).toEqual({ provider: 'stripe', state: 'captured', provider_id: 'pi_looked_for_2' })
  })

  test('by the beginning of an id only where it is one', () => {
    expect(idsLike('0123-')).toBeUndefined()
    expect(idsLike('01234')).toBeUndefined()
    expect(idsLike('0123456')).toEqual([
      '01234560-0000-0000-0000-000000000000',
      '0123456f-ffff-ffff-ffff-ffffffffffff',
    ])
    expect(idsLike('01234567-')).toEqual([
      '01234567-0000-0000-0000-000000000000',
      '01234567-ffff-ffff-ffff-ffffffffffff',
    ])
    expect(idsLike('012345678')).toBeUndefined()
    expect(idsLike('pi_123456')).toBeUndefined()
  })
})

describe('addresses of buyers', () => {
  test('are masked for viewers, who can not look for them either', async () => {
    const row = await insert({ sale_id: 'masked' })
    await mail(row, 'private.person@example.com')
    const emails = async (token: string) =>
      (await find({ sale: 'masked' }, token)).orders.map(({ email }) => email)
    expect(await emails(OPS_TOKEN)).toEqual(['private.person@example.com'])
    expect(await emails(VIEWER)).toEqual(['p***@example.com'])
    expect((await find({ q: 'private.person@example.com' }, VIEWER)).orders).toEqual([])
    const csv = await app.send<string>('ops', 'GET', '/api/operator/orders.csv?sale=masked', {
      headers: as(VIEWER),
    })
    expect(csv.body).toContain('p***@example.com')
    expect(csv.body).not.toContain('private')
    const details = await app.send('ops', 'GET', `/api/operator/orders/${row.order_id}`, {
      headers: as(VIEWER),
    })
    expect(JSON.stringify(details.body)).not.toContain('private')
  })
})

describe('the file', () => {
  const download = (query: string) =>
    app.send<string>('ops', 'GET', `/api/operator/orders.csv?${query}`, { headers: as(OPS_TOKEN) })

  test('has a header and every order, over more than one page', async () => {
    const all: Row[] = []
    for (let n = 0; n < 450; n += 1) all.push(await insert({ sale_id: 'export' }))
    const { status, headers, body } = await download('sale=export')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="orders-export-\d{4}-\d\d-\d\d\.csv"$/,
    )
    expect(body.endsWith('\r\n')).toBe(true)
    const [header, ...lines] = body.slice(0, -2).split('\r\n')
    expect(header).toStartWith(
      'order_id,created_at,sale_id,item_id,quantity,amount_minor_units,currency,status',
    )
    expect(lines.map((line) => line.slice(0, 36))).toEqual(newestFirst(all))
    const audit = await app.operate<{ entries: { command: string; detail: unknown }[] }>('GET', 'audit')
    expect(audit.body.entries[0]).toMatchObject({
      ...{ command: 'orders.export', operator: 'operator', target: 'export' },
      detail: { sale: 'export', searched: false },
    })
  }, 30_000)

  test('is a header where nothing passes', async () => {
    expect((await download('sale=nothing')).body).toMatch(/^order_id,[^\n]*\r\n$/)
  })

  test('holds no formula that somebody put into a name', async () => {
    const names = ['=1+1', '+1', '-1', '@SUM(A1)', '=cmd|"/c calc"!A0, and "more"\r\nlines', 'plain']
    for (const user_id of names) await insert({ sale_id: 'formula', user_id })
    const { body } = await download('sale=formula')
    for (const name of names.slice(0, 4)) expect(body).toContain(`,'${name},`)
    expect(body).toContain(`,"'=cmd|""/c calc""!A0, and ""more""\r\nlines",`)
    expect(body).toContain(',plain,')
    expect(body).not.toMatch(/(^|,|"|\n)[=+@-]/)
  })

  test('a negative number stays one', () => {
    expect(csvLines([['-1', -1, null, 'a']])).toBe("'-1,-1,,a\r\n")
  })

  test('is read as fast as it is taken, and breaks off where a database is gone', async () => {
    for (let n = 0; n < 700; n += 1) await insert({ sale_id: 'slow' })
    let asked = 0
    let away = false
    const all = app.app.shards.all.map((shard): Database => ({
      ...shard,
      transaction: (work) => {
        asked += 1
        return away ? Promise.reject(new Error('gone')) : shard.transaction(work)
      },
    }))
    const reader = (await exportOrders(surveyOf(all), { sale: 'slow' }, true)).getReader()
    await Bun.sleep(300)
    expect(asked).toBeLessThanOrEqual(4)
    await reader.read()
    await reader.read()
    await reader.read()
    away = true
    const rest = async () => {
      while (!(await reader.read()).done);
    }
    expect(await rest().then(String, ({ code }: { code: string }) => code)).toBe('unavailable')
    expect(
      await exportOrders(surveyOf(all), {}, true).then(String, ({ code }: { code: string }) => code),
    ).toBe('unavailable')
  }, 30_000)
})

describe('one order', () => {
  test('is found on whichever shard it is, with all there is about it', async () => {
    const users = [0, 1].map((shard) => {
      for (let n = 0; ; n += 1) if (app.app.shards.numberOf(`shard-${n}`) === shard) return `shard-${n}`
    })
    await app.app.commands.reconcile({ operator: 'test', reason: 'a look' }, 'looked-at')
    for (const user_id of users) {
      const row = await insert({
        user_id,
        item_id: 'looked-at',
        status: 'FAILED',
        failure_reason: 'oversold',
      })
      await pay(row, `pi_of_${user_id}`, 'refunded')
      await mail(row, 'a@example.com')
      const sql = app.app.shards.of(user_id)
      const used = await insert({ user_id })
      await sql.query(
        `insert into gift_cards (user_id, order_id, code, amount, currency, expires_at)
         values ($1, $2, $3, 2500, 'EUR', now() + interval '1 day')`,
        [user_id, row.order_id, 'ABCDEFGHJKMNPQRS'],
      )
      await sql.query(
        `insert into gift_card_uses (user_id, order_id, card_id, amount) values ($1, $2, $3, 500)`,
        [...[user_id, used.order_id, row.order_id]],
      )
      await sql.query(
        `insert into notices (user_id, order_id, kind, attempts) values ($1, $2, 'oversold', 1)`,
        [...[user_id, row.order_id]],
      )
      const answer = await app.operate<OrderDetails>('GET', `orders/${row.order_id}`)
      expect(answer.body).toMatchObject({
        order: {
          ...{
            order_id: row.order_id,
            user_id,
            status: 'FAILED',
            failure_reason: 'oversold',
            email: 'a@example.com',
          },
          payment: { state: 'refunded', provider_id: `pi_of_${user_id}` },
        },
        payments: [{ provider: 'stripe', state: 'refunded', amount: 1999, failure_code: null }],
        gift_parts: [],
        gift_card: { amount: 2500, currency: 'EUR' },
        mails: [{ kind: 'oversold', state: 'due', attempts: 1, sent_at: null }],
        audit: [{ command: 'reconcile', target: 'looked-at', reason: 'a look' }],
      })
      expect(JSON.stringify(answer.body)).not.toContain('ABCDEFGHJKMNPQRS')
      const other = await app.operate<OrderDetails>('GET', `orders/${used.order_id}`)
      expect(other.body).toMatchObject({
        gift_card: null,
        gift_parts: [{ card_id: row.order_id, amount: 500 }],
      })
    }
    expect(problemOf(await app.operate('GET', `orders/${uuidv7()}`))).toBe('unknown_order')
    expect(problemOf(await app.operate('GET', 'orders/no-such-order'))).toBe('bad_request')
  })
})

test('every way of asking has an index', async () => {
  const [shard] = app.app.shards.all as [Database]
  const plans: string[] = []
  const explain = (sql: Sql): Sql => ({
    query: async (text, values) => {
      if (/^\s*select/.test(text)) {
        const { rows: plan } = await sql.query<Record<string, string>>(`explain ${text}`, values)
        plans.push(plan.map((line) => line['QUERY PLAN']).join('\n'))
      }
      return sql.query(text, values)
    },
  })
  const explaining: Database = {
    ...shard,
    transaction: (work) =>
      shard.transaction(async (sql) => {
        // With so few rows a plan depends on when they were counted; these are what many rows make dear.
        await sql.query('set local enable_seqscan = off')
        await sql.query('set local enable_sort = off')
        return work(explain(sql))
      }),
  }
  const options = {
    limit: 10,
    addresses: true,
    after: { created_us: 1_795_000_000_000_000, order_id: uuidv7() },
  }
  for (const filter of [{}, { sale: 'sale' }, { q: 'abcdef12' }, { q: 'some@example.com' }])
    await searchPage(surveyOf([explaining]), filter, options)
  const all = plans.join('\n')
  for (const index of [
    'orders_latest',
    'orders_latest_of_sale',
    'orders_by_id',
    'orders_pkey',
    'payments_by_ref',
    'contacts_by_email',
  ])
    expect(all).toContain(index)
  expect(all).not.toContain('Seq Scan')
  // By the beginning of a text, and not by reading the whole index.
  for (const column of ['provider_ref', 'lower(email)'])
    expect(all).toMatch(new RegExp(`Index Cond: .*${column.replace(/[()]/g, '.')}.* ~>=~`))
})
