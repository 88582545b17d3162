import type { Answer } from '../lib/api.ts'
import type { ProblemBody, ProblemCode } from '../../src/contracts/problems.ts'
import type { ClaimAnswer } from '../../src/contracts/shapes.ts'

/** One click on "claim": kept before it is sent, so that a retry or a refresh repeats it and never makes a second. */
export interface Attempt {
  readonly idempotency_key: string
  readonly item_id: string
  readonly quantity: number
}

/** What this tab knows of its checkout of one sale. */
export interface CheckoutMemory {
  readonly pass?: string
  readonly attempt?: Attempt
  readonly claim?: ClaimAnswer & { readonly item_id: string }
}

/** Refused, and the pass is free: another item may be tried with a new key, or the same later with the same. */
export interface Refusal {
  readonly kind: 'not_this_time' | 'held' | 'try_later'
  readonly problem: ProblemBody
}

export type Verdict =
  | { readonly kind: 'got'; readonly claim: ClaimAnswer }
  /** No answer that settles it: send the same attempt again. */
  | { readonly kind: 'unsure'; readonly again_s: number }
  | Refusal
  /** Nothing can be claimed with this pass any more. */
  | { readonly kind: 'over'; readonly problem: ProblemBody }

const REFUSALS: Partial<Record<ProblemCode, 'not_this_time' | 'held' | 'over'>> = {
  sold_out: 'not_this_time',
  held_out: 'held',
  not_enough_left: 'held',
  pass_missing: 'over',
  pass_invalid: 'over',
  pass_expired: 'over',
  pass_foreign: 'over',
  pass_used: 'over',
  ended: 'over',
}

/**
 * The same wish once more. It keeps its key: where the answer to an earlier try was lost, the pass is still bound to that
 * one. Only a key that stands for something else already needs another.
 */
export const sameWish = (attempt: Attempt, { problem }: Refusal, newKey: () => string): Attempt =>
  problem.code === 'idempotency_key_reused' ? { ...attempt, idempotency_key: newKey() } : attempt

/** What the answer to a claim means for the buyer. */
export function judge(answer: Answer<ClaimAnswer>): Verdict {
  if (answer.kind === 'ok') return { kind: 'got', claim: answer.body }
  if (answer.kind === 'unreachable') return { kind: 'unsure', again_s: 1 }
  const { problem, retryAfterS } = answer
  if (problem.status >= 500 || problem.status === 429) return { kind: 'unsure', again_s: retryAfterS ?? 1 }
  const kind = REFUSALS[problem.code] ?? 'try_later'
  return kind === 'over' ? { kind, problem } : { kind, problem }
}

/** When a pass ends, in ms since the epoch, read from the token itself; undefined where it can not be read. */
export function passEnd(pass: string): number | undefined {
  try {
    const payload = (pass.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}
