import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { type Answer, ask, type Refused } from '../lib/ask.ts'
import { pause, whenVisible } from '../lib/time.ts'
import { sessionState, signedOut } from './session.ts'

export type { Answer, Refused } from '../lib/ask.ts'

export const BASE = '/api/operator'

/** A request to the operator's API, `path` below its base. A session that has ended brings up the sign-in. */
export async function call<Body>(
  path: string,
  options: { method?: string; body?: unknown } = {},
): Promise<Answer<Body>> {
  const answer = await ask<Body>(BASE + path, options)
  if (answer.kind === 'problem' && answer.problem.code === 'operator_only') signedOut()
  return answer
}

/** A refusal in two lines: what happened, and what to do. */
export function explain(refused: Refused): { title: string; detail: string } {
  if (refused.kind === 'unreachable')
    return {
      title: 'The server does not answer.',
      detail: 'Check your connection; nothing is lost by trying again.',
    }
  const { problem } = refused
  const id = problem.code === 'internal' && problem.request_id ? ` (request ${problem.request_id})` : ''
  return { title: `${problem.title}.`, detail: (problem.detail ?? '') + id }
}

/** What a screen shows of one address. `body` stays while a later try fails. */
export interface Load<Body> {
  readonly body: Body | undefined
  readonly refused: Refused | undefined
  readonly reload: () => void
  /** Puts what a command has answered in place of what was loaded. */
  readonly put: (body: Body) => void
}

/**
 * Loads `path`, again every `everyMs` while the page can be seen, and again when somebody has signed in anew.
 * Undefined: nothing to load yet.
 */
export function useLoad<Body>(path: string | undefined, everyMs?: number): Load<Body> {
  const [body, put] = useState<Body>()
  const [refused, setRefused] = useState<Refused>()
  const [round, setRound] = useState(0)
  const state = sessionState.use()
  const signedIn = state.kind === 'in'
  const shownPath = useRef(path)
  useEffect(() => {
    if (path === undefined || !signedIn) return
    if (shownPath.current !== path) {
      put(() => undefined)
      setRefused(undefined)
      shownPath.current = path
    }
    const stop = new AbortController()
    const go = async () => {
      do {
        const answer = await call<Body>(path)
        if (stop.signal.aborted) return
        if (answer.kind === 'ok') put(() => answer.body)
        setRefused(answer.kind === 'ok' ? undefined : answer)
        if (everyMs === undefined) return
        await pause(everyMs)
        await whenVisible()
      } while (!stop.signal.aborted)
    }
    void go()
    return () => stop.abort()
  }, [path, everyMs, round, signedIn])
  return { body, refused, put, reload: useCallback(() => setRound((n) => n + 1), []) }
}
