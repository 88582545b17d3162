import { createBackoff } from '../../platform/backoff.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/telemetry.ts'
import type { Delivery, Rejection } from '../events/events.ts'

/** Where events wait for a shard that is away, in the order they came. */
export interface Lanes {
  /** Somebody waits for this shard. */
  isTaken(shard: number): boolean
  /**
   * Waits in the shard's lane. Resolves with the rejections when SQL has them; with undefined when the lane is full or
   * the signal was aborted: whoever keeps them is to bring them again.
   */
  join(
    shard: number,
    deliveries: readonly Delivery[],
    signal: AbortSignal,
  ): Promise<readonly Rejection[] | undefined>
}

interface Waiting {
  readonly deliveries: readonly Delivery[]
  readonly resolve: (rejections: readonly Rejection[] | undefined) => void
}

export interface LaneParts {
  /** Writes deliveries of one shard; throws while it is away. */
  readonly settle: (deliveries: readonly Delivery[]) => Promise<readonly Rejection[]>
  readonly clock: Clock
  readonly log: Log
  /** Most deliveries that wait for one shard here, in memory; the others wait in the outbox alone. */
  readonly most?: number
}

export function createLanes({ settle, clock, log, most = 10_000 }: LaneParts): Lanes {
  const lanes = new Map<number, { queue: Waiting[]; length: number }>()

  /** Tries the first until it is through, then the next; the only one who asks the shard meanwhile. */
  const serve = async (shard: number, queue: Waiting[], signal: AbortSignal) => {
    log.warn({ shard }, 'a shard is away; its orders wait, those of the others go on')
    const backoff = createBackoff(100, 2000)
    for (let first = queue[0]; first !== undefined && !signal.aborted; first = queue[0]) {
      try {
        first.resolve(await settle(first.deliveries))
        leave(shard)
        backoff.reset()
      } catch (error) {
        log.debug({ err: error, shard }, 'a shard is still away')
        await clock.sleep(backoff.next(), signal)
      }
    }
    if (!signal.aborted) log.warn({ shard }, 'the shard is back; what waited for it is written')
    lanes.delete(shard)
    for (const { resolve } of queue) resolve(undefined)
  }
  const leave = (shard: number) => {
    const lane = lanes.get(shard)
    if (lane !== undefined) lane.length -= lane.queue.shift()?.deliveries.length ?? 0
  }

  return {
    isTaken: (shard) => lanes.has(shard),
    join: (shard, deliveries, signal) => {
      const lane = lanes.get(shard) ?? { queue: [], length: 0 }
      if (lane.length + deliveries.length > most) return Promise.resolve(undefined)
      return new Promise((resolve) => {
        lane.queue.push({ deliveries, resolve })
        lane.length += deliveries.length
        if (lanes.has(shard)) return
        lanes.set(shard, lane)
        void serve(shard, lane.queue, signal)
      })
    },
  }
}
