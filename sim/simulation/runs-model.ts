import type { ReconcileRun, RunStore } from '../../src/flow/reconcile/reconcile.ts'
import { runOn, type Transaction } from './postgres-model.ts'

export const RUNS = 'reconcile_runs'
type RunRow = ReconcileRun & { readonly started_at: number }

const all = (transaction: Transaction) => transaction.all<RunRow>(RUNS)

/** flow/reconcile/sql.ts on the model. */
export const modelRuns: RunStore = {
  insertRun: (sql, run) =>
    runOn(sql, `note run ${run.item_id} ${run.outcome} ${run.drift}`, (transaction) => {
      const started_at = transaction.now
      transaction.put(RUNS, String(all(transaction).length), { ...run, started_at })
    }),
  selectRuns: (sql, max) => runOn(sql, 'runs', (transaction) => all(transaction).toReversed().slice(0, max)),
  selectLatest: (sql) =>
    runOn(sql, 'latest runs', (transaction) => [
      ...new Map(all(transaction).map((run) => [run.item_id, run])).values(),
    ]),
  // A run of the simulation is over long before a record is old.
  deleteOld: () => Promise.resolve(0),
}
