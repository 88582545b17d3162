/** One request's changes, collected so that they and the stored answer are committed together. */
import type { Store } from './store.ts'
import type { Effect, Kind, Row, RowOf } from './types.ts'

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

export class Work {
  readonly requestId: string
  readonly idempotencyKey: string | null
  /** The sandbox's own address as the caller sees it, for links back to it. */
  readonly origin: string
  private readonly around: Surroundings
  private readonly changed = new Map<string, Row>()

  constructor(around: Surroundings, origin: string, idempotencyKey: string | null = null) {
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

  /** A copy, to be changed and `put` back. */
  get<K extends Kind>(kind: K, id: string): RowOf<K> | undefined {
    const row = this.changed.get(`${kind} ${id}`) ?? this.around.store.get(kind, id)
    return row && (structuredClone(row) as RowOf<K>)
  }

  put(row: Row): void {
    this.changed.set(`${row.object} ${row.id}`, row)
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

  record(kind: Effect['kind'], paymentIntent: string, amount: number): void {
    const id = this.newId('eff')
    this.put({ object: 'sandbox.effect', id, kind, payment_intent: paymentIntent, amount, created: this.now })
  }

  rows(): Row[] {
    return [...this.changed.values()]
  }
}
