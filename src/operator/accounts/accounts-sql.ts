import type { Role } from '../../contracts/operators.ts'
import type { Sql } from '../../platform/postgres.ts'

/** A row of `operators`. */
export interface OperatorRow {
  readonly name: string
  readonly role: Role
  readonly password_hash: string
  readonly totp_secret: string | null
  readonly totp_offered: string | null
  readonly disabled: boolean
  readonly created_at: Date
  readonly last_sign_in_at: Date | null
}

const COLUMNS = 'name, role, password_hash, totp_secret, totp_offered, disabled, created_at, last_sign_in_at'

export async function selectOperators(sql: Sql): Promise<OperatorRow[]> {
  return (await sql.query<OperatorRow>(`select ${COLUMNS} from operators order by name`)).rows
}

export async function selectOperator(sql: Sql, name: string): Promise<OperatorRow | undefined> {
  const found = await sql.query<OperatorRow>(`select ${COLUMNS} from operators where name = $1`, [name])
  return found.rows[0]
}

/** False where there is one of this name. */
export async function insertOperator(
  sql: Sql,
  { name, role, password_hash }: Pick<OperatorRow, 'name' | 'role' | 'password_hash'>,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `insert into operators (name, role, password_hash) values ($1, $2, $3) on conflict do nothing`,
    [name, role, password_hash],
  )
  return rowCount === 1
}

/** Holds up whoever else is about to change an admin. The names of those who are not disabled. */
export async function lockAdmins(sql: Sql): Promise<string[]> {
  const found = await sql.query<{ name: string }>(
    `select name from operators where role = 'admin' and not disabled order by name for update`,
  )
  return found.rows.map(({ name }) => name)
}

type Change = Partial<
  Pick<OperatorRow, 'role' | 'disabled' | 'password_hash' | 'totp_secret' | 'totp_offered'>
>

/** Columns that are left out stay. False where there is none of this name. */
export async function updateOperator(sql: Sql, name: string, change: Change): Promise<boolean> {
  const columns = (['role', 'disabled', 'password_hash', 'totp_secret', 'totp_offered'] as const).filter(
    (column) => change[column] !== undefined,
  )
  const sets = columns.map((column, index) => `${column} = $${index + 2}`).join(', ')
  const values = columns.map((column) => change[column])
  const { rowCount } = await sql.query(`update operators set ${sets} where name = $1`, [name, ...values])
  return rowCount === 1
}

/** False where a code of this step, or of a later one, was used before. */
export async function spendStep(sql: Sql, name: string, step: number): Promise<boolean> {
  const { rowCount } = await sql.query(
    `update operators set totp_step = $2 where name = $1 and coalesce(totp_step, 0) < $2`,
    [name, step],
  )
  return rowCount === 1
}
