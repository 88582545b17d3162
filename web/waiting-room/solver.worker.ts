import type { Challenge, Solution } from '../../src/contracts/guard.ts'
import { solve, type SolveOptions } from './solve.ts'

/** What the page sends: a challenge, and this worker's share of the search. One answer comes for each. */
export interface SolveRequest extends SolveOptions {
  readonly challenge: Challenge
}

export type SolveAnswer =
  | { readonly kind: 'solved'; readonly solution: Solution }
  /** Nothing in this share, or a challenge that this worker does not know. */
  | { readonly kind: 'not_found' }

self.onmessage = ({ data }: MessageEvent<SolveRequest>) => {
  self.postMessage(answer(data))
}

function answer({ challenge, ...options }: SolveRequest): SolveAnswer {
  try {
    const solution = solve(challenge, options)
    return solution === undefined ? { kind: 'not_found' } : { kind: 'solved', solution }
  } catch {
    return { kind: 'not_found' }
  }
}
