import { describe, expect, test } from 'bun:test'
import { audit, CHECKS } from './audit.ts'
import type { Evidence, OrderRow } from './evidence.ts'
import * as run from './lawful-run.ts'

const verdict = (evidence: Evidence, number: number) => audit(evidence).find((one) => one.number === number)

/** A run with its history or its rows changed. */
const withHistory = (change: Partial<Evidence['history']>) => {
  const lawful = run.lawfulRun()
  return { ...lawful, history: { ...lawful.history, ...change } }
}
const also = <K extends keyof Evidence['history']>(list: K, ...more: Evidence['history'][K]) =>
  withHistory({ [list]: [...run.lawfulRun().history[list], ...more] })
const changed = (change: Partial<Evidence>): Evidence => ({ ...run.lawfulRun(), ...change })
const withOrder = (id: string, change: Partial<OrderRow>) =>
  changed({
    orders: run.lawfulRun().orders.map((row) => (row.order_id === id ? { ...row, ...change } : row)),
  })
const withStock = (...samples: Evidence['stock']) =>
  changed({ stock: [...run.lawfulRun().stock, ...samples] })

test('a lawful run holds, every check of it with something to look at', () => {
  for (const { number, result, violations, not_checked } of audit(run.lawfulRun()))
    expect({ number, result, violations, not_checked }).toEqual({
      ...{ number, result: 'held', violations: [], not_checked: [] },
    })
})

/** Turns come faster than people are let in, where they are not taken. */
const hurried = run
  .lawfulRun()
  .statuses.map((one) => ({ ...one, status: { ...one.status, rate_per_second: 90 } }))

