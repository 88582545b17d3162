import { acknowledged, type Evidence, last, sum } from './audit/evidence.ts'
import { overtakenJoins } from './audit/fairness.ts'
import { capturedTwice } from './audit/money.ts'
import { overtakenTurns } from './audit/overtaking.ts'
import { beyondLimit, lostOrders, misplacedRows } from './audit/orders.ts'
import type { Verdict } from './audit/audit.ts'
import { oversoldUnits } from './audit/stock.ts'
import { type Ending, latencyOf } from './history.ts'

/** What a run was, beside what was found. */
export interface RunFacts {
  readonly sale: string
  readonly seed: number
  readonly buyers: number
  readonly seconds: number
  readonly profile: string
}

export type Report = ReturnType<typeof reportOf>

/** The numbers of a run; `broken` names the invariants that did not hold. */
export function reportOf(facts: RunFacts, evidence: Evidence, verdicts: readonly Verdict[]) {
  const { orders, history, sale } = evidence
  const end = last(evidence)?.items ?? []
  const count = (status: string) => orders.filter((order) => order.status === status).length
  const rows = new Set(orders.map((order) => order.order_id))
  const unwritten = [...acknowledged(evidence).keys()].filter((id) => !rows.has(id)).length
  const { repeated, astray } = misplacedRows(orders)
  const reasons: Record<string, number> = {}
  for (const { failure_reason } of orders)
    if (failure_reason !== null) reasons[failure_reason] = (reasons[failure_reason] ?? 0) + 1
  const endings: Partial<Record<Ending, number>> = {}
  for (const { ending } of history.fates) endings[ending] = (endings[ending] ?? 0) + 1
  return {
    sale: facts.sale,
    seed: facts.seed,
    profile: facts.profile,
    seconds: Math.round(facts.seconds * 10) / 10,
    buyers: facts.buyers,
    units: sum(sale.items.map((item) => item.units)),
    sold: sum(orders.map((order) => (order.status === 'PAID' ? order.quantity : 0))),
    held: sum(end.map((item) => item.held)),
    available: sum(end.map((item) => item.available)),
    oversold: sum(sale.items.map((item) => oversoldUnits(evidence, item.id))),
    lost: lostOrders(evidence).length,
    duplicates:
      repeated.length +
      astray.length +
      beyondLimit(evidence).length +
      capturedTwice(evidence.ledger ?? []).length,
    orders: orders.length,
    paid: count('PAID'),
    failed: count('FAILED'),
    pending: count('PENDING') + unwritten,
    failure_reasons: reasons,
    endings,
    joined: history.joins.filter((join) => join.position !== undefined).length,
    admitted: evidence.entered,
    claims: history.claims.length,
    claims_lost_answers: history.claims.filter((claim) => claim.outcome === 'lost').length,
    inversions: overtakenJoins(evidence).length + overtakenTurns(evidence).length,
    broken: verdicts.filter((verdict) => verdict.result === 'broken').map((verdict) => verdict.name),
    not_checked: verdicts
      .filter((verdict) => verdict.result === 'not_checked')
      .map((verdict) => verdict.name),
    latency_ms: {
      join: latencyOf(history.joins),
      enter: latencyOf(history.enters),
      claim: latencyOf(history.claims),
    },
    latency_once_sent_ms: {
      join: latencyOf(history.joins, 'sent'),
      enter: latencyOf(history.enters, 'sent'),
      claim: latencyOf(history.claims, 'sent'),
    },
    tolerances: evidence.limits,
    invariants: verdicts.map(({ number, name, result, examined, violations, not_checked }) => ({
      number,
      name,
      result,
      examined,
      violations: violations.length,
      examples: violations.slice(0, 5),
      not_checked,
    })),
  }
}

const MARK = { held: 'ok', broken: 'BROKEN', not_checked: 'not checked' }

/** The same for people. */
export function renderReport(report: Report, verdicts: readonly Verdict[]): string {
  const { latency_ms, latency_once_sent_ms, failure_reasons, endings, tolerances } = report
  const list = (counts: object) =>
    Object.entries(counts)
      .map(([name, value]) => `${value} ${name}`)
      .join(', ') || 'none'
  const latency = (['join', 'enter', 'claim'] as const).map((step) => {
    const { p50, p99, max } = latency_ms[step]
    const sent = latency_once_sent_ms[step]
    return (
      `  ${step.padEnd(6)} p50 ${pad(p50)}  p99 ${pad(p99)}  max ${pad(max)} ms` +
      `   (once sent: p50 ${pad(sent.p50)}  p99 ${pad(sent.p99)})`
    )
  })
  return [
    '',
    `Sale ${report.sale}, seed ${report.seed}, ${report.profile} profile, ${report.seconds} s`,
    `  buyers  ${report.buyers}: ${report.joined} joined, ${report.admitted} let in, ${report.claims} claims sent`,
    `  units   ${report.units}: ${report.sold} sold, ${report.held} held, ${report.available} available; ` +
      `${report.oversold} oversold`,
    `  orders  ${report.orders}: ${report.paid} paid, ${report.failed} failed (${list(failure_reasons)}), ` +
      `${report.pending} pending; ${report.lost} lost, ${report.duplicates} duplicates`,
    `  endings ${list(endings)}`,
    ...latency,
    '',
    ...verdicts.flatMap(renderVerdict),
    '',
    `  Allowed: turns ${tolerances.turnBurst} beyond the rate, admissions of one second saved up, shown stock ` +
      `${tolerances.staleMs} ms old, holds ${tolerances.lateMs} ms over.`,
    report.broken.length === 0 ? '  All held.' : `  BROKEN: ${report.broken.join(', ')}`,
    '',
  ].join('\n')
}

const pad = (ms: number) => ms.toFixed(1).padStart(8)

function renderVerdict({ number, says, result, examined, violations, not_checked }: Verdict): string[] {
  const mark = MARK[result].padEnd(11)
  const title = `  ${String(number).padStart(2)}. ${mark} ${says} (${examined} looked at)`
  const more = violations.length > 3 ? [`        ... ${violations.length} in all`] : []
  return [
    title,
    ...violations.slice(0, 3).map((violation) => `        ${violation}`),
    ...more,
    ...not_checked.map((reason) => `        not checked: ${reason}`),
  ]
}
