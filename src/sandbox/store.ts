/** All rows of a sandbox in memory by kind and id, journalled when a folder is given. */
import { openJournal } from './journal.ts'

export interface AnyRow {
  object: string
  id: string
}

type RowOf<R extends AnyRow, K extends R['object']> = Extract<R, { object: K }>

export interface Store<R extends AnyRow> {
  get<K extends R['object']>(kind: K, id: string): RowOf<R, K> | undefined
  /** Oldest first. */
  all<K extends R['object']>(kind: K): RowOf<R, K>[]
  /** Writes all rows or, if the disk refuses, none. */
  commit(rows: R[]): void
  close(): void
}

/** `name`: of the journal in that folder. One process at a time may have it open. */
export function openStore<R extends AnyRow>(folder: string | undefined, name: string): Store<R> {
  const tables = new Map<string, Map<string, R>>()
  const table = (kind: string): Map<string, R> => {
    let found = tables.get(kind)
    if (!found) tables.set(kind, (found = new Map<string, R>()))
    return found
  }
  const apply = (rows: R[]) => {
    for (const row of rows) table(row.object).set(row.id, row)
  }
  const journal = folder === undefined ? undefined : openJournal(folder, name, (line) => apply(line as R[]))
  let closed = false
  return {
    get: <K extends R['object']>(kind: K, id: string) => table(kind).get(id) as RowOf<R, K> | undefined,
    all: <K extends R['object']>(kind: K) => [...table(kind).values()] as RowOf<R, K>[],
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
