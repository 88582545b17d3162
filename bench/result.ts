import type { Machine } from './machine.ts'
import type { Row } from './row.ts'
import type { Round, Summary } from './rounds.ts'

/** What `npm run bench -- --json` prints. */
export interface Result {
  readonly started_at: string
  readonly took_s: number
  /** Short runs: that the rows work, rather than how fast. */
  readonly quick: boolean
  readonly machine: Machine
  readonly rows: readonly MeasuredRow[]
  readonly failed: readonly { readonly name: string; readonly error: string }[]
}

export type RowFacts = Pick<Row, 'name' | 'title' | 'unit' | 'better' | 'target' | 'most' | 'note'> & {
  readonly ours_is: string
  readonly yardstick_is: string
}

export type MeasuredRow = RowFacts & Summary & { readonly rounds: readonly Round[] }

export const factsOf = ({ prepare: _, ours, yardstick, ...row }: Row): RowFacts => ({
  ...row,
  ours_is: ours,
  yardstick_is: yardstick,
})

/** What the project has set itself; undefined where it has not. */
export function meetsTarget({ better, target, most, ratio, ours }: MeasuredRow): boolean | undefined {
  if (target === undefined && most === undefined) return undefined
  const ratioIsGood = target === undefined || (better === 'more' ? ratio >= target : ratio <= target)
  return ratioIsGood && (most === undefined || ours <= most)
}

export function targetText({ better, target, most, unit }: MeasuredRow): string {
  const ratio = target === undefined ? [] : [`ratio ${better === 'more' ? '≥' : '≤'} ${target}`]
  const limit = most === undefined ? [] : [`≤ ${most} ${unit}`]
  return [...ratio, ...limit].join(', ')
}

/** Three digits that count, thousands set apart: 1,230,000, 12.3, 0.0123. */
export function readable(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: digits })
}
