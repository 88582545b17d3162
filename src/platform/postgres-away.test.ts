import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { eventually } from '../../test/support/stripe.ts'
import { ownPostgres, type OwnPostgres } from '../../test/support/postgres.ts'
import { withUrgency } from './deadline.ts'
import { isConnectionError, Overloaded } from './errors.ts'
import { connectDatabase, type Database, type PoolOptions } from './postgres.ts'

// A server that is away, hangs, or has more to do than it can: a real one, for these tests alone.

setDefaultTimeout(30_000)
let server: OwnPostgres
beforeAll(async () => void (server = await ownPostgres()), 120_000)
afterAll(() => server.stop(), 120_000)

const open: Database[] = []
afterAll(() => Promise.all(open.map((database) => database.close())), 120_000)
const connect = (options: PoolOptions = {}) => {
  const database = connectDatabase(server.url, options)
  open.push(database)
  return database
}
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )
const request = <T>(ms: number, sheddable: boolean, work: () => Promise<T>) =>
  withUrgency({ until: performance.now() + ms, sheddable }, work)

/** Keeps all connections at work until it is told to let go. */
function occupy(database: Database, connections: number) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const held = Array.from({ length: connections }, () => database.transaction(() => promise))
  return async () => {
    resolve()
    await Promise.all(held)
  }
}

test('only so many wait for a connection: the next is refused at once, what may be shed after half of them', async () => {
  const database = connect({ max: 2, maxWaiting: 8, connectTimeoutMs: 10_000 })
  const letGo = occupy(database, 2)
  await Bun.sleep(50)
  const waiting = Array.from({ length: 4 }, () => database.query('select 1'))
  expect(await errorOf(request(5000, true, () => database.query('select 1')))).toBeInstanceOf(Overloaded)
  waiting.push(...Array.from({ length: 4 }, () => request(5000, false, () => database.query('select 1'))))
  expect(await errorOf(request(5000, false, () => database.query('select 1')))).toBeInstanceOf(Overloaded)
  await letGo()
  for (const { rowCount } of await Promise.all(waiting)) expect(rowCount).toBe(1)
  expect((await database.query('select 1')).rowCount).toBe(1)
})

test('whoever waits for a connection does so no longer than its request; one that is late does not begin', async () => {
  const database = connect({ max: 1 })
  const letGo = occupy(database, 1)
  await Bun.sleep(50)
  const started = performance.now()
  expect(await errorOf(request(100, false, () => database.query('select 1')))).toBeInstanceOf(Overloaded)
  expect(performance.now() - started).toBeLessThan(1500)
  expect(await errorOf(request(-1, false, () => database.query('select 1')))).toBeInstanceOf(Overloaded)
  await letGo()
  // The connection that came too late for its caller went back to the others.
  expect((await database.query('select 1')).rowCount).toBe(1)
})

test('a pool at work is no server that is away: the circuit stays closed', async () => {
  const changes: string[] = []
  const database = connect({ max: 1, connectTimeoutMs: 500, onChange: (state) => changes.push(state) })
  const letGo = occupy(database, 1)
  await Bun.sleep(50)
  // More than it takes to open the circuit.
  for (let attempt = 0; attempt < 8; attempt += 1)
    expect(await errorOf(database.query('select 1'))).toBeInstanceOf(Overloaded)
  await letGo()
  expect((await database.query('select 1')).rowCount).toBe(1)
  expect(changes).toEqual([])
})

test('a statement the server refuses costs no connection', async () => {
  const database = connect({ max: 1 })
  const pid = async () => (await database.query('select pg_backend_pid() as pid')).rows[0]
  const before = await pid()
  expect(await errorOf(database.query('select no_such_column'))).toMatchObject({ code: '42703' })
  expect(await errorOf(database.transaction((sql) => sql.query('select 1/0')))).toMatchObject({
    code: '22012',
  })
  expect(await pid()).toEqual(before)
})

test('a server that is gone is not asked again and again; it is found again when it is back', async () => {
  const changes: string[] = []
  const database = connect({ onChange: (state) => changes.push(state) })
  expect((await database.query('select 1')).rowCount).toBe(1)
  await server.crash()
  for (let attempt = 0; attempt < 6; attempt += 1)
    expect(isConnectionError(await errorOf(database.query('select 1')))).toBe(true)
  expect(changes).toEqual(['open'])
  const started = performance.now()
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const error = await errorOf(database.query('select 1'))
    expect([String(error), isConnectionError(error)]).toEqual([String(error), true])
  }
  expect(performance.now() - started).toBeLessThan(3000)
  await server.restart()
  await eventually(async () => (await errorOf(database.query('select 1'))) === undefined)
  expect(changes.at(-1)).toBe('closed')
})

test('a server that hangs: statements end by themselves, then nobody waits for it; thawed, it serves again', async () => {
  const database = connect({ max: 2, statementTimeoutMs: 100, connectTimeoutMs: 200 })
  await Promise.all([1, 2].map(() => database.query('select 1')))
  server.freeze()
  for (let attempt = 0; attempt < 3; attempt += 1)
    await Promise.all([1, 2].map(() => errorOf(database.query('select 1'))))
  const started = performance.now()
  const errors = await Promise.all(Array.from({ length: 100 }, () => errorOf(database.query('select 1'))))
  const took = performance.now() - started
  server.thaw()
  expect(errors.every(isConnectionError)).toBe(true)
  expect(took).toBeLessThan(2000)
  await eventually(async () => (await errorOf(database.query('select 1'))) === undefined)
})

test('killed while it commits: the outcome is unknown, and reading it tells', async () => {
  const database = connect()
  await database.query('create table if not exists notes (text text primary key)')
  for (let round = 0; round < 3; round += 1) {
    const texts = Array.from({ length: 40 }, (_, n) => `${round}-${n}`)
    const writing = texts.map((text) =>
      errorOf(database.transaction((sql) => sql.query('insert into notes values ($1)', [text]))),
    )
    await Promise.race(writing)
    await server.crash()
    const errors = await Promise.all(writing)
    await server.restart()
    await eventually(async () => (await errorOf(database.query('select 1'))) === undefined)
    const found = await database.query<{ text: string }>('select text from notes where text like $1', [
      `${round}-%`,
    ])
    const kept = new Set(found.rows.map(({ text }) => text))
    // What was said to be committed is; of what failed, some may be there all the same.
    texts.forEach(
      (text, n) => errors[n] === undefined && expect([text, kept.has(text)]).toEqual([text, true]),
    )
    expect(errors.some(isConnectionError)).toBe(true)
  }
})
