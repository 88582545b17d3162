/** All rows in memory by kind and id, journalled when a folder is given. */
import { openJournal } from './journal.ts'
import type { Kind, Row, RowOf } from './types.ts'

export interface Store {
  get<K extends Kind>(kind: K, id: string): RowOf<K> | undefined
  /** Oldest first. */
  all<K extends Kind>(kind: K): RowOf<K>[]
  /** Writes all rows or, if the disk refuses, none. */
  commit(rows: Row[]): void
  close(): void
}

export function openStore(folder: string | undefined): Store {
  const tables = new Map<Kind, Map<string, Row>>()
  const table = (kind: Kind): Map<string, Row> => {
    let found = tables.get(kind)
    if (!found) tables.set(kind, (found = new Map<string, Row>()))
    return found
  }
  const apply = (rows: Row[]) => {
    for (const row of rows) table(row.object).set(row.id, row)
  }
  const journal = folder === undefined ? undefined : openJournal(folder, (line) => apply(line as Row[]))
  let closed = false
  return {
    get: <K extends Kind>(kind: K, id: string) => table(kind).get(id) as RowOf<K> | undefined,
    all: <K extends Kind>(kind: K) => [...table(kind).values()] as RowOf<K>[],
    commit(rows) {
      if (closed) throw new Error('The sandbox is closed')
      if (rows.length === 0) return
      journal?.append(rows)
      apply(rows)
    },
    close() {
      if (!closed) journal?.close()
      closed = true
    },
  }
}
