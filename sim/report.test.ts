import { expect, test } from 'bun:test'
import { audit } from './audit/audit.ts'
import { isSettled } from './audit/settle.ts'
import type { Evidence } from './audit/evidence.ts'
import * as run from './audit/lawful-run.ts'
import { renderReport, reportOf } from './report.ts'

const facts = { sale: 's', seed: 7, buyers: 4, seconds: 8, profile: 'embedded' }
const report = (evidence: Evidence) => reportOf(facts, evidence, audit(evidence))

test('the numbers of a lawful run', () => {
  expect(report(run.lawfulRun())).toMatchObject({
    ...{ seed: 7, buyers: 4, units: 2, sold: 2, held: 0, available: 0, oversold: 0, lost: 0, duplicates: 0 },
    ...{ orders: 3, paid: 2, failed: 1, pending: 0, inversions: 0, broken: [], not_checked: [] },
    ...{ failure_reasons: { payment_timeout: 1 }, endings: { paid: 2, unpaid: 1, sold_out: 1 } },
    ...{ joined: 4, admitted: 4, claims: 6, claims_lost_answers: 1 },
    latency_ms: { join: { p50: 5, p99: 5 }, enter: { p50: 5, p99: 5 }, claim: { p50: 5, p99: 5 } },
  })
})

test('every kind of damage is counted and named', () => {
  const lawful = run.lawfulRun()
  const damaged = report({
    ...lawful,
    orders: [
      run.order(1, 1350, { shard: 0 }),
      run.order(1, 1350),
      run.order(3, 4700),
      run.order(4, 4800, { user_id: 'user-3' }),
    ],
    ledger: [run.payment(1, { captures: 2 }), run.payment(3), run.payment(4)],
  })
  expect(damaged).toMatchObject({ sold: 4, oversold: 2, lost: 1, pending: 1 })
  // One row too many, the two on a wrong shard and over the limit, one captured twice.
  expect(damaged.duplicates).toBeGreaterThanOrEqual(4)
  for (const name of [
    'never_oversold',
    'buyer_limit',
    'no_claim_lost',
    'one_claim_one_order',
    'money_matches',
  ])
    expect(damaged.broken).toContain(name)
})

test('people see what is broken and what was not checked', () => {
  const evidence = { ...run.lawfulRun(), entered: 1, ledger: undefined, webhooks: undefined }
  const text = renderReport(report(evidence), audit(evidence))
  expect(text).toMatch(/10\. BROKEN .*\n +3 orders, 1 positions let in/)
  expect(text).toMatch(/8\. not checked .*\n +not checked: .*the payment provider is not the sandbox/)
  expect(text).toMatch(/BROKEN: pass_used_once/)
  expect(renderReport(report(run.lawfulRun()), audit(run.lawfulRun()))).toMatch(/All held\./)
})

test('a run is settled once nothing is left to happen', () => {
  const lawful = run.lawfulRun()
  const told = ['order-1', 'order-2', 'order-3']
  expect(isSettled(lawful, told)).toBe(true)
  expect(isSettled(lawful, [...told, 'order-9'])).toBe(false)
  expect(isSettled({ ...lawful, stock: [] }, told)).toBe(false)
  expect(isSettled({ ...lawful, stock: [run.stock(9000, [0, 1, 1])] }, told)).toBe(false)
  expect(isSettled({ ...lawful, stock: [run.stock(9000, [0, 0, 2], { outbox: 1 })] }, told)).toBe(false)
  expect(isSettled({ ...lawful, ledger: [run.payment(1)] }, told)).toBe(false)
  const pending = run.order(3, 4700, { status: 'PENDING' })
  expect(isSettled({ ...lawful, orders: [...lawful.orders.slice(0, 2), pending] }, told)).toBe(false)
  const back = run.order(2, 1400, { status: 'FAILED', restocked_at: null })
  expect(isSettled({ ...lawful, orders: [run.order(1, 1350), back, run.order(3, 4700)] }, told)).toBe(false)
})
