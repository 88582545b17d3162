import { afterEach, beforeEach, expect, test } from 'bun:test'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openFolder, removeFolder } from '../../test/setup/started.ts'
import { testDatabases, type TestDatabases } from '../../test/support/postgres.ts'
import { migrate, withClient } from './migrate.ts'

let folder: string
let databases: TestDatabases
let urls: string[]
beforeEach(async () => {
  folder = await openFolder()
  databases = await testDatabases()
  urls = databases.urls
  // Back to before the first migration.
  for (const url of urls)
    await withClient(url, (sql) => sql.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'))
  await write('0001_first.sql', 'CREATE TABLE first (n integer); CREATE TABLE other (n integer)')
})
afterEach(async () => {
  await databases.drop()
  await removeFolder(folder)
})

const write = (name: string, sql: string) => writeFile(join(folder, name), sql)
const tables = (url = urls[0] ?? '') =>
  withClient(url, async (sql) => {
    const { rows } = await sql.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    )
    return rows.map((row) => row.name)
  })

test('new files are applied to every database, once and in order', async () => {
  await migrate(urls, folder)
  await write('0002_second.sql', 'ALTER TABLE first RENAME TO second')
  await migrate(urls, folder)
  await migrate(urls, folder)
  for (const url of urls) expect(await tables(url)).toEqual(['other', 'schema_migrations', 'second'])
})

test('several at once apply each file once', async () => {
  await Promise.all(Array.from({ length: 4 }, () => migrate(urls, folder)))
  expect(await tables()).toEqual(['first', 'other', 'schema_migrations'])
})

test('a file that fails leaves nothing behind and is named', async () => {
  await write('0002_broken.sql', 'CREATE TABLE half (n integer); SELECT 1/0')
  expect(migrate(urls, folder)).rejects.toThrow('Migration 0002_broken.sql failed')
  await migrate(urls, folder).catch(() => undefined)
  expect(await tables()).toEqual(['first', 'other', 'schema_migrations'])
})

test('an altered file, a newer database and a gap are refused', async () => {
  await write('0002_second.sql', 'SELECT 1')
  await migrate(urls, folder)
  await write('0002_second.sql', 'SELECT 2')
  expect(migrate(urls, folder)).rejects.toThrow(/0002_second.sql of database .* was altered/)
  await rm(join(folder, '0002_second.sql'))
  expect(migrate(urls, folder)).rejects.toThrow(/0002_second.sql, newer than this program/)
  await write('0003_third.sql', 'SELECT 3')
  expect(migrate(urls, folder)).rejects.toThrow(/expected 0002_name.sql/)
})

test('a server that does not answer is told without the password', async () => {
  expect(migrate(['postgres://someone:secret@127.0.0.1:1/none'], folder)).rejects.toThrow(
    /^No connection to PostgreSQL at 127.0.0.1:1: (?!.*secret)/,
  )
})
