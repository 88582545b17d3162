import { hash } from 'node:crypto'

/**
 * A count-min sketch: counts by name in a table of fixed size, however many names there are. Each name has a cell in
 * each row; names that share one in every row are counted together, so a count may be too large, never too small.
 */
export const ROWS = 3
/** Cells are bytes: from here on it is "this or more". */
export const SATURATED = 255

/** What a name's cells are taken from. Keyed, so that nobody can look for names that share their cells with a victim's. */
export function wordsOf(key: string, name: string): number[] {
  const digest = hash('sha256', `${key} ${name}`, 'hex')
  return Array.from({ length: ROWS }, (_, row) => Number.parseInt(digest.slice(8 * row, 8 * row + 8), 16))
}

/** Its cells in a table of `ROWS` rows of `cells`. */
export const cellsOf = (words: readonly number[], cells: number): number[] =>
  words.map((word, row) => row * cells + (word % cells))

/** A sketch in this process, emptied every `windowMs`. Only the smallest of a name's cells grow: the least noise. */
export function createSketch(cells: number, windowMs: number) {
  let table = new Uint8Array(0)
  let emptiedAt = -Infinity
  return {
    /** Adds 0 or 1 and answers the count. `at` is what `cellsOf` says. */
    count: (now: number, at: readonly number[], add: 0 | 1): number => {
      if (now - emptiedAt >= windowMs) {
        table = new Uint8Array(ROWS * cells)
        emptiedAt = now
      }
      let least = SATURATED
      for (const cell of at) least = Math.min(least, table[cell] ?? 0)
      const count = Math.min(least + add, SATURATED)
      for (const cell of at) if ((table[cell] ?? 0) < count) table[cell] = count
      return count
    },
  }
}
