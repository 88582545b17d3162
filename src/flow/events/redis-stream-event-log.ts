import type { Clock } from '../../platform/clock.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { letterOf, letterOfRejection, redisDeadLetters, replayDeadLetter } from './dead-letters.ts'
import {
  BATCH,
  type DeadLetter,
  type EventLog,
  type OnRetry,
  type Rejection,
  repeat,
  type RetryOptions,
  untilDone,
} from './delivery.ts'
import { type OutboxEntry, parseDelivery } from './entry.ts'
import {
  acknowledgeAndConfirm,
  countEntries,
  countPending,
  type EntryPlace,
  measureEntries,
  placeOf,
} from './outbox-commands.ts'
import { openOutbox } from './outbox.ts'
import { allIdle, createStep } from './pipeline.ts'
import { createPostponed } from './postponed.ts'

export interface RedisStreamEventLogOptions {
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Name of this worker: stable over restarts and unique among the workers that run. */
  readonly consumer: string
  /** Most events that the handler is given at a time; fewer where no more wait. */
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
    batchSize = BATCH,
    takeOverAfterMs = 5000,
    onRetry = () => undefined,
  } = options
  const deadLetters = redisDeadLetters(redis.commands)

  const confirm = (places: readonly EntryPlace[], letters: readonly DeadLetter[], retry: RetryOptions) =>
    untilDone(
      'confirm events',
      async () => {
        await deadLetters.add(letters)
        await acknowledgeAndConfirm(redis.commands, GROUP, places)
      },
      retry,
    )

  const rejected = (rejections: readonly Rejection[]) =>
    rejections.map((rejection) => letterOfRejection(rejection, clock.now()))

  return {
    consume: async (handler, signal) => {
      const retry = { clock, signal, onRetry }
      const opening = () => openOutbox({ redis, clock, group: GROUP, consumer, takeOverAfterMs })
      const postponed = createPostponed(async ({ done, rejections }) => {
        await confirm(done.map(placeOf), rejected(rejections), retry)
      })
      // While SQL commits a batch the one before is confirmed, and where more than a batch waits the next is read.
      const [handling, confirming] = [createStep(), createStep()]
      let stopped = false

      /** What is stopped before SQL has it stays pending. */
      const settle = async (entries: readonly OutboxEntry[]) => {
        if (stopped) return
        const sorted = entries.map((entry) => ({ entry, delivery: parseDelivery(entry) }))
        const deliveries = sorted.flatMap(({ delivery }) => delivery ?? [])
        const unreadable = sorted.flatMap(({ entry, delivery }) => (delivery ? [] : entry))
        const handling = () => postponed.handle(handler, deliveries, signal)
        const handled = (await untilDone('handle events', handling, retry))?.result
        stopped = handled === undefined
        if (handled === undefined) return
        const letters = unreadable.map((entry) => letterOf(entry, 'not an event', clock.now()))
        const places = [...handled.done.map(placeOf), ...unreadable]
        await confirming.begin(async () => {
          await confirm(places, [...rejected(handled.rejections), ...letters], retry)
        })
      }

      const outbox = (await untilDone('open the outbox', opening, retry))?.result
      await repeat(
        'read the outbox',
        async (progress) => {
          try {
            const entries = (await outbox?.read(batchSize)) ?? []
            for (let start = 0; start < entries.length; start += batchSize)
              await handling.begin(() => settle(entries.slice(start, start + batchSize)))
            if (entries.length < batchSize) await handling.idle()
          } catch (error) {
            // It reads anew what is not confirmed: nothing of that may be under way.
            await allIdle(handling, confirming)
            throw error
          }
          progress()
        },
        retry,
      )
      await allIdle(handling, confirming)
      await postponed.settled()
      await outbox?.close()
    },
    backlog: () => countEntries(redis.commands),
    // The outbox is the log: what SQL does not have is still in it.
    drained: async () => true,
    inspect: async () => {
      const items = await measureEntries(redis.commands)
      const all = items.reduce((sum, { outbox }) => sum + outbox, 0)
      return { items, consumer_lag: Math.max(0, all - (await countPending(redis.commands, GROUP))) }
    },
    deadLetters: async (max) => (await deadLetters.list()).slice(0, max),
    replay: (id) => replayDeadLetter(redis.commands, deadLetters, id),
    close: async () => undefined,
  }
}
