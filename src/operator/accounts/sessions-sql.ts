import type { Role } from '../../contracts/operators.ts'
import type { Sql } from '../../platform/postgres.ts'
import type { OperatorRow } from './accounts-sql.ts'

/** A row of `operator_sessions` with what its account is now. */
export interface SessionRow {
  readonly operator: string
  readonly role: Role
  readonly totp: boolean
  readonly started_at: Date
  readonly used_at: Date
}

/** False where the account has been disabled, or given another password, since it was read. */
export async function insertSession(
  sql: Sql,
  token_hash: string,
  { name, password_hash }: OperatorRow,
  now: Date,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `with account as (
       update operators set last_sign_in_at = $4 where name = $2 and password_hash = $3 and not disabled returning name
     )
     insert into operator_sessions (token_hash, operator, started_at, used_at)
     select $1, name, $4, $4 from account`,
    [token_hash, name, password_hash, now],
  )
  return rowCount === 1
}

export async function selectSession(sql: Sql, token_hash: string): Promise<SessionRow | undefined> {
  const found = await sql.query<SessionRow>(
    `select s.operator, o.role, o.totp_secret is not null as totp, s.started_at, s.used_at
     from operator_sessions s join operators o on o.name = s.operator
     where s.token_hash = $1 and not o.disabled`,
    [token_hash],
  )
  return found.rows[0]
}

export async function touchSession(sql: Sql, token_hash: string, now: Date): Promise<void> {
  await sql.query(`update operator_sessions set used_at = $2 where token_hash = $1`, [token_hash, now])
}

export async function deleteSession(sql: Sql, token_hash: string): Promise<void> {
  await sql.query(`delete from operator_sessions where token_hash = $1`, [token_hash])
}

/** All of one person, but for the one that stays. */
export async function deleteSessionsOf(sql: Sql, operator: string, but?: string): Promise<void> {
  await sql.query(`delete from operator_sessions where operator = $1 and token_hash is distinct from $2`, [
    operator,
    but ?? null,
  ])
}

/** Those that nobody can use any more. */
export async function deleteSessionsBefore(sql: Sql, started: Date, used: Date): Promise<void> {
  await sql.query(`delete from operator_sessions where started_at <= $1 or used_at <= $2`, [started, used])
}
