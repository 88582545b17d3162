import { AsyncLocalStorage } from 'node:async_hooks'
import { Overloaded } from './errors.ts'

/** What everything that is done for one request may know of it, without being handed it. */
export interface Urgency {
  /** `performance.now()` at which nobody waits for the answer any more. */
  readonly until: number
  /** Whether it may be turned away to keep room for payments. */
  readonly sheddable: boolean
}

const current = new AsyncLocalStorage<Urgency>()

/** Does the work of one request; queues on its way ask for what is left of its time. */
export const withUrgency = <T>(urgency: Urgency, work: () => T): T => current.run(urgency, work)

/** Work that others wait for too, or that goes on when the request has been answered. */
export const forEverybody = <T>(work: () => T): T => current.exit(work)

/** Milliseconds until nobody waits any more; undefined outside a request. Negative when it is over. */
export function timeLeftMs(): number | undefined {
  const urgency = current.getStore()
  return urgency && urgency.until - performance.now()
}

/** Work of a request that may be turned away; workers and payments may not. */
export const isSheddable = (): boolean => current.getStore()?.sheddable ?? false

/** Throws `Overloaded` where the request's time is over: better not begun than done for nobody. */
export function refuseWhenLate(): void {
  const left = timeLeftMs()
  if (left !== undefined && left <= 0) throw new Overloaded('the time of the request is over')
}
