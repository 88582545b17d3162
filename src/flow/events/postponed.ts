import { ownerOf } from '../../contracts/parts.ts'
import type { Delivery, Handler, Rejection } from './delivery.ts'

/** The outcome of a batch; what was postponed is in neither list. */
export interface Handled {
  readonly done: readonly Delivery[]
  readonly rejections: readonly Rejection[]
}

export interface Postponed {
  /** Hands a batch to the handler, without what waits already: it may have come a second time. */
  handle(handler: Handler, batch: readonly Delivery[], signal: AbortSignal): Promise<Handled>
  /** Resolves when nothing waits any more; after the signal was aborted that is soon. */
  settled(): Promise<void>
}

/** Names an event, however often it comes. */
export const keyOf = (delivery: Delivery) =>
  `${ownerOf(delivery.event.item_id, delivery.part)}:${delivery.outbox_id}`

/**
 * Keeps track of deliveries whose handler goes on working on them after their batch. `finish` is called with them when
 * their effect is durable. What is not finished, for whatever reason, is still in the outbox and comes again.
 */
export function createPostponed(finish: (handled: Handled) => Promise<void>): Postponed {
  const waiting = new Set<string>()
  const endings = new Set<Promise<void>>()

  const wait = (
    deliveries: readonly Delivery[],
    done: Promise<readonly Rejection[] | undefined>,
  ): Promise<void> => {
    for (const delivery of deliveries) waiting.add(keyOf(delivery))
    return done
      .then((rejections) => rejections && finish({ done: deliveries, rejections }))
      .catch(() => undefined)
      .finally(() => {
        for (const delivery of deliveries) waiting.delete(keyOf(delivery))
      })
  }

  return {
    handle: async (handler, batch, signal) => {
      const fresh = batch.filter((delivery) => !waiting.has(keyOf(delivery)))
      const later = new Set<Delivery>()
      const rejections =
        fresh.length === 0
          ? []
          : await handler(fresh, {
              signal,
              postpone: (deliveries, done) => {
                for (const delivery of deliveries) later.add(delivery)
                const ending = wait(deliveries, done)
                endings.add(ending)
                void ending.finally(() => endings.delete(ending))
              },
            })
      return { done: fresh.filter((delivery) => !later.has(delivery)), rejections }
    },
    settled: async () => void (await Promise.all(endings)),
  }
}
