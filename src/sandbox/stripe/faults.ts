/** What can be made to go wrong, set under `/_sandbox/faults`. Kept in memory: a restart heals. */
import { z } from 'zod'

export const operations = [
  'create',
  'retrieve',
  'list',
  'confirm',
  'capture',
  'cancel',
  'refund',
  'events',
] as const
export type Operation = (typeof operations)[number]

export const faultsSchema = z.strictObject({
  /** `drop` loses events for good; `duplicate` sends each twice; `reorder` holds events back and sends the newest first. */
  webhooks: z.enum(['deliver', 'drop', 'duplicate', 'reorder']),
  /** How long `reorder` holds events back. */
  reorder_hold_ms: z.int().min(0).max(60_000),
  /** Added to every API request, before it takes effect. */
  latency_ms: z.int().min(0).max(60_000),
  /** So many API requests are answered 500 and have no effect. */
  fail_next: z.int().min(0).max(1_000_000),
  /** So many API requests take effect, but their answer never comes. */
  lose_next: z.int().min(0).max(1_000_000),
  /** Which requests `latency_ms`, `fail_next` and `lose_next` hit. */
  on: z.enum(['any', ...operations]),
})

export type Faults = z.infer<typeof faultsSchema>

export const noFaults: Faults = {
  webhooks: 'deliver',
  reorder_hold_ms: 300,
  latency_ms: 0,
  fail_next: 0,
  lose_next: 0,
  on: 'any',
}

export class FaultBox {
  current: Faults = { ...noFaults }

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
    return this.current.on === 'any' || this.current.on === operation
  }
}
