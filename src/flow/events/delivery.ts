import type { DomainEvent } from '../../contracts/events.ts'
import type { ItemId } from '../../contracts/ids.ts'
import { createBackoff } from '../../platform/backoff.ts'
import type { Clock } from '../../platform/clock.ts'

/**
 * Most events in a batch. Whoever reads takes what waits and no more, so batches are small while little happens. Larger
 * ones gain little, and hold up Redis, which answers claims meanwhile.
 */
export const BATCH = 1024

export interface Delivery {
  /** Id of the entry in the outbox stream of `event.item_id`. */
  readonly outbox_id: string
  /** In that of this further part of the item; left out: of the item itself, or its first part. */
  readonly part?: string
  readonly event: DomainEvent
}

/** An event that can never succeed: it goes to the dead letters and blocks nobody. */
export interface Rejection {
  readonly delivery: Delivery
  readonly reason: string
}

/** For a handler that can do a part of a batch only, because a database of several is away. */
export interface Postponing {
  /** Aborted when the worker stops. */
  readonly signal: AbortSignal
  /**
   * Takes these out of the batch, which is then done without them. They stay in the outbox until `done` gives the
   * rejections among them; undefined, or the end of the worker, leaves them there, and they come again by themselves.
   */
  postpone(deliveries: readonly Delivery[], done: Promise<readonly Rejection[] | undefined>): void
}

/**
 * Makes the effect of a whole batch durable and returns those that can never succeed. Throws when it should
 * be tried again (SQL is down). The same event may come twice, in one batch too.
 */
export type Handler = (batch: readonly Delivery[], postponing?: Postponing) => Promise<readonly Rejection[]>

/** What was set aside, as it stood in the outbox. */
export interface DeadLetter {
  /** `item_id:outbox_id`, with the part in `item_id.part` where there is one; for a message that came from elsewhere, its place in the log. */
  readonly id: string
  readonly item_id: ItemId
  /** As in the delivery. */
  readonly part?: string
  readonly outbox_id: string
  readonly reason: string
  /** Fields of the event as text, or what could be read of the entry. Put back, they are an entry in its earlier form. */
  readonly fields: Readonly<Record<string, string>>
  /** Milliseconds since the epoch when it was set aside. */
  readonly at: number
}

/** `unknown`: there is no such dead letter. `no_outbox`: its item has no outbox to put it back into. */
export type Replay = 'replayed' | 'unknown' | 'no_outbox'

/** What is on its way from stock to SQL, as an operator wants to know it. */
export interface Backlog {
  readonly items: readonly ItemBacklog[]
  /** Events that no order worker has been given yet; null while the log can not be asked (Kafka is away). */
  readonly consumer_lag: number | null
}

export interface ItemBacklog {
  readonly item_id: ItemId
  /** Entries in its outbox: SQL has not confirmed their effect. */
  readonly outbox: number
  /** Age of the oldest of them in seconds, by the clock of Redis; null where there is none. */
  readonly oldest_s: number | null
}

/** Carries the order log from the outbox to its workers. One contract, two adapters. */
export interface EventLog {
  /**
   * Delivers events at least once, in batches, until the signal is aborted; finishes the batch under way
   * first. After the handler resolved: confirm in the outbox (XDEL), then commit. A handler
   * that throws gets the same batch again after a jittered, growing delay: nothing is skipped. Events of one
   * user come in order as long as nothing fails and the adapter keeps them together (Kafka does).
   */
  consume(handler: Handler, signal: AbortSignal): Promise<void>
  /** Events taken from stock whose effect SQL has not confirmed: the entries left in all outboxes. */
  backlog(): Promise<number>
  /**
   * Whether SQL has the effect of every event that had left its outbox for the log when this was asked; waits up to 5 s
   * for the workers. False too where the log can not be asked: nobody knows then.
   */
  drained(): Promise<boolean>
  /** The same, item by item. */
  inspect(): Promise<Backlog>
  /** The oldest `max` dead letters. */
  deadLetters(max: number): Promise<DeadLetter[]>
  /** Puts a dead letter's event back into its item's outbox and takes it off the dead letters. */
  replay(id: string): Promise<Replay>
  close(): Promise<void>
}

/** Told of failures that are retried, so that somebody hears of them. */
export type OnRetry = (what: string, error: unknown) => void

export interface RetryOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onRetry: OnRetry
}

/**
 * Does it until it succeeds, waiting 50 ms to 5 s between attempts. Always attempts once; undefined when the
 * signal was aborted before an attempt succeeded.
 */
export async function untilDone<Result>(
  what: string,
  attempt: () => Promise<Result>,
  { clock, signal, onRetry }: RetryOptions,
): Promise<{ result: Result } | undefined> {
  const backoff = createBackoff(50, 5000)
  for (;;) {
    try {
      return { result: await attempt() }
    } catch (error) {
      onRetry(what, error)
      if (signal.aborted) return undefined
      await clock.sleep(backoff.next(), signal)
    }
    if (signal.aborted) return undefined
  }
}

/**
 * Runs the body again and again until the signal is aborted. One that throws runs again after a delay, which
 * grows from 50 ms to 5 s until the body reports progress.
 */
export async function repeat(
  what: string,
  body: (progress: () => void) => Promise<void>,
  { clock, signal, onRetry }: RetryOptions,
): Promise<void> {
  const backoff = createBackoff(50, 5000)
  while (!signal.aborted) {
    try {
      await body(() => backoff.reset())
    } catch (error) {
      onRetry(what, error)
      await clock.sleep(backoff.next(), signal)
    }
  }
}
