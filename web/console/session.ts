import { ask } from '../lib/ask.ts'
import { atLeast, type Role } from '../../src/contracts/operators.ts'
import type { Session } from './shapes.ts'
import { createStore } from './store.ts'

export type { Role } from '../../src/contracts/operators.ts'

/**
 * Who is signed in. `lapsed`: somebody was, and the session has ended meanwhile; what they were doing stays on the
 * screen behind the sign-in.
 */
export type SessionState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'out' }
  | { readonly kind: 'in'; readonly session: Session }
  | { readonly kind: 'lapsed'; readonly session: Session }

export const SESSION_PATH = '/api/operator/session'

export const sessionState = createStore<SessionState>({ kind: 'asking' })

export async function askSession(): Promise<void> {
  const answer = await ask<Session>(SESSION_PATH)
  if (answer.kind === 'ok') sessionState.set({ kind: 'in', session: answer.body })
  else if (answer.kind === 'problem' && answer.problem.status === 401) signedOut()
  else if (sessionState.get().kind === 'asking') sessionState.set({ kind: 'unreachable' })
}

/** The server says that nobody is signed in (any more). */
export function signedOut(): void {
  const state = sessionState.get()
  if (state.kind === 'in') sessionState.set({ kind: 'lapsed', session: state.session })
  else if (state.kind !== 'lapsed') sessionState.set({ kind: 'out' })
}

export async function signOut(): Promise<void> {
  await ask(SESSION_PATH, { method: 'DELETE' })
  sessionState.set({ kind: 'out' })
}

/** Whether the one who is signed in may do what needs `role`. */
export function useMay(role: Role): boolean {
  const state = sessionState.use()
  if (state.kind !== 'in' && state.kind !== 'lapsed') return false
  return atLeast(state.session.role, role)
}
