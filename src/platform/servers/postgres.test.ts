import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolder, removeFolder } from '../../../test/setup/started.ts'
import { withClient } from '../migrate.ts'
import { commandLine, isRunning, untilGone } from './os-process.ts'
import { movedTo } from './postgres-home.ts'
import { type PostgresServer, removePostgres, startPostgres } from './postgres.ts'

let root: string
let dir: string
let server: PostgresServer | undefined
beforeEach(async () => {
  root = await openFolder()
  dir = join(root, 'postgres')
})
afterEach(async () => {
  await server?.stop()
  await removePostgres(dir)
  await removeFolder(root)
})

const show = (setting: string) =>
  withClient(server?.urls[0] ?? '', async (sql) => {
    const { rows } = await sql.query<Record<string, string>>(`SHOW ${setting}`)
    return rows[0]?.[setting]
  })

describe('startPostgres', () => {
  test('makes the databases asked for, durable and on loopback only; a second start finds their data', async () => {
    server = await startPostgres({ dir, databases: ['one', 'two'] })
    expect(server.urls.map((url) => new URL(url).pathname)).toEqual(['/one', '/two'])
    expect(await show('synchronous_commit')).toBe('on')
    expect(await show('fsync')).toBe('on')
    expect(await show('listen_addresses')).toBe('127.0.0.1')
    expect(await show('max_connections')).toBe('200')
    await withClient(server.urls[1] ?? '', (sql) => sql.query('CREATE TABLE kept AS SELECT 42 AS n'))
    await server.stop()
    expect(isRunning(server.pid)).toBe(false)

    server = await startPostgres({ dir, databases: ['two', 'three'] })
    expect(
      await withClient(
        server.urls[0] ?? '',
        async (sql) => (await sql.query<{ n: number }>('TABLE kept')).rows,
      ),
    ).toEqual([{ n: 42 }])
  }, 30_000)

  test('asks for the password', async () => {
    server = await startPostgres({ dir, databases: ['one'] })
    const url = new URL(server.urls[0] ?? '')
    url.password = 'guess'
    expect(withClient(url.href, (sql) => sql.query('SELECT 1'))).rejects.toThrow(
      /password authentication failed/,
    )
  }, 30_000)

  test('stops a server left over from a crash first, also one whose parent alone was killed', async () => {
    const leftover = await startPostgres({ dir, databases: ['one'] })
    const lines: string[] = []
    server = await startPostgres({ dir, databases: ['one'], log: (line) => lines.push(line) })
    expect(isRunning(leftover.pid)).toBe(false)
    expect(lines).toEqual([`Stopping PostgreSQL (pid ${leftover.pid}), left over from an earlier run`])

    process.kill(server.pid, 'SIGKILL') // its own children are there for a moment longer
    await untilGone(server.pid, 2000)
    server = await startPostgres({ dir, databases: ['one'] })
    expect(await show('port')).toBe(new URL(server.urls[0] ?? '').port)
  }, 30_000)

  test('starts over after an initdb that was cut short', async () => {
    await Bun.write(join(dir, 'data.partial/PG_VERSION'), '18')
    server = await startPostgres({ dir, databases: ['one'] })
    expect(await show('port')).toBeString()
  }, 30_000)
})

describe('in a folder that only its owner may enter', () => {
  const isRoot = process.getuid?.() === 0

  test('it starts, keeps its data where its user can, says so, and removes them from there', async () => {
    const locked = await mkdtemp(join(tmpdir(), 'doorbuster-locked-')) // 0700
    const folder = join(locked, 'postgres')
    const lines: string[] = []
    server = await startPostgres({ dir: folder, databases: ['one'], log: (line) => lines.push(line) })
    const moved = movedTo(folder)
    // Only root has to be another user; anybody else is the server's user and enters their own folder.
    expect(moved !== undefined).toBe(isRoot)
    const data = join(moved ?? folder, 'data')
    expect(commandLine(server.pid)).toContain(data)
    expect(statSync(data).uid === 0).toBe(false)
    expect(lines).toHaveLength(isRoot ? 1 : 0)
    await withClient(server.urls[0] ?? '', (sql) => sql.query('CREATE TABLE kept AS SELECT 42 AS n'))
    await server.stop()

    server = await startPostgres({ dir: folder, databases: ['one'] })
    expect(
      await withClient(server.urls[0] ?? '', async (sql) => (await sql.query('TABLE kept')).rowCount),
    ).toBe(1)
    await removePostgres(folder)
    expect(isRunning(server.pid)).toBe(false)
    expect(existsSync(data)).toBe(false)
    await removeFolder(locked)
  }, 30_000)
})
