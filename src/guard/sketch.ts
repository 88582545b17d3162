import { hash } from 'node:crypto'

/** One thing to count: what a visitor does, by what they are known. `add: 0` only looks. */
export interface Visit {
  readonly name: string
  readonly add: 0 | 1
}

/** Rows of the table, and the cells of a visit in them; the same in count.lua. */
export const ROWS = 4
export const SATURATED = 255

/** Cells of a name, one a row. Keyed, so that nobody can look for names that share their cells with a victim's. */
export function cellsOf(key: string, name: string, cells: number): number[] {
  const digest = hash('sha256', `${key} ${name}`, 'hex')
  return Array.from(
    { length: ROWS },
    (_, row) => Number.parseInt(digest.slice(8 * row, 8 * row + 8), 16) % cells,
  )
}

/** Sums over the window, before any noise. */
export interface Totals {
  readonly total: number
  readonly joins: number
  readonly enters: number
}

export interface Counts extends Totals {
  /** For each visit how often it was seen, itself included; never too small, unless it is 255. */
  readonly seen: readonly number[]
}

/** count.lua in this process's memory: what the guard counts in while Redis is away, and the model of its test. */
export function createSketch(cells: number, windowMs: number) {
  let table: Uint8Array | undefined
  let totals = { total: 0, joins: 0, enters: 0 }
  let emptiedAt = 0
  return {
    count(
      now: number,
      visits: readonly { add: 0 | 1; cells: readonly number[] }[],
      add: Omit<Totals, 'total'>,
    ) {
      if (table === undefined || now - emptiedAt >= windowMs) {
        table = new Uint8Array(ROWS * cells)
        totals = { total: 0, joins: 0, enters: 0 }
        emptiedAt = now
      }
      const filled = table
      const seen = visits.map((visit) => {
        const at = visit.cells.map((cell, row) => row * cells + cell)
        const count = Math.min(Math.min(...at.map((index) => filled[index] ?? 0)) + visit.add, SATURATED)
        for (const index of at) filled[index] = Math.max(filled[index] ?? 0, count)
        return count
      })
      totals = {
        total: totals.total + visits.reduce((sum, visit) => sum + visit.add, 0),
        joins: totals.joins + add.joins,
        enters: totals.enters + add.enters,
      }
      return { ...totals, seen } satisfies Counts
    },
  }
}
