import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { withClient } from '../../src/platform/migrate.ts'
import { testDatabases, type TestDatabases } from '../support/postgres.ts'

// A database is added, and takes its share, by command line.

let databases: TestDatabases
beforeAll(async () => {
  databases = await testDatabases(3)
})
afterAll(() => databases.drop())

async function doorbuster(count: number, ...args: readonly string[]) {
  const { PATH = '', HOME = '' } = process.env
  const started = spawn(process.execPath, ['src/doorbuster.ts', ...args], {
    env: { PATH, HOME, DATABASE_URLS: databases.urls.slice(0, count).join() },
  })
  const exit = new Promise<number | null>((resolve) => started.once('close', resolve))
  const [out, err] = await Promise.all([text(started.stdout), text(started.stderr)])
  return { code: await exit, lines: out.trim().split('\n'), err: err.trim() }
}
const shares = async (count: number) =>
  (await doorbuster(count, 'shards', 'list')).lines.map((line) => line.replace(/ \(.*\):/, ':'))

test('list, move, and what can not be', async () => {
  expect((await doorbuster(2, 'shards', 'list')).err).toContain('There is no shard map yet')
  expect((await doorbuster(2, 'migrate')).code).toBe(0)
  expect(await shares(2)).toEqual([
    'server 0: 128 logical shards, 0 orders',
    'server 1: 128 logical shards, 0 orders',
  ])
  expect((await doorbuster(3, 'migrate')).code).toBe(0)
  expect((await shares(3))[2]).toBe('server 2: 0 logical shards, 0 orders')
  for (const [args, why] of [
    [['move', '--to', '2'], 'Say how many with --count, or which with --logical'],
    [['move', '--to', '7', '--count', '1'], '--to is one of the servers 0, 1, 2'],
    [['move', '--to', '2', '--logical', '256'], '--logical: numbers from 0 to 255'],
    [['move', '--to', '2', '--count', 'x'], '--count is a whole number'],
    [['balance', '--without', '0'], 'Server 0 keeps the catalogue'],
  ] as const) {
    const refused = await doorbuster(3, 'shards', ...args)
    expect({ code: refused.code, err: refused.err }).toEqual({
      code: 1,
      err: expect.stringContaining(why) as string,
    })
  }
  // Whose address is not given can not be moved to, and nothing is lost by trying.
  expect((await doorbuster(2, 'shards', 'move', '--to', '2', '--count', '1')).err).toContain(
    'Server 2 is not among',
  )
  const moved = await doorbuster(
    3,
    'shards',
    'move',
    '--to',
    '2',
    '--logical',
    '7,130-131',
    '--reason',
    'why not',
  )
  expect(moved.lines.at(-1)).toMatch(/^3 logical shards and 0 rows moved; longest fence [\d.]+ ms$/)
  expect((await shares(3)).map((line) => /\d+ logical/.exec(line)?.[0])).toEqual([
    '127 logical',
    '126 logical',
    '3 logical',
  ])
  const again = await doorbuster(3, 'shards', 'move', '--to', '2', '--logical', '7,130-131')
  expect(again.lines).toEqual(['Nothing has to be moved'])
  const log = await withClient(databases.urls[0] ?? '', (sql) =>
    sql.query('select command, target, reason, detail from audit_log order by id limit 1'),
  )
  expect(log.rows).toEqual([
    { command: 'shards.move', target: 'server 2', reason: 'why not', detail: { logical: [7, 130, 131] } },
  ])
  // Without it nobody starts any more.
  expect((await doorbuster(2, 'migrate')).err).toContain(
    'Server 2, which holds 3 logical shards, is not among',
  )
}, 60_000)
