/** What a page keeps in the browser. A browser that forbids it (private windows, settings) just forgets. */
export interface Memory<Kept> {
  readonly read: () => Kept | undefined
  readonly write: (kept: Kept) => void
  readonly forget: () => void
}

export function createMemory<Kept>(storage: () => Storage, key: string): Memory<Kept> {
  let unstored: string | null = null
  const readText = () => {
    try {
      return storage().getItem(key) ?? unstored
    } catch {
      return unstored
    }
  }
  return {
    read: () => {
      const text = readText()
      try {
        return text === null ? undefined : (JSON.parse(text) as Kept)
      } catch {
        return undefined
      }
    },
    write: (kept) => {
      const text = JSON.stringify(kept)
      try {
        storage().setItem(key, text)
        unstored = null
      } catch {
        unstored = text
      }
    },
    forget: () => {
      unstored = null
      try {
        storage().removeItem(key)
      } catch {
        // Nothing was stored where storing is forbidden.
      }
    },
  }
}

/** A random id, also where the page is not in a secure context and `crypto.randomUUID` is missing. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
