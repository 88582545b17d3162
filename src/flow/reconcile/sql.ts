import type { ItemId } from '../../contracts/ids.ts'
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

/** A run that is in the records; `started_at` in ms since the epoch. */
export type RecordedRun = ReconcileRun & { readonly started_at: number }
type RunRow = ReconcileRun & { started_at: Date }
const RUN = 'item_id, started_at, outcome, drift, report'
const toRun = (row: RunRow): RecordedRun => ({ ...row, started_at: row.started_at.getTime() })

/** The latest runs first. */
export async function selectRuns(sql: Sql, max: number): Promise<RecordedRun[]> {
  const found = await sql.query<RunRow>(`select ${RUN} from reconcile_runs order by id desc limit $1`, [max])
  return found.rows.map(toRun)
}

/** The latest run of each item, or of one. */
export async function selectLatest(sql: Sql, item?: ItemId): Promise<RecordedRun[]> {
  const found = await sql.query<RunRow>(
    `select distinct on (item_id) ${RUN} from reconcile_runs
     where $1::text is null or item_id = $1 order by item_id, id desc`,
    [item ?? null],
  )
  return found.rows.map(toRun)
}

/** The first run since the last clean one that found something, and the last that repaired something. */
export async function selectTrouble(
  sql: Sql,
  item: ItemId,
): Promise<{ since: number | null; repaired: RecordedRun | undefined }> {
  const first = await sql.query<{ since: Date | null }>(
    `select min(started_at) as since from reconcile_runs
     where item_id = $1 and outcome not in ('clean', 'in_motion') and id >
       coalesce((select max(id) from reconcile_runs where item_id = $1 and outcome = 'clean'), 0)`,
    [item],
  )
  const last = await sql.query<RunRow>(
    `select ${RUN} from reconcile_runs where item_id = $1 and outcome = 'repaired' order by id desc limit 1`,
    [item],
  )
  return { since: first.rows[0]?.since?.getTime() ?? null, repaired: last.rows[0] && toRun(last.rows[0]) }
}

/** Forgets runs that found nothing after `ordinaryS`, and all after `everyS`; the latest of each item stays. */
export async function deleteOld(sql: Sql, ordinaryS: number, everyS: number): Promise<number> {
  const done = await sql.query(
    `delete from reconcile_runs
     where (outcome in ('clean', 'in_motion') and started_at < now() - make_interval(secs => $1)
            or started_at < now() - make_interval(secs => $2))
       and id not in (select max(id) from reconcile_runs group by item_id)`,
    [ordinaryS, everyS],
  )
  return done.rowCount ?? 0
}
