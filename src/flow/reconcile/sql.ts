import type { Sql } from '../../platform/postgres.ts'
import type { ReconcileRun } from './reconcile.ts'

export async function insertRun(sql: Sql, run: ReconcileRun): Promise<void> {
  await sql.query(`insert into reconcile_runs (item_id, outcome, drift, report) values ($1, $2, $3, $4)`, [
    run.item_id,
    run.outcome,
    run.drift,
    JSON.stringify(run.report),
  ])
}

/** The latest runs first. */
export async function selectRuns(sql: Sql, max: number): Promise<ReconcileRun[]> {
  const found = await sql.query<ReconcileRun>(
    `select item_id, outcome, drift, report from reconcile_runs order by id desc limit $1`,
    [max],
  )
  return found.rows
}
