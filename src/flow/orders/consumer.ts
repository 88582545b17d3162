import type { OrderCreated, Restocked } from '../../contracts/events.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Delivery, Handler, Rejection } from '../events/events.ts'
import type { Orders } from './orders.ts'

/**
 * The order worker: a batch of events becomes one statement per shard. It resolves once SQL has committed; only
 * then does the event log commit its offset and trim the outbox.
 */
export function orderConsumer({ orders, log }: { orders: Orders; log: Log }): Handler {
  const write = async (batch: readonly Delivery[]) => {
    const events = batch.map((delivery) => delivery.event)
    const created = events.filter((event): event is OrderCreated => event.type === 'OrderCreated')
    const restocked = events.filter((event): event is Restocked => event.type === 'Restocked')
    if (created.length > 0) await orders.insert(created)
    if (restocked.length > 0) await orders.restocked(restocked)
  }

  return async (batch) => {
    try {
      await write(batch)
      return []
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
    // SQL refused something in the batch: find the culprits one by one, so that the others go on.
    const rejections: Rejection[] = []
    for (const delivery of batch) {
      try {
        await write([delivery])
      } catch (error) {
        if (!isRefusal(error)) throw error
        log.error({ err: error, order_id: delivery.event.order_id }, 'SQL refuses an event; dead-lettered')
        rejections.push({ delivery, reason: (error as Error).message })
      }
    }
    return rejections
  }
}

/** SQLSTATE classes 22 (data), 23 (constraint) and 54 (too large): the event would be refused again and again. */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^(22|23|54)/.test(code)
}
