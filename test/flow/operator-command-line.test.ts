import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { createPasswords } from '../../src/platform/passwords.ts'
import { withClient } from '../../src/platform/migrate.ts'
import { testDatabases, type TestDatabases } from '../support/postgres.ts'

// The operators' accounts by command line, as whoever sets up a production system makes the first admin.

let databases: TestDatabases
beforeAll(async () => {
  databases = await testDatabases(2)
})
afterAll(() => databases.drop())

const operator = async (args: readonly string[], input = '', env: Record<string, string> = {}) => {
  const { PATH = '', HOME = '' } = process.env
  const started = spawn(process.execPath, ['src/doorbuster.ts', 'operator', ...args], {
    env: { PATH, HOME, DATABASE_URLS: databases.urls.join(), ...env },
  })
  started.stdin.end(input)
  const exit = new Promise<number | null>((resolve) => started.once('close', resolve))
  const [out, err] = await Promise.all([text(started.stdout), text(started.stderr)])
  return { code: await exit, out: out.trim(), err: err.trim() }
}
const hashOf = async (name: string) => {
  const { rows } = await withClient(databases.urls[0] ?? '', (sql) =>
    sql.query<{ password_hash: string }>('select password_hash from operators where name = $1', [name]),
  )
  return rows[0]?.password_hash
}

test('the first admin: a password is made, shown once, and is the one that counts', async () => {
  expect((await operator(['list'])).out).toContain('There are no accounts yet')
  const added = await operator(['add', 'ann', '--role', 'admin', '--reason', 'first of all'])
  const [line, password = ''] = added.out.split('\n')
  expect({ code: added.code, line }).toEqual({ code: 0, line: 'ann, admin, never signed in' })
  expect(await createPasswords().verify(password.replace('password: ', ''), await hashOf('ann'))).toBe(true)
  const log = await withClient(databases.urls[0] ?? '', (sql) => sql.query('select * from audit_log'))
  expect(log.rows).toMatchObject([{ command: 'operator.add', target: 'ann', reason: 'first of all' }])
  expect(String((log.rows[0] as { operator: string }).operator)).toStartWith('command line of ')
})

test('a password from standard input is not shown', async () => {
  const given = await operator(
    ['add', 'bob', '--role', 'viewer', '--password-stdin'],
    'of bob alone, really\n',
  )
  expect(given).toEqual({ code: 0, out: 'bob, viewer, never signed in', err: '' })
  expect(await createPasswords().verify('of bob alone, really', await hashOf('bob'))).toBe(true)
  expect(await operator(['password', 'bob', '--password-stdin'], 'another one of bob')).toMatchObject({
    code: 0,
  })
  expect(await createPasswords().verify('another one of bob', await hashOf('bob'))).toBe(true)
})

test('disable and enable, and a list of all', async () => {
  expect((await operator(['disable', 'bob'])).out).toBe('bob, viewer, disabled, never signed in')
  expect((await operator(['list'])).out.split('\n')).toEqual([
    'ann, admin, never signed in',
    'bob, viewer, disabled, never signed in',
  ])
  expect((await operator(['enable', 'bob'])).out).toBe('bob, viewer, never signed in')
  expect((await operator(['totp-off', 'bob'])).code).toBe(0)
})

test('what can not be done is one line and exit code 1', async () => {
  for (const [args, message, input] of [
    [['add', 'ann'], 'there is an account named ann already'],
    [['add', 'Ann B'], 'a name is a lower-case letter'],
    [['add', 'carl', '--role', 'god'], '--role is one of viewer, operator, admin'],
    [['add', 'carl', '--password-stdin'], 'a password has at least 12 characters', 'short'],
    [['disable', 'ann'], 'ann is the last admin'],
    [['password', 'nobody'], 'there is no account named nobody'],
  ] as const) {
    const { code, out, err } = await operator(args, input)
    expect({ args, code, out }).toEqual({ args, code: 1, out: '' })
    expect(err).toContain(message)
    expect(err.split('\n')).toHaveLength(1)
  }
  const nowhere = await operator(['list'], '', { DATABASE_URLS: '', DATA_DIR: '/no/such/folder' })
  expect(nowhere).toMatchObject({ code: 1, out: '' })
  expect(nowhere.err).toContain('Set DATABASE_URLS')
}, 60_000)
