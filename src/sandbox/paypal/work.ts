/** One request to PayPal's API: what it changes, and the events it makes. */
import { Changes } from '../changes.ts'
import type { Effect } from '../ledger.ts'
import type { Store as AnyStore } from '../store.ts'
import { isoMinorUnits } from './money.ts'
import type { Order, Row } from './types.ts'

export type Store = AnyStore<Row>

export interface Surroundings {
  readonly store: Store
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** 17 upper-case letters and digits, as PayPal's ids. */
  readonly newId: () => string
}

export class Work extends Changes<Row> {
  /** The sandbox's own address as the caller sees it, for links. */
  readonly base: string
  private readonly around: Surroundings

  constructor(around: Surroundings, base: string) {
    super(around.store)
    this.around = around
    this.base = base
  }

  get now(): number {
    return this.around.now()
  }

  newId(): string {
    return this.around.newId()
  }

  emit(event_type: string, resource_type: string, resource: unknown): void {
    const id = `WH-${this.newId()}-${this.newId()}`
    this.put({
      object: 'event',
      id,
      wire: {
        id,
        event_version: '1.0',
        create_time: new Date(this.now).toISOString(),
        resource_type,
        resource_version: '2.0',
        event_type,
        summary: `${event_type} in the sandbox`,
        resource: structuredClone(resource),
        links: [{ href: `${this.base}/v1/notifications/webhooks-events/${id}`, rel: 'self', method: 'GET' }],
      },
    })
  }

  record(kind: Effect['kind'], order: Order, amount: number): void {
    this.put({
      object: 'sandbox.effect',
      id: this.newId(),
      kind,
      payment: order.id,
      amount: isoMinorUnits(amount, order.currency),
      created: Math.floor(this.now / 1000),
    })
  }
}

/** Seconds precision, as PayPal writes times. */
export const isoTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
