import type { OrderCreated, Restocked } from '../../contracts/events.ts'
import type { Clock } from '../../platform/clock.ts'
import { isConnectionError } from '../../platform/errors.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Delivery, Handler, Rejection } from '../events/events.ts'
import { createLanes } from './lanes.ts'
import type { Orders } from './orders.ts'

export interface OrderConsumerParts {
  readonly orders: Orders
  readonly log: Log
  readonly clock: Clock
}

/**
 * The order worker: a batch of events becomes one statement per shard. It resolves once SQL has committed; only
 * then does the event log commit its offset and trim the outbox. Orders of a shard that is away wait in a lane of
 * their own while those of the others go on; where every shard is away, the batch waits as a whole.
 */
export function orderConsumer({ orders, log, clock }: OrderConsumerParts): Handler {
  const write = async (batch: readonly Delivery[]) => {
    const events = batch.map((delivery) => delivery.event)
    const created = events.filter((event): event is OrderCreated => event.type === 'OrderCreated')
    const restocked = events.filter((event): event is Restocked => event.type === 'Restocked')
    if (created.length > 0) await orders.insert(created)
    if (restocked.length > 0) await orders.restocked(restocked)
  }

  /**
   * Of one shard, so that what it refuses has nothing to do with the others. Where SQL refuses something, each half is tried
   * by itself, and so on: the culprits are found, and the others go on.
   */
  const settle = async (batch: readonly Delivery[]): Promise<readonly Rejection[]> => {
    try {
      await write(batch)
      return []
    } catch (error) {
      if (!isRefusal(error)) throw error
      const [delivery] = batch
      if (delivery !== undefined && batch.length === 1) {
        log.error({ err: error, order_id: delivery.event.order_id }, 'SQL refuses an event; dead-lettered')
        return [{ delivery, reason: (error as Error).message }]
      }
    }
    const half = Math.ceil(batch.length / 2)
    return [...(await settle(batch.slice(0, half))), ...(await settle(batch.slice(half)))]
  }

  const lanes = createLanes({ settle, clock, log })

  return async (batch, postponing) => {
    const byShard = [...Map.groupBy(batch, ({ event }) => orders.shardOf(event.user_id))]
    const away: { shard: number; deliveries: readonly Delivery[]; error?: unknown }[] = []
    const rejections = await Promise.all(
      byShard.map(async ([shard, deliveries]) => {
        // Whoever waits for it already finds out when it is back; the batch is not held up by asking.
        if (postponing !== undefined && lanes.isTaken(shard)) away.push({ shard, deliveries })
        else
          try {
            return await settle(deliveries)
          } catch (error) {
            if (!isConnectionError(error)) throw error
            away.push({ shard, deliveries, error })
          }
        return []
      }),
    )
    const failed = away.find(({ error }) => error !== undefined)
    // One shard of several may be away by itself; where no other could do its part either, SQL is.
    const everything = away.length === byShard.length && (away.length > 1 || orders.shards.length === 1)
    if (failed !== undefined && (postponing === undefined || everything)) throw failed.error
    for (const { shard, deliveries } of away)
      postponing?.postpone(deliveries, lanes.join(shard, deliveries, postponing.signal))
    return rejections.flat()
  }
}

/** SQLSTATE classes 22 (data), 23 (constraint) and 54 (too large): the event would be refused again and again. */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^(22|23|54)/.test(code)
}
