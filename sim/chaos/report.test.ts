import { expect, test } from 'bun:test'
import { audit, type Verdict } from '../audit/audit.ts'
import { INVARIANTS } from '../audit/invariants.ts'
import { lawfulRun, order } from '../audit/lawful-run.ts'
import { FAULTS } from './faults.ts'
import { planRounds } from './plan.ts'
import { isGood, type Judged, renderReport, renderRound, reportOf } from './report.ts'

const judged = (name: string, change: Partial<Judged> = {}): Judged => {
  const [planned] = planRounds(
    FAULTS.filter((fault) => fault.name === name),
    7,
  )
  if (planned === undefined) throw new Error(`no fault ${name}`)
  const fired = { count: 2, of: 'deaths' }
  return { planned, fired, verdicts: audit(lawfulRun()), sellingAgainS: 0.5, terminalS: 4, ...change }
}
const oversold = (): readonly Verdict[] =>
  audit({ ...lawfulRun(), orders: [...lawfulRun().orders, order(4, 5000)] })

test('all fired, all held', () => {
  const report = reportOf(7, [judged('redis-kill'), judged('web-kill')])
  expect(report).toEqual({
    seed: 7,
    faults: [
      { name: 'redis-kill', fired: true },
      { name: 'web-kill', fired: true },
    ],
    invariants: INVARIANTS.map(({ name }) => ({ name, ok: true })),
    broken: [],
  })
  expect(isGood(report)).toBe(true)
  expect(renderReport(report)).toContain('All invariants held')
})

test('one round that breaks is enough', () => {
  const rounds = [judged('redis-kill'), judged('web-kill', { verdicts: oversold() })]
  const report = reportOf(7, rounds)
  expect(report.broken).toContain('never_oversold')
  expect(report.invariants.find(({ name }) => name === 'never_oversold')).toMatchObject({ ok: false })
  expect(isGood(report)).toBe(false)
  expect(renderReport(report)).toContain('BROKEN: ')
  expect(renderRound(rounds[1] ?? judged('web-kill'))).toMatch(/never_oversold: lamp: 3 paid of 2/)
})

test('a fault that did not fire is no proof of anything', () => {
  const silent = judged('web-kill', { fired: { count: 0, of: 'deaths' }, sellingAgainS: undefined })
  const report = reportOf(7, [judged('redis-kill'), silent])
  expect([isGood(report), report.broken]).toEqual([false, []])
  expect(renderReport(report)).toContain('not fired: web-kill')
  expect(renderRound(silent)).toMatch(/NOT FIRED[^]*sold again never/)
  expect(isGood(reportOf(7, []))).toBe(false)
})

test('an invariant that nobody could look at is not ok, and not broken', () => {
  const verdicts = audit({ ...lawfulRun(), ledger: undefined, webhooks: undefined })
  const report = reportOf(7, [judged('redis-kill', { verdicts })])
  expect(report.invariants.find(({ name }) => name === 'money_matches')).toEqual({
    ...{ name: 'money_matches', ok: false },
  })
  expect(report.broken).toEqual([])
  expect(renderReport(report)).toContain('nothing to look at: money_matches')
})
