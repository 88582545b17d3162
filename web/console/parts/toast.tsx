import { useEffect } from 'preact/hooks'
import { createStore } from '../store.ts'

interface Said {
  readonly text: string
  readonly at: number
}

const SHOWN_MS = 8000
const said = createStore<Said | undefined>(undefined)

/** What was told is of the screen that was left. */
export const hush = () => said.set(undefined)

/** Tells that a command has had its effect. */
export function say(text: string): void {
  said.set({ text, at: performance.now() })
}

export function Toast() {
  const shown = said.use()
  useEffect(() => {
    if (shown === undefined) return
    const timer = setTimeout(() => said.set(undefined), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [shown])
  return (
    <div class="toasts" role="status">
      {shown === undefined ? null : (
        <p class="toast">
          {shown.text}
          <button type="button" class="icon" aria-label="Dismiss" onClick={() => said.set(undefined)}>
            ×
          </button>
        </p>
      )}
    </div>
  )
}
