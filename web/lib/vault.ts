/**
 * Keeps one value in IndexedDB. Unlike localStorage, where a write reaches tabs of other processes a moment later, what
 * one tab has written here every other reads. A browser that forbids it just forgets.
 */
export interface Vault<Kept> {
  readonly read: () => Promise<Kept | undefined>
  readonly write: (kept: Kept) => Promise<void>
  readonly forget: () => Promise<void>
}

const [DATABASE, STORE] = ['doorbuster', 'kept']

export function createVault<Kept>(key: string): Vault<Kept> {
  return {
    read: () => transact('readonly', (store) => store.get(key) as IDBRequest<Kept | undefined>),
    write: async (kept) => void (await transact('readwrite', (store) => store.put(kept, key))),
    forget: async () => void (await transact('readwrite', (store) => store.delete(key))),
  }
}

/** Resolves once the transaction is complete; undefined where there is no store to be had. */
function transact<Result>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result | undefined> {
  return new Promise((resolve) => {
    try {
      const opening = indexedDB.open(DATABASE, 1)
      opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
      opening.onerror = () => resolve(undefined)
      opening.onsuccess = () => {
        const database = opening.result
        const transaction = database.transaction(STORE, mode)
        const request = work(transaction.objectStore(STORE))
        const finish = (result?: Result) => {
          database.close()
          resolve(result)
        }
        transaction.oncomplete = () => finish(request.result)
        transaction.onabort = () => finish()
      }
    } catch {
      resolve(undefined)
    }
  })
}
