import type { ItemId } from '../../contracts/ids.ts'
import type { Sql } from '../../platform/postgres.ts'
import type { PlannedOrder } from './plan.ts'

export type PlanOutcome = 'done' | 'not_needed' | 'outdated'

/** What was approved, or waits for it. Times in ms. */
export interface Plan {
  readonly item_id: ItemId
  readonly hash: string
  readonly orders: readonly PlannedOrder[]
  /** Units oversold when it was approved. */
  readonly units: number
  /** How many different persons must approve. */
  readonly persons: number
  readonly created_at: number
  readonly finished_at: number | null
  readonly outcome: PlanOutcome | null
  readonly approvals: readonly { readonly operator: string; readonly reason: string; readonly at: number }[]
}

interface PlanRow extends Omit<Plan, 'created_at' | 'finished_at' | 'approvals'> {
  created_at: Date
  finished_at: Date | null
  approvals: { operator: string; reason: string; at: string }[]
}

const PLAN = `p.item_id, p.hash, p.orders, p.units, p.persons, p.created_at, p.finished_at, p.outcome, coalesce((
  select json_agg(json_build_object('operator', a.operator, 'reason', a.reason, 'at', a.at) order by a.at)
  from oversell_approvals a where a.item_id = p.item_id and a.hash = p.hash), '[]') as approvals`
const toPlan = (row: PlanRow): Plan => ({
  ...row,
  created_at: row.created_at.getTime(),
  finished_at: row.finished_at?.getTime() ?? null,
  approvals: row.approvals.map((one) => ({ ...one, at: Date.parse(one.at) })),
})

/** Makes sure of the plan, locks it to the end of the transaction, and begins anew where it was finished before. */
export async function openPlan(
  sql: Sql,
  plan: Pick<Plan, 'item_id' | 'hash' | 'orders' | 'units' | 'persons'>,
): Promise<void> {
  const key = [plan.item_id, plan.hash]
  await sql.query(
    `insert into oversell_plans (item_id, hash, orders, units, persons) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [...key, JSON.stringify(plan.orders), plan.units, plan.persons],
  )
  const found = await sql.query<{ finished: boolean }>(
    `select finished_at is not null as finished from oversell_plans where item_id = $1 and hash = $2 for update`,
    key,
  )
  if (found.rows[0]?.finished !== true) return
  await sql.query(`delete from oversell_approvals where item_id = $1 and hash = $2`, key)
  await sql.query(
    `update oversell_plans set finished_at = null, outcome = null, created_at = now(), units = $3, persons = $4
     where item_id = $1 and hash = $2`,
    [...key, plan.units, plan.persons],
  )
}

/** False where this person has approved it before. */
export async function insertApproval(
  sql: Sql,
  plan: Pick<Plan, 'item_id' | 'hash'>,
  by: { readonly operator: string; readonly reason: string },
): Promise<boolean> {
  const done = await sql.query(
    `insert into oversell_approvals (item_id, hash, operator, reason) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [plan.item_id, plan.hash, by.operator, by.reason],
  )
  return done.rowCount === 1
}

/** The plan of this hash, or the latest of the item. */
export async function selectPlan(sql: Sql, item: ItemId, hash?: string): Promise<Plan | undefined> {
  const found = await sql.query<PlanRow>(
    `select ${PLAN} from oversell_plans p where p.item_id = $1 and ($2::text is null or p.hash = $2)
     order by p.created_at desc limit 1`,
    [item, hash ?? null],
  )
  return found.rows[0] && toPlan(found.rows[0])
}

/** Approved by as many as it needs, and not finished; the oldest first. */
export async function selectApproved(sql: Sql): Promise<Plan[]> {
  const found = await sql.query<PlanRow>(
    `select ${PLAN} from oversell_plans p where p.finished_at is null and p.persons <= (
       select count(*) from oversell_approvals a where a.item_id = p.item_id and a.hash = p.hash)
     order by p.created_at`,
  )
  return found.rows.map(toPlan)
}

/** False where it was finished before. */
export async function finishPlan(
  sql: Sql,
  plan: Pick<Plan, 'item_id' | 'hash'>,
  outcome: PlanOutcome,
): Promise<boolean> {
  const done = await sql.query(
    `update oversell_plans set finished_at = now(), outcome = $3
     where item_id = $1 and hash = $2 and finished_at is null`,
    [plan.item_id, plan.hash, outcome],
  )
  return done.rowCount === 1
}
