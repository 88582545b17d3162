import { useEffect, useState } from 'preact/hooks'

/** A value that outlives screens, and tells whoever shows it when it changes. */
export interface Store<Value> {
  get(): Value
  set(value: Value): void
  /** The value, in a component that is drawn anew at each change. */
  use(): Value
}

export function createStore<Value>(initial: Value): Store<Value> {
  let value = initial
  const listeners = new Set<(value: Value) => void>()
  return {
    get: () => value,
    set: (next) => {
      value = next
      for (const listener of listeners) listener(next)
    },
    use: () => {
      const [shown, show] = useState(value)
      useEffect(() => {
        const listener = (next: Value) => show(() => next)
        listeners.add(listener)
        // It may have changed between drawing and this effect.
        listener(value)
        return () => void listeners.delete(listener)
      }, [])
      return shown
    },
  }
}
