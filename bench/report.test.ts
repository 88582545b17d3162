import { expect, test } from 'bun:test'
import { writeReport } from './report.ts'
import { meetsTarget, readable } from './result.ts'
import { resultOf, rowOf } from './result.fixture.ts'

const lineOf = (page: string, title: string) => page.split('\n').find((line) => line.startsWith(`| ${title}`))

test('a line a row, with medians, ratio, spread and target', () => {
  const page = writeReport(
    resultOf({
      rows: [
        rowOf({ target: 1.3 }),
        rowOf({
          name: 'p99',
          title: 'p99',
          unit: 'ms',
          better: 'less',
          ours: 25,
          yardstick: 2,
          ratio: 12.5,
          most: 20,
        }),
      ],
    }),
    'chart.svg',
  )
  expect(lineOf(page, 'Claim in Redis')).toBe(
    '| Claim in Redis | 120,000/s | 60,200/s | 2 | 10 % | ratio ≥ 1.3: met |',
  )
  expect(lineOf(page, 'p99')).toBe('| p99 | 25 ms | 2 ms | 12.5 | 10 % | ≤ 20 ms: **missed** |')
  expect(page).toContain('](chart.svg)')
  expect(page).toContain('whole claims, against a bare script')
  expect(page).not.toMatch(/Read with care|undefined|NaN/)
})

test('says what makes its numbers doubtful, and what failed', () => {
  const busy = { ...resultOf().machine, busy: true, load: 12.5 }
  const page = writeReport(
    resultOf({ machine: busy, quick: true, failed: [{ name: 'relay', error: 'no Java\non this machine' }] }),
    'chart.svg',
  )
  expect(page).toContain('load 12.5 on 2 cores')
  expect(page).toContain('Short runs')
  expect(page).toContain('**relay failed**: no Java on this machine')
})

test('targets: of the ratio, of the number, of both, of none', () => {
  expect(meetsTarget(rowOf())).toBeUndefined()
  expect(meetsTarget(rowOf({ ratio: 0.6, target: 0.6 }))).toBe(true)
  expect(meetsTarget(rowOf({ ratio: 0.6, target: 0.6, better: 'less' }))).toBe(true)
  expect(meetsTarget(rowOf({ ratio: 0.7, target: 0.6, better: 'less' }))).toBe(false)
  expect(meetsTarget(rowOf({ ratio: 9, target: 1, most: 20, ours: 21 }))).toBe(false)
})

test('numbers keep three digits', () => {
  expect([0, 0.01234, 0.999, 1.005, 12.345, 1_234_567].map(readable)).toEqual([
    ...['0', '0.0123', '0.999', '1', '12.3', '1,230,000'],
  ])
})
