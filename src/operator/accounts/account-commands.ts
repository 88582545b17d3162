import { userInfo } from 'node:os'
import { text } from 'node:stream/consumers'
import {
  OPERATOR_NAME,
  OPERATOR_NAME_RULE,
  ROLES,
  type Role,
  unfitPassword,
} from '../../contracts/operators.ts'
import type { Env } from '../../platform/config.ts'
import { SettingError } from '../../platform/errors.ts'
import { createPasswords, newPassword } from '../../platform/passwords.ts'
import { connectDatabase } from '../../platform/postgres.ts'
import { readRunFile } from '../../platform/servers/data-dir.ts'
import type { AccountUsage } from './account-flags.ts'
import { type Account, type AccountChange, type Accounts, createAccounts } from './accounts.ts'
import type { Authority } from '../commands.ts'

interface Options {
  readonly dataDir: string
  readonly reason?: string
  readonly role?: string
  readonly passwordStdin?: boolean
}

/** Works on the accounts of the first database: whoever may write there may do this. */
export async function withAccounts<T>(
  databaseUrl: string,
  work: (accounts: Accounts) => Promise<T>,
): Promise<T> {
  const database = connectDatabase(databaseUrl, { max: 1 })
  try {
    return await work(createAccounts({ database, passwords: createPasswords() }))
  } finally {
    await database.close()
  }
}

/**
 * Carries out a command about accounts; answers what to print. `given`: what commander hands over, the arguments and then
 * the options. Throws SettingError for whatever the caller can put right.
 */
export async function accountLines(
  usage: AccountUsage,
  given: readonly unknown[],
  env: Env,
): Promise<string[]> {
  const options = given.find((one) => typeof one === 'object' && one !== null && 'dataDir' in one) as Options
  const name = typeof given[0] === 'string' ? given[0] : ''
  return withAccounts(firstDatabase(options.dataDir, env), (accounts) => run(accounts, usage, name, options))
}

async function run(
  accounts: Accounts,
  usage: AccountUsage,
  name: string,
  options: Options,
): Promise<string[]> {
  const by: Authority = {
    operator: `command line of ${userInfo().username}`,
    reason: options.reason ?? 'by command line',
  }
  const change = async (wanted: AccountChange, ...more: string[]) => {
    const outcome = await accounts.change(by, name, wanted)
    if (outcome === 'unknown') throw new SettingError(`there is no account named ${name}`)
    if (outcome === 'last_admin')
      throw new SettingError(`${name} is the last admin: make somebody else one first`)
    return [lineOf(outcome), ...more]
  }
  switch (usage) {
    case 'list': {
      const all = await accounts.list()
      return all.length === 0
        ? ['There are no accounts yet: `operator add <name> --role admin`.']
        : all.map(lineOf)
    }
    case 'add <name>': {
      if (!OPERATOR_NAME.test(name)) throw new SettingError(`a name is ${OPERATOR_NAME_RULE}`)
      const role = readRole(options.role)
      const { password, shown } = await choosePassword(name, options)
      const added = await accounts.add(by, { name, role, password })
      if (added === 'exists') throw new SettingError(`there is an account named ${name} already`)
      return [lineOf(added), ...shown]
    }
    case 'password <name>': {
      const { password, shown } = await choosePassword(name, options)
      return change({ password }, ...shown)
    }
    case 'disable <name>':
      return change({ disabled: true })
    case 'enable <name>':
      return change({ disabled: false })
    case 'totp-off <name>':
      return change({ totp: false })
  }
}

function lineOf({ name, role, disabled, totp, last_sign_in_at }: Account): string {
  const seen =
    last_sign_in_at === null ? 'never signed in' : `last signed in ${new Date(last_sign_in_at).toISOString()}`
  return [name, role, ...(disabled ? ['disabled'] : []), ...(totp ? ['authenticator app'] : []), seen].join(
    ', ',
  )
}

/** `shown`: what its owner has to be told. */
async function choosePassword(
  name: string,
  { passwordStdin }: Options,
): Promise<{ password: string; shown: string[] }> {
  if (!passwordStdin) {
    const password = newPassword()
    return { password, shown: [`password: ${password}`, 'It is not shown again.'] }
  }
  const password = (await text(process.stdin)).replace(/\r?\n$/, '')
  const unfit = unfitPassword(name, password)
  if (unfit !== undefined) throw new SettingError(unfit)
  return { password, shown: [] }
}

function readRole(role: string | undefined): Role {
  const known = ROLES.find((one) => one === role)
  if (known === undefined) throw new SettingError(`--role is one of ${ROLES.join(', ')}`)
  return known
}

function firstDatabase(dataDir: string, env: Env): string {
  const [url] = (env['DATABASE_URLS'] ?? '').split(',').filter(Boolean)
  const found = url?.trim() ?? readRunFile(dataDir)?.database_urls[0]
  if (found === undefined)
    throw new SettingError(
      'Set DATABASE_URLS, or start Doorbuster with `npm start`: accounts lie in its first database',
    )
  return found
}
