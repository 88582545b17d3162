import { createHash } from 'node:crypto'
import type { SaleId } from '../../contracts/ids.ts'
import { Unavailable } from '../../platform/errors.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { keys } from './keys.ts'
import { batchersBy } from './batchers.ts'
import { type Recovery, wantedCeiling } from './recovery.ts'
import * as scripts from './scripts.ts'

/** Somebody who joins. */
export interface Arrival {
  /** What the client repeats when it asks again, as `clientKey` makes it, or ''. */
  readonly client_key: string
  /** Goes into the lobby's rolling hash: what nobody but this visitor could foresee. */
  readonly entropy: string
}

export type Arrived =
  | {
      readonly kind: 'joined'
      /** 0: the lane is full. */
      readonly position: number
      readonly lobby_size: number | undefined
    }
  | { readonly kind: 'ended' }

export type Arrive = ReturnType<typeof createArrivals>

const BATCH = 1024

export interface ArrivalParts {
  readonly redis: RedisConnection
  readonly raise: Recovery['raise']
}

/**
 * Hands out positions: those who arrive in one event-loop turn get theirs together, in the order they came. Over several
 * nodes, nobody who arrives after another has an answer stands before them: only those who arrive within one turn and one
 * answer of Redis of each other, on different nodes, may be swapped.
 */
export function createArrivals({ redis, raise }: ArrivalParts) {
  const handOut = async (
    [sale, lane]: readonly [SaleId, string],
    arrivals: readonly Arrival[],
  ): Promise<readonly Arrived[]> => {
    const run_id = redis.runId(keys.queue(sale, lane))
    if (run_id === undefined) throw new Unavailable('no connection to Redis')
    const result = await scripts.join.run(redis.commands, {
      sale,
      lane,
      run_id,
      client_keys: arrivals.map(({ client_key }) => client_key),
      hash: createHash('sha256')
        .update(arrivals.map(({ entropy }) => entropy).join())
        .digest('hex'),
    })
    switch (result.kind) {
      case 'fenced':
        throw new Unavailable('Redis was restarted or replaced')
      case 'unloaded':
        throw new Unavailable(`the waiting room of ${sale} is missing`)
      case 'reserve':
        await raise({ sale, lane }, wantedCeiling(result.tail, arrivals.length))
        return handOut([sale, lane], arrivals)
      case 'ended':
        return arrivals.map(() => ({ kind: 'ended' }))
      case 'joined': {
        const { kind, lobby_size } = result
        return result.positions.map((position) => ({ kind, position, lobby_size }))
      }
    }
  }
  const batcherOf = batchersBy(handOut, BATCH)
  return (sale: SaleId, lane: string, arrival: Arrival) => batcherOf(sale, lane)(arrival)
}
