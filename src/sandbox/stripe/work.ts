/** One request to Stripe's API: what it changes, and the events it makes. */
import { Changes } from '../changes.ts'
import type { Effect } from '../ledger.ts'
import type { Store } from './store.ts'
import type { Row } from './types.ts'

export interface Surroundings {
  store: Store
  /** Milliseconds since the epoch. */
  now: () => number
  /** A fresh id such as `pi_...`. */
  newId: (prefix: string) => string
  apiVersion: string
  /** How many endpoints an event is sent to: 0 or 1. */
  endpoints: number
}

export class Work extends Changes<Row> {
  readonly requestId: string
  readonly idempotencyKey: string | null
  /** The sandbox's own address as the caller sees it, for links back to it. */
  readonly origin: string
  private readonly around: Surroundings

  constructor(around: Surroundings, origin: string, idempotencyKey: string | null = null) {
    super(around.store)
    this.around = around
    this.origin = origin
    this.idempotencyKey = idempotencyKey
    this.requestId = around.newId('req')
  }

  /** Seconds since the epoch. */
  get now(): number {
    return Math.floor(this.around.now() / 1000)
  }

  get apiVersion(): string {
    return this.around.apiVersion
  }

  newId(prefix: string): string {
    return this.around.newId(prefix)
  }

  /** Records an event showing `object` as it is now. */
  emit(type: string, object: unknown): void {
    this.put({
      object: 'event',
      id: this.newId('evt'),
      api_version: this.around.apiVersion,
      created: this.now,
      data: { object: structuredClone(object) },
      livemode: false,
      pending_webhooks: this.around.endpoints,
      request: { id: this.requestId, idempotency_key: this.idempotencyKey },
      type,
    })
  }

  record(kind: Effect['kind'], payment: string, amount: number): void {
    this.put({
      object: 'sandbox.effect',
      id: this.newId('eff'),
      kind,
      payment,
      amount,
      created: this.now,
    })
  }
}
