import type { Clock } from '../../platform/clock.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { letterOf, letterOfRejection, redisDeadLetters, replayDeadLetter } from './dead-letters.ts'
import {
  type EventLog,
  type Handler,
  type OnRetry,
  repeat,
  type RetryOptions,
  untilDone,
} from './delivery.ts'
import { type OutboxEntry, parseDelivery } from './entry.ts'
import { acknowledgeAndConfirm, countEntries } from './outbox-commands.ts'
import { openOutbox } from './outbox.ts'

export interface RedisStreamEventLogOptions {
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Name of this worker: stable over restarts and unique among the workers that run. */
  readonly consumer: string
  readonly batchSize?: number
  /** What a worker does not finish in this time is given to another, in milliseconds. */
  readonly takeOverAfterMs?: number
  readonly onRetry?: OnRetry
}

const GROUP = 'orders'

/** The embedded profile: the worker reads the outbox streams itself, through a consumer group. */
export function createRedisStreamEventLog(options: RedisStreamEventLogOptions): EventLog {
  const {
    redis,
    clock,
    consumer,
    batchSize = 256,
    takeOverAfterMs = 5000,
    onRetry = () => undefined,
  } = options
  const deadLetters = redisDeadLetters(redis.commands)

  /** False when it was stopped before the batch was done: its entries stay pending. */
  const settle = async (entries: readonly OutboxEntry[], handler: Handler, retry: RetryOptions) => {
    const sorted = entries.map((entry) => ({ entry, delivery: parseDelivery(entry) }))
    const deliveries = sorted.flatMap(({ delivery }) => delivery ?? [])
    const handled = await untilDone(
      'handle events',
      async () => (deliveries.length > 0 ? handler(deliveries) : []),
      retry,
    )
    if (handled === undefined) return false

    const now = clock.now()
    const letters = [
      ...handled.result.map((rejection) => letterOfRejection(rejection, now)),
      ...sorted.flatMap(({ entry, delivery }) => (delivery ? [] : letterOf(entry, 'not an event', now))),
    ]
    const confirmed = await untilDone(
      'confirm events',
      async () => {
        await deadLetters.add(letters)
        await acknowledgeAndConfirm(redis.commands, GROUP, entries)
      },
      retry,
    )
    return confirmed !== undefined
  }

  return {
    consume: async (handler, signal) => {
      const retry = { clock, signal, onRetry }
      const opening = () => openOutbox({ redis, clock, group: GROUP, consumer, takeOverAfterMs })
      const outbox = (await untilDone('open the outbox', opening, retry))?.result
      await repeat(
        'read the outbox',
        async (progress) => {
          const entries = (await outbox?.read(batchSize)) ?? []
          for (let start = 0; start < entries.length; start += batchSize)
            if (!(await settle(entries.slice(start, start + batchSize), handler, retry))) return
          progress()
        },
        retry,
      )
      await outbox?.close()
    },
    backlog: () => countEntries(redis.commands),
    deadLetters: async (max) => (await deadLetters.list()).slice(0, max),
    replay: (id) => replayDeadLetter(redis.commands, deadLetters, id),
    close: async () => undefined,
  }
}