/** One violation each, by the name of the check that must find it. */
const planted: Record<string, Evidence | Evidence[]> = {
  'every buyer came to a lawful end': [
    also('fates', run.fate(5, { ending: 'refused', detail: 'claim: pass_used' })),
    also('fates', run.fate(5, { ending: 'gave_up' })),
    also('claims', run.claim(4, 6100, { outcome: 'pass_expired', order_id: undefined })),
  ],
  'available + held + sold = total, none below 0': [
    withStock(run.stock(9100, [1, 0, 2])),
    withStock(run.stock(9100, [-1, 1, 2])),
    withStock(run.stock(9100, [1, 0, 2], { total: 3 })),
    // Missing at the end; in between a server that has lost its data sells nothing.
    withStock(run.stock(9100, [NaN, NaN, NaN], { total: NaN })),
    changed({ statuses: [...run.lawfulRun().statuses, run.shown(6000, 4, 'sold_out', [0, 1, 2])] }),
  ],
  'paid units in SQL <= units': changed({ orders: [...run.lawfulRun().orders, run.order(4, 5000)] }),
  'an item that nobody has checked on this Redis sells nothing': withStock(
    run.stock(9100, [0, 0, 2], { fenced: true, seq: 3 }),
    run.stock(9300, [0, 0, 2], { fenced: true, seq: 4 }),
  ),
  'units not sold are available again': withOrder('order-3', {
    status: 'FAILED',
    failure_reason: 'declined',
  }),
  'no unit came back twice': withStock(run.stock(9100, [1, 0, 1])),
  '"sold out" is shown only when it is true': [
    also('claims', run.claim(5, 4805, { outcome: 'sold_out', order_id: undefined })),
    also('joins', { ...run.join(5, 4805), outcome: 'sold_out', position: undefined }),
    changed({ statuses: [...run.lawfulRun().statuses, run.shown(4805, 4, 'sold_out', [0, 0, 2])] }),
  ].map((evidence) => ({
    ...evidence,
    stock: [run.stock(3900, [1, 0, 1]), run.stock(4300, [1, 0, 1]), run.stock(4800, [1, 0, 1])],
  })),
  '"sold out" is final': withStock(run.stock(9100, [0, 1, 1])),
  'orders of a buyer at one time <= limit (SQL)': withOrder('order-3', { user_id: 'user-1' }),
  'units of a buyer <= limit (Redis)': changed({ active: [run.active(1, 1), run.active(1, 1)] }),
  'every acknowledged claim has its order': [
    changed({ orders: run.lawfulRun().orders.slice(1) }),
    {
      ...withOrder('order-2', { restocked_at: null }),
      active: [run.active(1, 1), run.active(2, 1), run.active(3, 1)],
    },
  ],
  'what a buyer was shown last is so': withOrder('order-3', { status: 'FAILED', failure_reason: 'declined' }),
  'one row an order, on the shard of its buyer': [
    changed({ orders: [...run.lawfulRun().orders, run.order(1, 1350, { shard: 0 })] }),
    withOrder('order-3', { shard: 0 }),
  ],
  'one order a claim: no claim_seq twice, none missing': [
    withOrder('order-3', { claim_seq: 2 }),
    withStock(run.stock(9100, [0, 0, 2], { seq: 4 })),
  ],
  'every failed order has its Restocked event': withOrder('order-2', { restocked_at: null }),
  'failed orders hold nothing, paid ones keep theirs': [
    changed({ active: [run.active(1, 1), run.active(2, 1), run.active(3, 1)] }),
    changed({ active: [run.active(1, 0), run.active(2, 0), run.active(3, 1)] }),
    changed({ active: [run.active(2, 0), run.active(3, 1)] }),
    withOrder('order-1', { restocked_at: 5000 }),
  ],
  'no hold outlives its deadline': withStock(run.stock(9100, [0, 0, 2], { oldest_deadline: 3000 })),
  'none ends early': [
    withOrder('order-2', { failed_at: 4300 }),
    withOrder('order-2', { failure_reason: 'hold_expired', failed_at: 7300 }),
  ],
  'nothing is pending, held or in flight': [
    withOrder('order-2', { status: 'PENDING', failure_reason: null, failed_at: null }),
    changed({ orders: run.lawfulRun().orders.slice(1) }),
    withStock(run.stock(9100, [0, 1, 1])),
    withStock(run.stock(9100, [0, 0, 2], { holds: 1 })),
    withStock(run.stock(9100, [0, 0, 2], { outbox: 1 })),
    changed({ stock: [] }),
  ],
  'a retry tells what became of the claim': [
    also('claims', run.claim(1, 1400, { order_id: 'order-9' })),
    also('claims', run.claim(1, 1400, { outcome: 'held_out', order_id: undefined })),
  ],
  'no order nobody was told of': changed({
    orders: [...run.lawfulRun().orders, run.order(4, 5000, { order_id: 'order-9' })],
  }),
  'one order a pass': also('claims', run.claim(1, 1400, { key: 'key-1-2', order_id: 'order-9' })),
  'claims without a valid pass are refused': changed({
    probes: [{ what: 'a claim without a pass', expected: 'pass_missing', answered: 'http_201' }],
  }),
  'no more orders than positions let in': changed({ entered: 2 }),
  'captured - refunded + gift part = price when PAID, else nothing is kept': [
    changed({ ledger: [run.payment(1), run.payment(2), run.payment(3)] }),
    changed({ ledger: [run.payment(1)] }),
    changed({ ledger: [run.payment(1), run.payment(3, { refunded: 500 })] }),
    changed({ ledger: [run.payment(1), run.payment(3), run.payment(9)] }),
    withOrder('order-1', { gift_part: 100 }),
  ],
  'at most one capture an order': [
    changed({ ledger: [run.payment(1), run.payment(3, { captures: 2 })] }),
    changed({ ledger: [run.payment(1), run.payment(1, { payment: 'pi_9' }), run.payment(3)] }),
  ],
  'nothing was captured for an order that was never PAID': changed({
    ledger: [run.payment(1), run.payment(2, { refunded: 500 }), run.payment(3)],
  }),
  'nothing stays reserved': [
    changed({ ledger: [run.payment(1), run.payment(2, { captured: 0, captures: 0 }), run.payment(3)] }),
    changed({ ledger: [run.payment(1), run.payment(3), run.payment(9, { captured: 0, captures: 0 })] }),
  ],
  'every webhook that was taken in is recorded': changed({
    webhooks: [{ event_id: 'evt_1', order_id: 'order-1', recorded: false }],
  }),
  'one event of a kind an order': changed({
    events: [...run.lawfulRun().events, run.event(1, 'OrderCreated', '9-9')],
  }),
  'every event has its order': changed({
    events: [...run.lawfulRun().events, run.event(9, 'OrderCreated')],
  }),
  'what was in an outbox is in the event log': changed({ log: run.lawfulRun().log?.slice(1) }),
  'an event reaches SQL before its hold ends': [
    {
      ...withOrder('order-2', { failure_reason: 'hold_expired', failed_at: 7450, created_at: 7450 }),
      log: undefined,
    },
    // Everything was away all the time, it seems, and yet a younger event came through.
    {
      ...changed({
        orders: run.lawfulRun().orders.map((row) => {
          if (row.order_id === 'order-3') return { ...row, shard: 0, home_shard: 0, created_at: 1395 }
          if (row.order_id !== 'order-2') return row
          return { ...row, failure_reason: 'hold_expired', failed_at: 7450, created_at: 7450 }
        }),
      }),
      outage: { from: 0, to: 9000 },
    },
  ],
  'turns in any window <= rate * t + burst': changed({
    statuses: [run.shown(1150, 1, 'open', [2, 0, 0]), run.shown(1450, 8, 'open', [2, 0, 0])],
  }),
  'admissions in any window <= rate * t + burst': [run.lawfulRun().statuses, hurried].map((statuses) => ({
    ...withHistory({ enters: Array.from({ length: 20 }, (_, index) => run.enter(index + 1, 1200)) }),
    statuses,
  })),
  'positions are arrival order': also('joins', run.join(9, 1110, 9), run.join(5, 1120, 5)),
  'admissions are position order': {
    ...withHistory({
      enters: [
        ...[run.enter(1, 1200), run.enter(2, 1300), run.enter(3, 1460, 'too_early')],
        ...[run.enter(4, 1500), run.enter(3, 1600, 'too_early'), run.enter(3, 1700)],
      ],
    }),
    orders: [],
  },
  'nobody is let in before their turn': also('enters', run.enter(9, 1200)),
  'the line never moves back, no place is given twice': [
    also('joins', run.join(5, 1400, 4)),
    changed({ statuses: [run.shown(1150, 4, 'open', [2, 0, 0]), run.shown(1450, 3, 'open', [2, 0, 0])] }),
  ],
}

