import { afterAll, beforeAll, expect, test } from 'bun:test'
import { eventually } from '../../test/support/stripe.ts'
import { type TestDatabases, testDatabases } from '../../test/support/postgres.ts'
import { connectDatabase, type Database, type Sql } from './postgres.ts'

let databases: TestDatabases
let url: string
let database: Database
const seen: Error[] = []
beforeAll(async () => {
  databases = await testDatabases(1)
  url = databases.urls[0] ?? ''
  database = connectDatabase(url, { max: 4, onError: (error) => seen.push(error) })
  await database.query('create table notes (text text primary key)')
})
afterAll(async () => {
  await database.close()
  await databases.drop()
})

const notes = async (like: string) =>
  (await database.query<{ text: string }>('select text from notes where text like $1', [like])).rows.length
const write = (sql: Sql, text: string) => sql.query('insert into notes values ($1)', [text])
const pidOf = async (sql: Sql) =>
  (await sql.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Ends server processes from outside, as a restart of PostgreSQL does, and waits until they are gone. */
async function terminate(pids: readonly number[]): Promise<void> {
  const admin = connectDatabase(url, { max: 1 })
  await admin.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [pids])
  await eventually(async () => {
    const left = await admin.query('select 1 from pg_stat_activity where pid = any($1)', [pids])
    return left.rowCount === 0
  })
  await admin.close()
}

test('a transaction that throws leaves nothing; one that returns leaves everything', async () => {
  const error = await failure(
    database.transaction(async (sql) => {
      await write(sql, 'rolled-1')
      await write(sql, 'rolled-2')
      throw new Error('changed our mind')
    }),
  )
  expect(error).toMatchObject({ message: 'changed our mind' })
  expect(await notes('rolled-%')).toBe(0)
  const answer = await database.transaction(async (sql) => {
    await write(sql, 'kept-1')
    await write(sql, 'kept-2')
    return 'done'
  })
  expect(answer).toBe('done')
  expect(await notes('kept-%')).toBe(2)
})

test('what is written in a transaction is seen by nobody else until it is committed', async () => {
  await database.transaction(async (sql) => {
    await write(sql, 'secret')
    expect(await notes('secret')).toBe(0)
  })
  expect(await notes('secret')).toBe(1)
})

test('a transaction whose statement failed never counts as committed, also where the failure was swallowed', async () => {
  const error = await failure(
    database.transaction(async (sql) => {
      await write(sql, 'swallowed')
      await sql.query('select no_such_column').catch(() => undefined)
      return 'looks fine'
    }),
  )
  expect(error).toBeInstanceOf(Error)
  expect(await notes('swallowed')).toBe(0)
})

test('the pool goes on after the server ended its idle connections', async () => {
  const pids = await Promise.all([1, 2, 3].map(() => database.transaction(pidOf)))
  seen.length = 0
  await terminate(pids)
  await eventually(() => seen.length > 0)
  expect(await Promise.all([1, 2, 3, 4].map(() => notes('none')))).toEqual([0, 0, 0, 0])
})

test('a connection ended in the middle of a transaction fails that transaction, and not the process', async () => {
  const error = await failure(
    database.transaction(async (sql) => {
      await write(sql, 'cut')
      await terminate([await pidOf(sql)])
      await write(sql, 'cut again')
    }),
  )
  expect(error).toBeInstanceOf(Error)
  expect(await notes('cut%')).toBe(0)
  expect(await database.transaction(async () => 'works')).toBe('works')
})

test('numbers of int8 are read as numbers, and refused where they would be rounded', async () => {
  const { rows } = await database.query('select 9007199254740991::int8 as n')
  expect(rows).toEqual([{ n: Number.MAX_SAFE_INTEGER }])
  expect(await failure(database.query('select 9007199254740992::int8 as n'))).toBeInstanceOf(RangeError)
})
