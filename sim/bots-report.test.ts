import { expect, test } from 'bun:test'
import { audit } from './audit/audit.ts'
import type { Evidence } from './audit/evidence.ts'
import * as run from './audit/lawful-run.ts'
import { compareBots, renderBots, shareOfBots } from './bots-report.ts'
import { reportOf } from './report.ts'

const facts = { sale: 's', seed: 7, buyers: 4, seconds: 8, profile: 'embedded' }
const judged = (evidence: Evidence) => ({
  report: reportOf(facts, evidence, audit(evidence)),
  share: shareOfBots(evidence),
})
const withBots = (...bots: number[]): Evidence => ({ ...run.lawfulRun(), bots: new Set(bots) })

test('shares of arrivals, places and units', () => {
  // Buyers 1 and 3 paid, 2 did not.
  expect(shareOfBots(withBots(2, 3))).toEqual({
    ...{ bots: 2, share_of_arrivals: 0.5, share_of_places: 0.5, share_of_units: 0.5, honest_refused: 0 },
    joins_of_bots: { joined: 2 },
  })
  expect(shareOfBots(withBots(1, 2, 3, 4))).toMatchObject({ share_of_arrivals: 1, share_of_units: 1 })
  expect(shareOfBots({ ...withBots(1), orders: [] }).share_of_units).toBe(0)
})

test('both runs side by side, and whoever was wronged', () => {
  const lawful = judged(withBots(2))
  const fine = compareBots(judged(withBots(1, 3)), lawful)
  expect(fine).toMatchObject({
    broken: [],
    bots: { share_of_units: 0, share_of_units_unguarded: 1 },
    unguarded: { sale: 's' },
  })
  expect(renderBots(fine)).toMatch(/of units +100.0 % +0.0 %/)

  const { history } = run.lawfulRun()
  const refused = { ...run.join(4, 1250), position: undefined, outcome: 'rate_limited' }
  const evidence = { ...withBots(2), history: { ...history, joins: [...history.joins, refused, refused] } }
  const oversold = judged({ ...withBots(2), orders: [...run.lawfulRun().orders, run.order(4, 5000)] })
  const bad = compareBots(oversold, judged(evidence))
  expect(bad.bots.honest_refused).toBe(1)
  expect(bad.broken).toContain('honest_refused')
  expect(bad.broken).toContain('unguarded:never_oversold')
  expect(renderBots(bad)).toMatch(/BROKEN: .*honest_refused/)
  // A bot that is refused is none.
  expect(shareOfBots({ ...evidence, bots: new Set([4]) }).honest_refused).toBe(0)
})

test('bots need not end well, but must not overtake', () => {
  const lawful = run.lawfulRun()
  const nothing = { order_id: undefined, shown: undefined, user_id: undefined }
  const refused = run.fate(5, { ...nothing, ending: 'refused', detail: 'join: proof_missing' })
  const fates = [...lawful.history.fates, refused]
  const joins = [run.join(9, 1400, 9), run.join(5, 1420, 5)]
  const evidence = {
    ...lawful,
    history: { ...lawful.history, fates, joins: [...lawful.history.joins, ...joins] },
  }
  const broken = (bots: number[]) => judged({ ...evidence, bots: new Set(bots) }).report.broken
  expect(broken([5])).toEqual([])
  // Bot 9 before honest buyer 5, who asked later and got a lower place: the order of the honest is looked at.
  expect(broken([9])).toContain('order_of_arrival')
  expect(broken([9])).toContain('lawful_ends')
})
