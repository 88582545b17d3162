import type { Role } from '../../contracts/operators.ts'
import type { Passwords } from '../../platform/passwords.ts'
import type { Database } from '../../platform/postgres.ts'
import {
  insertOperator,
  lockAdmins,
  type OperatorRow,
  selectOperator,
  selectOperators,
  updateOperator,
} from './accounts-sql.ts'
import type { Authority } from '../commands.ts'
import { deleteSessionsOf } from './sessions-sql.ts'
import { insertAudit } from '../sql.ts'

/** An account as others may see it. Times are milliseconds since the epoch. */
export interface Account {
  readonly name: string
  readonly role: Role
  readonly totp: boolean
  readonly disabled: boolean
  readonly created_at: number
  readonly last_sign_in_at: number | null
}

export interface NewAccount {
  readonly name: string
  readonly role: Role
  readonly password: string
}

/** What is left out stays. */
export interface AccountChange {
  readonly role?: Role | undefined
  readonly disabled?: boolean | undefined
  readonly password?: string | undefined
  /** Its owner has lost the authenticator app. */
  readonly totp?: false | undefined
}

/** The operators' accounts. A change of role, password or disabled ends the sessions of the account. */
export interface Accounts {
  list(): Promise<Account[]>
  add(by: Authority, account: NewAccount): Promise<Account | 'exists'>
  /** `last_admin`: somebody must be left who can manage accounts; nothing was changed. */
  change(by: Authority, name: string, change: AccountChange): Promise<Account | 'unknown' | 'last_admin'>
  /** Whether somebody could sign in with it. */
  fits(name: string, password: string): Promise<boolean>
}

export interface AccountParts {
  readonly database: Database
  readonly passwords: Passwords
}

export function createAccounts({ database, passwords }: AccountParts): Accounts {
  return {
    list: async () => (await selectOperators(database)).map(toAccount),
    add: async (by, { name, role, password }) => {
      const password_hash = await passwords.hash(password)
      return database.transaction(async (sql) => {
        if (!(await insertOperator(sql, { name, role, password_hash }))) return 'exists'
        await insertAudit(sql, { ...by, command: 'operator.add', target: name, detail: { role } })
        return toAccount(await selectOperator(sql, name))
      })
    },
    change: async (by, name, { role, disabled, password, totp }) => {
      const password_hash = password === undefined ? undefined : await passwords.hash(password)
      return database.transaction(async (sql) => {
        const admins = await lockAdmins(sql)
        const before = await selectOperator(sql, name)
        if (before === undefined) return 'unknown'
        const staysAdmin = (role ?? before.role) === 'admin' && !(disabled ?? before.disabled)
        if (!staysAdmin && admins.length === 1 && admins[0] === name) return 'last_admin'
        // No password, and no hash of one: the audit log is for many eyes.
        const detail = { role, disabled, totp, ...(password === undefined ? {} : { password: 'changed' }) }
        await insertAudit(sql, { ...by, command: 'operator.change', target: name, detail })
        await updateOperator(sql, name, {
          ...(role === undefined ? {} : { role }),
          ...(disabled === undefined ? {} : { disabled }),
          ...(password_hash === undefined ? {} : { password_hash }),
          ...(totp === undefined ? {} : { totp_secret: null, totp_offered: null }),
        })
        if (role !== undefined || disabled !== undefined || password !== undefined)
          await deleteSessionsOf(sql, name)
        return toAccount(await selectOperator(sql, name))
      })
    },
    fits: async (name, password) => {
      const row = await selectOperator(database, name)
      return (await passwords.verify(password, row?.password_hash)) && row?.disabled === false
    },
  }
}

function toAccount(row: OperatorRow | undefined): Account {
  if (row === undefined) throw new Error('an account is gone that was just written')
  const { name, role, totp_secret, disabled, created_at, last_sign_in_at } = row
  return {
    ...{ name, role, totp: totp_secret !== null, disabled },
    created_at: created_at.getTime(),
    last_sign_in_at: last_sign_in_at?.getTime() ?? null,
  }
}
