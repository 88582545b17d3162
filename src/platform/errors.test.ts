import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts'
import { PROBLEMS, type ProblemCode } from '../contracts/problems.ts'
import { isConnectionError, Problem } from './errors.ts'
import { connectDatabase } from './postgres.ts'
import { connectRedis } from './redis.ts'

let server: TestRedis
beforeAll(async () => {
  server = await startTestRedis()
})
afterAll(() => server.stop())

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: unknown) => error,
  )

test('a problem tells its code, what happened and what to do', () => {
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    expect(new Problem(code).body()).toEqual({
      ...{ type: `urn:doorbuster:problem:${code}`, code, ...PROBLEMS[code] },
    })
    expect(PROBLEMS[code].status).toBeWithin(400, 504)
  }
  const cause = new Error('why')
  const problem = new Problem('fenced', 'Wait.', { retryAfterS: 2, cause })
  expect(problem.body('request-1')).toMatchObject({ detail: 'Wait.', request_id: 'request-1', status: 503 })
  expect(problem).toMatchObject({ message: 'Wait.', retryAfterS: 2, cause })
})

test('what a Redis that is gone, silent, cut off or refusing gives is a connection error', async () => {
  const impatient = { url: server.url, commandTimeoutMs: 50 }
  const [redis, admin] = [await connectRedis(impatient), await connectRedis({ url: server.url })]
  // Silent: no answer in time.
  await admin.commands.client('PAUSE', 200, 'ALL')
  const silent = await errorOf(redis.commands.set('a', '1'))
  await admin.commands.ping()
  // Cut off while the answer is awaited.
  const blocked = errorOf(admin.commands.blpop('nothing', 0))
  await redis.commands.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  const cut = await blocked
  // Refusing.
  await redis.commands.config('SET', 'maxmemory', '1')
  const full = await errorOf(redis.commands.set('a', '1'))
  await redis.commands.config('SET', 'maxmemory', '0')
  await server.kill9()
  const gone = await errorOf(redis.commands.set('a', '1'))
  const refused = await errorOf(connectRedis({ url: server.url }))
  for (const error of [silent, cut, full, gone, refused])
    expect([String(error), isConnectionError(error)]).toEqual([String(error), true])
  redis.commands.disconnect()
  admin.commands.disconnect()
  await server.restart()
})

test('so is what a PostgreSQL that is not there gives, and a wrong command is not', async () => {
  const database = connectDatabase('postgres://127.0.0.1:1/none')
  expect(isConnectionError(await errorOf(database.query('select 1')))).toBe(true)
  await database.close()
  // 53300: too many connections; 57014: the statement took too long; 23505: a value is there already.
  for (const [code, expected] of [
    ['53300', true],
    ['57014', true],
    ['08006', true],
    ['23505', false],
  ] as const)
    expect([code, isConnectionError(Object.assign(new Error('refused'), { code }))]).toEqual([code, expected])
  const redis = await connectRedis({ url: server.url })
  await redis.commands.set('text', 'x')
  for (const error of [
    await errorOf(redis.commands.hget('text', 'x')),
    new TypeError('x'),
    new Problem('fenced'),
    'x',
  ])
    expect([String(error), isConnectionError(error)]).toEqual([String(error), false])
  await redis.close()
})
