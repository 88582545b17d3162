/** What can be made to go wrong at a sandbox, set under `/_sandbox/faults`. Kept in memory: a restart heals. */
import { z } from 'zod'

export const noFaults = {
  webhooks: 'deliver',
  reorder_hold_ms: 300,
  latency_ms: 0,
  fail_next: 0,
  lose_next: 0,
  on: 'any',
} as const

/** `operations`: the provider's requests by name. */
export function faultsSchema<const Operation extends string>(operations: readonly Operation[]) {
  const one = z.enum(operations)
  return z.strictObject({
    /**
     * `drop` loses events for good; `duplicate` sends each twice; `reorder` holds events back and sends the newest
     * first; `late` holds each back by itself.
     */
    webhooks: z.enum(['deliver', 'drop', 'duplicate', 'reorder', 'late']),
    /** How long `reorder` and `late` hold events back. */
    reorder_hold_ms: z.int().min(0).max(60_000),
    /** Added to every API request, before it takes effect. */
    latency_ms: z.int().min(0).max(60_000),
    /** So many API requests are answered with a server error and have no effect. */
    fail_next: z.int().min(0).max(1_000_000),
    /** So many API requests take effect, but their answer never comes. */
    lose_next: z.int().min(0).max(1_000_000),
    /** Which requests `latency_ms`, `fail_next` and `lose_next` hit: all, or an outage of a part. */
    on: z.union([z.literal('any'), one, z.array(one).min(1)]),
  })
}

export type FaultsOf<Operation extends string> = z.infer<ReturnType<typeof faultsSchema<Operation>>>

export class FaultBox<Operation extends string = string> {
  current: FaultsOf<Operation> = { ...noFaults }
  readonly schema: ReturnType<typeof faultsSchema<Operation>>

  constructor(operations: readonly Operation[]) {
    this.schema = faultsSchema(operations)
  }

  latency(operation: Operation): number {
    return this.hits(operation) ? this.current.latency_ms : 0
  }

  /** Uses up one failure or loss if there is one for this operation. */
  take(fault: 'fail_next' | 'lose_next', operation: Operation): boolean {
    if (!this.hits(operation) || this.current[fault] === 0) return false
    this.current[fault] -= 1
    return true
  }

  private hits(operation: Operation): boolean {
    const { on } = this.current
    return on === 'any' || on === operation || (Array.isArray(on) && on.includes(operation))
  }
}
