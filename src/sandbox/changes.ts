/** One request's changes, collected so that they and the stored answer are committed together. */
import type { AnyRow, Store } from './store.ts'

export class Changes<R extends AnyRow> {
  private readonly store: Store<R>
  private readonly changed = new Map<string, R>()

  constructor(store: Store<R>) {
    this.store = store
  }

  /** A copy, to be changed and `put` back. */
  get<K extends R['object']>(kind: K, id: string): Extract<R, { object: K }> | undefined {
    const row = this.changed.get(`${kind} ${id}`) ?? this.store.get(kind, id)
    return row && (structuredClone(row) as Extract<R, { object: K }>)
  }

  put(row: R): void {
    this.changed.set(`${row.object} ${row.id}`, row)
  }

  rows(): R[] {
    return [...this.changed.values()]
  }
}
