import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSecrets } from '../../platform/servers/data-dir.ts'
import { testDatabases, type TestDatabases } from '../../../test/support/postgres.ts'
import { withAccounts } from './account-commands.ts'
import { firstAdmin } from './first-admin.ts'

let databases: TestDatabases
let dataDir: string
const said: string[] = []
beforeAll(async () => {
  databases = await testDatabases(1)
  dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-first-admin-'))
})
afterAll(async () => {
  await databases.drop()
  await rm(dataDir, { recursive: true, force: true })
})
const url = () => databases.urls[0] ?? ''
const start = (env = {}) => firstAdmin(url(), { dataDir, env, print: (line) => said.push(line) })
const by = { operator: 'test', reason: 'a test' }

test('the first start makes an admin with a password of its own, and each start shows it again', async () => {
  const account = await start()
  expect(account).toEqual({ name: 'admin', password: readSecrets(dataDir)['ADMIN_PASSWORD'] ?? '' })
  expect(account?.password).toMatch(/^[\w-]{20}$/)
  expect(await start()).toEqual(account)
  expect(said).toEqual([])
  const all = await withAccounts(url(), (accounts) => accounts.list())
  expect(all).toMatchObject([{ name: 'admin', role: 'admin', disabled: false }])
})

test('a password that its owner has changed, or an account that is closed, is not shown', async () => {
  await withAccounts(url(), (accounts) => accounts.change(by, 'admin', { password: 'of its owner' }))
  expect(await start()).toBeUndefined()
  const password = readSecrets(dataDir)['ADMIN_PASSWORD'] ?? ''
  await withAccounts(url(), async (accounts) => {
    await accounts.add(by, { name: 'ann', role: 'admin', password })
    await accounts.change(by, 'admin', { password, disabled: true })
  })
  expect(await start()).toBeUndefined()
})

test('in databases of somebody else it says so', async () => {
  const theirs = await testDatabases(1)
  const env = { DATABASE_URLS: theirs.urls.join() }
  await firstAdmin(theirs.urls[0], { dataDir, env, print: (line) => said.push(line) })
  expect(said).toHaveLength(1)
  expect(said[0]).toContain('`admin` was added')
  expect(said[0]).not.toContain(readSecrets(dataDir)['ADMIN_PASSWORD'])
  await theirs.drop()
})
