/** Idempotency keys as Stripe honours them: the first answer is kept for a day, whatever it was. */
import { createHash } from 'node:crypto'
import { idempotencyError } from './errors.ts'
import type { Form, FormValue } from './form.ts'
import type { Store } from './store.ts'
import type { StoredAnswer } from './types.ts'

const keptForSeconds = 24 * 3600

export type Begun =
  | { kind: 'replay'; answer: StoredAnswer }
  /** Ours to answer; `end` must be called once the answer is committed or given up. */
  | { kind: 'first'; fingerprint: string; end: () => void }

export class IdempotencyKeys {
  private readonly store: Store
  private readonly inProgress = new Set<string>()

  constructor(store: Store) {
    this.store = store
  }

  /** @throws StripeFailure 409 while the first request runs, 400 when the key was used for something else. */
  begin(key: string, path: string, form: Form, now: number): Begun {
    if (key.length > 255) throw idempotencyError(400, 'Idempotency keys may be at most 255 characters long.')
    const fingerprint = createHash('sha256').update(canonical(form)).digest('hex')
    if (this.inProgress.has(key)) {
      const message = `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`
      throw idempotencyError(409, message, 'idempotency_key_in_use')
    }
    const answer = this.store.get('sandbox.answer', key)
    if (answer && now - answer.created < keptForSeconds) {
      checkSameRequest(answer, path, fingerprint)
      return { kind: 'replay', answer }
    }
    this.inProgress.add(key)
    return { kind: 'first', fingerprint, end: () => this.inProgress.delete(key) }
  }
}

function checkSameRequest(answer: StoredAnswer, path: string, fingerprint: string): void {
  const hint = `Try using a key other than '${answer.id}' if you meant to execute a different request.`
  if (answer.path !== path) {
    const message = `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${path}' vs '${answer.path}'). ${hint}`
    throw idempotencyError(400, message)
  }
  if (answer.fingerprint === fingerprint) return
  const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. ${hint}`
  throw idempotencyError(400, message)
}

/** The same text for the same parameters in any order. */
function canonical(value: FormValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`
}