describe('a planted violation is found by', () => {
  for (const check of CHECKS)
    test(check.name, () => {
      const runs = [planted[check.name] ?? []].flat()
      expect(runs.length).toBeGreaterThan(0)
      for (const evidence of runs) {
        const finding = check.examine(evidence)
        expect(finding.kind === 'examined' ? finding.violations.length : 0).toBeGreaterThan(0)
        expect(verdict(evidence, check.invariant)?.result).toBe('broken')
      }
    })
})

describe('fair all the same', () => {
  const holds = (number: number, ...enters: Evidence['history']['enters']) =>
    expect(verdict(withHistory({ enters }), number)).toMatchObject({ result: 'held', violations: [] })
  const burst = Array.from({ length: 9 }, (_, index) => run.enter(index + 10, 1700))

  test('being told again that one is in', () => {
    const waiting = [run.enter(3, 1460, 'too_early'), run.enter(3, 1600, 'too_early'), run.enter(3, 1700)]
    holds(12, run.enter(4, 1400), ...waiting, run.enter(4, 1500))
    holds(11, ...burst, ...burst.map((one) => ({ ...one, sent: 1750, answered: 1755 })))
  })
  test('let in, perhaps, by a request whose answer was lost', () => {
    const lost = Array.from({ length: 9 }, (_, index) => run.enter(index + 30, 700, 'lost'))
    const told = lost.map(({ buyer }) => run.enter(buyer, 1701))
    holds(11, ...burst, ...lost, ...told)
    // A refusal in between settles it: they were let in with the others.
    const refused = lost.map(({ buyer }) => run.enter(buyer, 1000, 'too_early'))
    const enters = [...burst, ...lost, ...refused, ...told]
    expect(verdict(withHistory({ enters }), 11)?.result).toBe('broken')
  })
  test('those who went away in between, who were refused but once, or whose turn had not come', () => {
    const ordered = (...enters: Evidence['history']['enters']) =>
      expect(verdict({ ...withHistory({ enters }), orders: [] }, 12)).toMatchObject({ violations: [] })
    ordered(run.enter(3, 1460, 'too_early'), run.enter(4, 1500), run.enter(3, 4500, 'too_early'))
    ordered(run.enter(3, 1460, 'too_early'), run.enter(4, 1500), run.enter(3, 1600))
    ordered(run.enter(3, 1200, 'too_early'), run.enter(4, 1300), run.enter(3, 1400, 'too_early'))
  })
})

