import { createHash, randomBytes } from 'node:crypto'
import type { Role } from '../../contracts/operators.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Passwords } from '../../platform/passwords.ts'
import type { Database } from '../../platform/postgres.ts'
import { type OperatorRow, selectOperator, spendStep } from './accounts-sql.ts'
import {
  deleteSession,
  deleteSessionsBefore,
  insertSession,
  selectSession,
  touchSession,
} from './sessions-sql.ts'
import type { Limited, SignInLimits } from './sign-in-limits.ts'
import { insertAudit } from '../sql.ts'
import { totpStep } from './totp.ts'

/** Somebody who is signed in, as they are right now. */
export interface Session {
  /** Hash of the cookie: what the session is called on our side. */
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly totp: boolean
  /** Milliseconds; earlier than that only if the account is changed, and not much later if the session is used. */
  readonly expires_at: number
}

export interface Attempt {
  readonly name: string
  readonly password: string
  readonly code?: string | undefined
}

export type SignInOutcome =
  | { readonly kind: 'signed_in'; readonly token: string; readonly session: Session }
  /** Whatever it was. */
  | { readonly kind: 'failed' }
  /** Name and password are right. */
  | { readonly kind: 'code_required' }
  | Limited

export interface Sessions {
  signIn(attempt: Attempt, address: string): Promise<SignInOutcome>
  find(token: string): Promise<Session | undefined>
  end(session: Session): Promise<void>
}

export interface SessionParts {
  readonly database: Database
  readonly passwords: Passwords
  readonly limits: SignInLimits
  readonly clock: Clock
}

export const SESSION_S = 12 * 3600
const IDLE_S = 2 * 3600
/** How exactly it is noted when a session was last used. */
const TOUCH_S = 60

type Refusal = 'unknown_name' | 'wrong_password' | 'disabled' | 'code_missing' | 'wrong_code' | 'used_code'

/** Sessions lie in SQL and are looked up for each request: what changes an account is felt at once. */
export function createSessions({ database, passwords, limits, clock }: SessionParts): Sessions {
  const endOf = ({ started_at, used_at }: { readonly started_at: Date; readonly used_at: Date }) =>
    Math.min(started_at.getTime() + SESSION_S * 1000, used_at.getTime() + IDLE_S * 1000)

  /** Everything is looked at that can be, so that the time it takes tells nothing. */
  const judge = async ({ password, code }: Attempt, row: OperatorRow | undefined, now: number) => {
    const fits = await passwords.verify(password, row?.password_hash)
    if (row === undefined) return 'unknown_name'
    if (!fits) return 'wrong_password'
    if (row.disabled) return 'disabled'
    if (row.totp_secret === null) return undefined
    if (code === undefined) return 'code_missing'
    return totpStep(row.totp_secret, code, now) ?? 'wrong_code'
  }

  const begin = (token: string, row: OperatorRow, step: number | undefined, address: string) =>
    database.transaction(async (sql): Promise<Session | Refusal> => {
      const now = new Date(clock.now())
      if (step !== undefined && !(await spendStep(sql, row.name, step))) return 'used_code'
      await deleteSessionsBefore(
        sql,
        new Date(now.getTime() - SESSION_S * 1000),
        new Date(now.getTime() - IDLE_S * 1000),
      )
      const id = hashOf(token)
      if (!(await insertSession(sql, id, row, now))) return 'wrong_password'
      await insertAudit(sql, entry(row.name, 'session.begin', 'signed in', { address }))
      const { name, role, totp_secret } = row
      return {
        id,
        name,
        role,
        totp: totp_secret !== null,
        expires_at: endOf({ started_at: now, used_at: now }),
      }
    })

  const signIn = async (attempt: Attempt, address: string): Promise<SignInOutcome> => {
    const row = await selectOperator(database, attempt.name)
    const judged = await judge(attempt, row, clock.now())
    const token = randomBytes(32).toString('base64url')
    const outcome =
      row === undefined || typeof judged === 'string' ? judged : await begin(token, row, judged, address)
    if (typeof outcome === 'object') return { kind: 'signed_in', token, session: outcome }
    await insertAudit(database, entry(attempt.name, 'session.refused', String(outcome), { address }))
    return { kind: outcome === 'code_missing' ? 'code_required' : 'failed' }
  }

  return {
    signIn: (attempt, address) =>
      limits.attempt<SignInOutcome>(
        { name: attempt.name, address },
        () => signIn(attempt, address),
        ({ kind }) => kind === 'failed',
      ),
    find: async (token) => {
      const id = hashOf(token)
      const row = await selectSession(database, id)
      const now = clock.now()
      if (row === undefined || endOf(row) <= now) return undefined
      const isNews = now - row.used_at.getTime() >= TOUCH_S * 1000
      if (isNews) await touchSession(database, id, new Date(now))
      const used = isNews ? { ...row, used_at: new Date(now) } : row
      return { id, name: row.operator, role: row.role, totp: row.totp, expires_at: endOf(used) }
    },
    end: async ({ id, name }) => {
      await insertAudit(database, entry(name, 'session.end', 'signed out'))
      await deleteSession(database, id)
    },
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Of the audit log; whoever tried is named as they named themselves. */
const entry = (operator: string, command: string, reason: string, detail: Record<string, unknown> = {}) => ({
  ...{ operator, command, target: operator, reason, detail },
})
