import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { randomUUID } from 'node:crypto'
import { ownPostgres, testDatabases, type TestDatabases } from '../../../test/support/postgres.ts'
import { eventually } from '../../../test/support/stripe.ts'
import { isConnectionError, SettingError } from '../errors.ts'
import { connectDatabase, everywhere, type Shards, type Sql } from '../postgres.ts'
import { BUYER_TABLES, logicalShard } from './logical.ts'
import { planBalance } from './balance.ts'
import { createShardMap } from './map.ts'
import { connectShards } from './shards.ts'

// Which server has which buyers: written down once, and told by the servers themselves, not by their addresses.

let databases: TestDatabases
let urls: string[]
beforeAll(async () => {
  databases = await testDatabases(12)
  urls = databases.urls
})
afterAll(() => databases.drop())
const take = (count: number) => urls.splice(0, count)

async function using<T>(some: readonly string[], work: (shards: Shards) => Promise<T>): Promise<T> {
  const shards = connectShards(some)
  try {
    await shards.ready()
    return await work(shards)
  } finally {
    await shards.close()
  }
}
const refusal = (some: readonly string[]) =>
  using(some, () => Promise.resolve('ready')).catch((error: unknown) =>
    error instanceof SettingError ? error.message : error,
  )
const insert = (sql: Sql, user: string) =>
  sql.query(
    `insert into orders (user_id, id, sale_id, item_id, quantity, amount, currency, status, claim_seq, claimed_at,
       pay_by, hold_expires_at) values ($1, $2, 's', 'i', 1, 1, 'EUR', 'PENDING', 1, now(), now(), now())`,
    [user, randomUUID()],
  )
const users = Array.from({ length: 600 }, (_, n) => `buyer-${n} ❤`)

// Rows lie where these said: a change of any of them would lose rows.
test.each([
  ['', 227],
  ['buyer-1', 45],
  ['0190163d-8694-739b-aea5-966c26f8ad91', 101],
  ['günther ❤', 135],
])('the logical shard of %p is %p for ever, in SQL too', async (user, shard) => {
  expect(logicalShard(user)).toBe(shard)
  const database = connectDatabase(urls[0] ?? '')
  const { rows } = await database.query('select logical_shard($1) as n', [user])
  expect(rows).toEqual([{ n: shard }])
  await database.close()
})

test('no database, no shards', () => {
  expect(() => connectShards([])).toThrow('no database URL')
})

test('a map that has changed meanwhile is no ground for an answer from before, however fresh it is', async () => {
  const rows = Array.from({ length: 256 }, (_, logical) => ({
    ...{ logical, server: 0, version: 1 },
    going_to: null as number | null,
  }))
  const catalogue = { query: async () => ({ rows: rows.map((row) => ({ ...row })) }) } as unknown as Sql
  const map = createShardMap(catalogue, 1)
  expect(map.trust([7])).toBeUndefined()
  await map.reload()
  const [stands, other] = [map.trust([7]), map.trust([8])]
  expect([stands?.(), other?.()]).toEqual([true, true])
  Object.assign(rows[7] ?? {}, { going_to: 1, version: 2 })
  await map.reload()
  expect([stands?.(), other?.(), map.trust([7]), map.trust([8])?.()]).toEqual([false, true, undefined, true])
  Object.assign(rows[7] ?? {}, { going_to: null, server: 1, version: 3 })
  await map.reload()
  expect([stands?.(), map.trust([7])?.()]).toEqual([false, true])
})

