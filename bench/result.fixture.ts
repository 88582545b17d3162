import type { MeasuredRow, Result } from './result.ts'

/** A row as a run gives it, for the tests of chart and page. */
export const rowOf = (change: Partial<MeasuredRow> = {}): MeasuredRow => ({
  ...{ name: 'claim-lua', title: 'Claim in Redis', unit: 'per second', better: 'more' },
  ...{ ours_is: 'whole claims', yardstick_is: 'a bare script' },
  ...{ ours: 120_456, yardstick: 60_228, ratio: 2, spread: 0.1, ours_spread: 0.2, yardstick_spread: 0.3 },
  rounds: [{ ours: 120_456, yardstick: 60_228 }],
  ...change,
})

export const resultOf = (change: Partial<Result> = {}): Result => ({
  ...{ started_at: '2026-11-26T18:00:00.000Z', took_s: 12, quick: false, failed: [], rows: [rowOf()] },
  machine: {
    ...{ cores: 2, cpu: 'A CPU', memory_gib: 8, system: 'Linux 6', bun: '1.4.5', redis: '7.0.15' },
    ...{ postgres: '18.4.0', commit: 'abc1234', load: 0.1, busy: false },
  },
  ...change,
})
