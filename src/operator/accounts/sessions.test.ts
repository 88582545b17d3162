import { afterAll, beforeAll, expect, test } from 'bun:test'
import { systemClock } from '../../platform/clock.ts'
import type { Passwords } from '../../platform/passwords.ts'
import { connectDatabase, type Database } from '../../platform/postgres.ts'
import { testDatabases, type TestDatabases } from '../../../test/support/postgres.ts'
import { type Accounts, createAccounts } from './accounts.ts'
import { createSessions, type Sessions } from './sessions.ts'
import type { SignInLimits } from './sign-in-limits.ts'

/** What was asked of the passwords and of the limits, in order. */
let asked: unknown[] = []
let onVerify: () => Promise<unknown> = () => Promise.resolve()
const passwords: Passwords = {
  hash: (password) => Promise.resolve(`hash ${password}`),
  verify: async (password, hash) => {
    asked.push(['verify', hash])
    await onVerify()
    return hash === `hash ${password}`
  },
}
const limits: SignInLimits = {
  attempt: async (who, work, failed) => {
    asked.push(['begin', who.name, who.address])
    if (who.name === 'too-often') return { kind: 'limited', retry_after_s: 17 }
    const outcome = await work()
    asked.push(failed(outcome) ? 'counts' : 'does not count')
    return outcome
  },
}
const by = { operator: 'test', reason: 'a test' }

let databases: TestDatabases
let database: Database
let accounts: Accounts
let sessions: Sessions
beforeAll(async () => {
  databases = await testDatabases(1)
  database = connectDatabase(databases.urls[0] ?? '')
  accounts = createAccounts({ database, passwords })
  sessions = createSessions({ database, passwords, limits, clock: systemClock })
  await accounts.add(by, { name: 'ann', role: 'admin', password: 'of ann' })
  await accounts.add(by, { name: 'off', role: 'viewer', password: 'of off' })
  await accounts.change(by, 'off', { disabled: true })
})
afterAll(async () => {
  await database.close()
  await databases.drop()
})
const attempt = async (name: string, password: string) => {
  asked = []
  const { kind } = await sessions.signIn({ name, password }, 'here')
  return { kind, asked }
}

test('every attempt is counted first and costs one check of a password, whoever it is', async () => {
  for (const [name, password, hash, kind, count] of [
    ['nobody', 'a guess', undefined, 'failed', 'counts'],
    ['ann', 'a guess', 'hash of ann', 'failed', 'counts'],
    ['off', 'of off', 'hash of off', 'failed', 'counts'],
    ['ann', 'of ann', 'hash of ann', 'signed_in', 'does not count'],
  ] as const)
    expect(await attempt(name, password)).toEqual({
      kind,
      asked: [['begin', name, 'here'], ['verify', hash], count],
    })
})

test('where there were too many nothing is looked at', async () => {
  expect(await attempt('too-often', 'a guess')).toEqual({
    kind: 'limited',
    asked: [['begin', 'too-often', 'here']],
  })
})

test('whoever loses the account while the password is checked is not let in', async () => {
  await accounts.add(by, { name: 'bob', role: 'viewer', password: 'of bob' })
  onVerify = () => accounts.change(by, 'bob', { disabled: true })
  expect(await attempt('bob', 'of bob')).toMatchObject({ kind: 'failed' })
  await accounts.change(by, 'bob', { disabled: false })
  onVerify = () => accounts.change(by, 'bob', { password: 'a new one' })
  expect(await attempt('bob', 'of bob')).toMatchObject({ kind: 'failed' })
  onVerify = () => Promise.resolve()
  expect(await attempt('bob', 'a new one')).toMatchObject({ kind: 'signed_in' })
})