describe('what could not be looked at is not passed', () => {
  test('no answer was lost', () => {
    const claims = run.lawfulRun().history.claims.filter((claim) => claim.outcome !== 'lost')
    expect(verdict(withHistory({ claims }), 5)?.not_checked).toEqual([
      'a retry tells what became of the claim: no answer to a claim was lost',
    ])
  })
  test('a provider without a ledger', () => {
    expect(verdict(changed({ ledger: undefined, webhooks: undefined }), 8)).toMatchObject({
      result: 'not_checked',
      examined: 0,
    })
  })
  test('"sold out" was never shown', () => {
    const claims = run.lawfulRun().history.claims.filter((claim) => claim.outcome !== 'sold_out')
    const evidence = { ...withHistory({ claims }), statuses: run.lawfulRun().statuses.slice(0, 2) }
    expect(verdict(evidence, 13)?.result).toBe('not_checked')
  })
  test('nobody asked before their turn', () => {
    const enters = run.lawfulRun().history.enters.filter((one) => one.outcome === 'entered')
    expect(verdict(withHistory({ enters }), 12)?.not_checked).toEqual([
      'admissions are position order: nobody asked to enter before their turn',
    ])
  })
  const inPhase = (phase: 'paused' | 'standby') => {
    const first = run.shown(1100, 0, 'open', [2, 0, 0])
    const statuses = [{ ...first, status: { ...first.status, phase } }, ...run.lawfulRun().statuses]
    return verdict(changed({ statuses }), 11)?.not_checked.join()
  }
  test('a line that was paused, or on standby', () => {
    expect(inPhase('paused')).toMatch(/^admissions [^,]* stood still/)
    expect(inPhase('standby')).toMatch(/^turns .* walks through,admissions .* walks through$/)
  })
  const NOTHING_DONE = { orders: [], active: [], ledger: [], events: [], log: [], webhooks: [] }
  test('no orders at all', () => {
    const evidence = { ...withHistory({ claims: [], fates: [] }), ...NOTHING_DONE }
    for (const number of [0, 3, 5, 6, 8, 9])
      expect(verdict({ ...evidence, stock: [run.stock(9000, [2, 0, 0], { seq: 0 })] }, number)?.result).toBe(
        'not_checked',
      )
  })
})

test('a line that was lost has forgotten some of those it has let in', () => {
  const rebuilt = withStock(run.stock(9100, [0, 0, 2], { epoch: 2 }))
  expect(verdict({ ...rebuilt, entered: 0 }, 10)?.result).toBe('held')
  const history = { ...rebuilt.history, enters: [run.enter(1, 1200)] }
  expect(verdict({ ...rebuilt, history, entered: 0 }, 10)?.result).toBe('broken')
})

test('a rebuilt item may skip claim numbers and put units back without an event', () => {
  const evidence = withStock(run.stock(9100, [0, 0, 2], { seq: 7, epoch: 2 }))
  expect(verdict(evidence, 6)?.result).toBe('held')
})

test('an oversold order may have been shown as PAID before', () => {
  const evidence = withOrder('order-3', { status: 'FAILED', failure_reason: 'oversold' })
  expect(verdict(evidence, 4)?.violations.filter((text) => text.includes('shown'))).toEqual([])
})

describe('after an outage', () => {
  const buried = { failure_reason: 'hold_expired', failed_at: 7450, created_at: 7450 } as const
  test('a tombstone is lawful, and a server that came back empty shows no stock for a while', () => {
    const outage = { from: 1300, to: 6000 }
    expect(verdict({ ...withOrder('order-2', buried), outage }, 6)?.violations).toEqual([])
    const empty = run.stock(4300, [NaN, NaN, NaN], { total: NaN })
    const { stock } = run.lawfulRun()
    expect(verdict(changed({ stock: [...stock.slice(0, 2), empty, ...stock.slice(2)] }), 1)?.result).toBe(
      'held',
    )
  })
  test('an unknown answer is no refusal, and leaves open what became of the claim', () => {
    const unknown = run.claim(4, 6100, { outcome: 'unavailable', order_id: undefined, key: 'key-4-2' })
    const { orders } = run.lawfulRun()
    const silent = { ...also('claims', unknown), orders: [...orders, run.order(4, 6100)] }
    const surprises = (evidence: Evidence) =>
      verdict(evidence, 5)?.violations.filter((text) => text.includes('never told'))
    expect(surprises(silent)).toEqual([])
    const refused = run.claim(4, 6200, { outcome: 'sold_out', order_id: undefined, key: 'key-4-2' })
    expect(surprises({ ...also('claims', unknown, refused), orders: silent.orders })).toHaveLength(1)
    const later = run.claim(4, 6200, { outcome: 'fenced', order_id: undefined, key: 'key-4-2' })
    expect(surprises({ ...also('claims', unknown, later), orders: silent.orders })).toEqual([])
  })
})
