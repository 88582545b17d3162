import type { Sql } from '../platform/postgres.ts'

export interface AuditEntry {
  readonly operator: string
  readonly command: string
  readonly target: string
  readonly reason: string
  readonly detail: Record<string, unknown>
}

export async function insertAudit(sql: Sql, entry: AuditEntry): Promise<void> {
  await sql.query(
    `insert into audit_log (operator, command, target, reason, detail) values ($1, $2, $3, $4, $5)`,
    [entry.operator, entry.command, entry.target, entry.reason, JSON.stringify(entry.detail)],
  )
}

/** The latest entries first; `at` in ms since the epoch. */
export async function selectAudit(sql: Sql, max: number): Promise<(AuditEntry & { at: number })[]> {
  const found = await sql.query<AuditEntry & { at: Date }>(
    `select at, operator, command, target, reason, detail from audit_log order by id desc limit $1`,
    [max],
  )
  return found.rows.map((row) => ({ ...row, at: row.at.getTime() }))
}

/** The latest about any of these, the latest first. */
export async function selectAuditOf(
  sql: Sql,
  targets: readonly string[],
  max: number,
): Promise<(AuditEntry & { at: number })[]> {
  const found = await sql.query<AuditEntry & { at: Date }>(
    `select at, operator, command, target, reason, detail from audit_log where target = any($1)
     order by id desc limit $2`,
    [targets, max],
  )
  return found.rows.map((row) => ({ ...row, at: row.at.getTime() }))
}