describe('the map', () => {
  test('is written at the first start, in equal runs, and stays when a server is added', async () => {
    const [one, two, three, added] = take(4) as [string, string, string, string]
    const before = await using([one, two, three], async (shards) => {
      for (const user of users) expect(shards.numberOf(user)).toBe(Math.floor((logicalShard(user) * 3) / 256))
      await insert(shards.of('somebody'), 'somebody')
      return users.map((user) => shards.numberOf(user))
    })
    await using([one, two, three, added], async (shards) => {
      expect(users.map((user) => shards.numberOf(user))).toEqual(before)
      expect((await shards.of('somebody').query('select from orders')).rowCount).toBe(1)
      // It is ready: nobody writes there before something is moved to it.
      expect(await insert(shards.all[3] as Sql, 'somebody').catch(String)).toContain('is not on this server')
    })
    // Who is who does not hang on the order of the addresses, but for the first.
    await using([one, added, three, two], async (shards) => {
      expect(users.map((user) => shards.numberOf(user))).toEqual(before.map((at) => [0, 3, 2][at] ?? -1))
      expect((await shards.of('somebody').query('select from orders')).rowCount).toBe(1)
    })
    expect(await refusal([two, one, three])).toContain('begins with server 1')
    expect(await refusal([one, two, two, three])).toContain('are the same server, 1')
    expect(await refusal([one, three, added])).toContain(
      'Server 1, which holds 85 logical shards, is not among',
    )
    expect(await refusal([one, two, three])).toBe('ready')

    const [foreign, other] = take(2) as [string, string]
    await using([foreign], (shards) => insert(shards.of('x'), 'x'))
    expect(await refusal([one, two, three, foreign])).toContain('is a server of another system')
    expect(await refusal([other, one])).toContain('URL 1 of DATABASE_URLS is a new database')
  })

  test('does not take a server in that has orders of its own', async () => {
    const [one, used] = take(2) as [string, string]
    await refusal([one])
    const database = connectDatabase(used)
    await insert(database, 'x')
    await database.close()
    expect(await refusal([one, used])).toContain('has orders, yet it is no server of this system')
  })

  test('is not written over orders that were placed by another rule', async () => {
    const [one, two] = take(2) as [string, string]
    const low = users.find((user) => logicalShard(user) < 128) ?? ''
    const database = connectDatabase(two)
    await insert(database, low)
    expect(await refusal([one, two])).toContain('has orders that belong on another')
    await database.query('delete from orders')
    await database.close()
    expect(await refusal([one, two])).toBe('ready')
    await using([one, two], async (shards) => {
      const guards = await everywhere(shards, ({ sql }) =>
        sql.query<{ name: string }>(
          `select tgrelid::regclass::text as name from pg_trigger where tgname = 'shard_guard' order by 1`,
        ),
      )
      for (const { rows } of guards) expect(rows.map(({ name }) => name)).toEqual([...BUYER_TABLES].sort())
      const keyed = await shards.catalogue.query<{ name: string }>(
        `select table_name as name from information_schema.columns
         where table_schema = 'public' and column_name = 'user_id' order by 1`,
      )
      expect(keyed.rows.map(({ name }) => name)).toEqual([...BUYER_TABLES].sort())
    })
  })
})

test('a server that is away at the start costs its own buyers only, and is found when it is back', async () => {
  const [one, server] = [take(1)[0] ?? '', await ownPostgres()]
  try {
    const both = [one, server.url]
    const [here, there] = [0, 1].map(
      (at) => users.find((user) => Math.floor(logicalShard(user) / 128) === at) ?? '',
    ) as [string, string]
    await using(both, (shards) => insert(shards.of(there), there))
    await server.crash()
    await using(both, async (shards) => {
      expect([shards.numberOf(here), shards.numberOf(there)]).toEqual([0, -1])
      await insert(shards.of(here), here)
      const error = await shards
        .of(there)
        .query('select')
        .catch((it: unknown) => it)
      expect(isConnectionError(error)).toBe(true)
      const count = () => shards.survey(async ({ sql }) => (await sql.query('select from orders')).rowCount)
      expect((await count()).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
      await server.restart()
      await eventually(async () => shards.numberOf(there) === 1, 20_000)
      expect((await shards.of(there).query('select from orders')).rowCount).toBe(1)
      expect(await count()).toEqual([1, 1].map((value) => ({ status: 'fulfilled', value })))
    })
  } finally {
    await server.stop()
  }
}, 60_000)

test('balance moves as few as are needed, and empties a server that is to go', () => {
  const run = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)
  const three = [
    { server: 0, logical: run(0, 86) },
    { server: 1, logical: run(86, 171) },
    { server: 2, logical: run(171, 256) },
  ]
  const sizes = (plan: Map<number, number[]>) =>
    [...plan].map(([server, logical]) => [server, logical.length])
  expect(sizes(planBalance(three))).toEqual([])
  expect(sizes(planBalance([...three, { server: 3, logical: [] }]))).toEqual([[3, 64]])
  expect(sizes(planBalance(three, 2)).sort()).toEqual([
    [0, 42],
    [1, 43],
  ])
  const all = [...planBalance(three, 2).values()].flat().sort((a, b) => a - b)
  expect(all).toEqual(run(171, 256))
})
