/** Webhooks: sent as the provider signs them, until acknowledged, and found again after a restart. */
import type { Clock } from '../platform/clock.ts'
import type { FaultBox } from './faults.ts'
import type { AnyRow } from './store.ts'

/** How the delivery of an event ended; an event without one is still to be delivered. */
export interface Delivery {
  object: 'sandbox.delivery'
  /** The event's id. */
  id: string
  result: 'acknowledged' | 'dropped' | 'given_up'
  attempts: number
}

export interface WebhookOptions<Event extends AnyRow, Operation extends string> {
  url: string
  /** Body and headers of one attempt, freshly signed. */
  sign: (event: Event) => { body: string; headers: Record<string, string> }
  /** Events to be sent, delivered or not. */
  events: () => Event[]
  clock: Clock
  ended: (eventId: string) => boolean
  commit: (delivery: Delivery) => void
  faults: FaultBox<Operation>
  /** The wait after the first failure, doubling up to `maxRetryMs`. */
  firstRetryMs: number
  maxRetryMs: number
  log: (event: string, fields: Record<string, unknown>) => void
}

const giveUpAfterMs = 3 * 24 * 3600_000
const answerWithinMs = 10_000
const atOnce = 8

export class Webhooks<Event extends AnyRow, Operation extends string> {
  private readonly options: WebhookOptions<Event, Operation>
  private readonly closing = new AbortController()
  private readonly running = new Set<Promise<void>>()
  private readonly waiting: (() => void)[] = []
  private readonly held: Event[] = []
  private free = atOnce

  constructor(options: WebhookOptions<Event, Operation>) {
    this.options = options
  }

  /** Sends every event that no delivery has ended yet: called once after a start. */
  resume(): void {
    for (const event of this.pending()) this.track(this.deliver(event))
  }

  pending(): Event[] {
    const { ended, events } = this.options
    return events().filter((event) => !ended(event.id))
  }

  send(event: Event): void {
    switch (this.options.faults.current.webhooks) {
      case 'deliver':
        return this.track(this.deliver(event))
      case 'duplicate':
        return this.track(Promise.all([this.deliver(event), this.deliver(event)]))
      case 'drop':
        return this.end(event, 'dropped', 0)
      case 'late':
        return this.track(this.pause().then(() => this.deliver(event)))
      case 'reorder':
        if (this.held.push(event) === 1) this.track(this.releaseHeld())
    }
  }

  /** Stops sending; what is not acknowledged goes out again after the next start. */
  async close(): Promise<void> {
    this.closing.abort()
    for (const wake of this.waiting.splice(0)) wake()
    await Promise.all(this.running)
  }

  private track(work: Promise<unknown>): void {
    const task = work.then(
      () => undefined,
      (error: unknown) => this.options.log('webhook_task_failed', { error: String(error) }),
    )
    this.running.add(task)
    void task.then(() => this.running.delete(task))
  }

  private pause(): Promise<void> {
    return this.options.clock.sleep(this.options.faults.current.reorder_hold_ms, this.closing.signal)
  }

  private async releaseHeld(): Promise<void> {
    await this.pause()
    for (const event of this.held.splice(0).reverse()) await this.deliver(event)
  }

  private async deliver(event: Event): Promise<void> {
    const { clock, firstRetryMs, maxRetryMs } = this.options
    const deadline = clock.now() + giveUpAfterMs
    for (let attempt = 1; !this.closing.signal.aborted; attempt++) {
      if (await this.post(event, attempt)) return this.end(event, 'acknowledged', attempt)
      if (this.closing.signal.aborted) return
      if (clock.now() > deadline) return this.end(event, 'given_up', attempt)
      await clock.sleep(Math.min(maxRetryMs, firstRetryMs * 2 ** (attempt - 1)), this.closing.signal)
    }
  }

  private end(event: Event, result: Delivery['result'], attempts: number): void {
    if (this.closing.signal.aborted) return
    this.options.commit({ object: 'sandbox.delivery', id: event.id, result, attempts })
  }

  /** One attempt. @returns whether the endpoint answered 2xx. */
  private async post(event: Event, attempt: number): Promise<boolean> {
    const { url, sign, log } = this.options
    if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.free -= 1
    try {
      const { body, headers } = sign(event)
      const response = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(answerWithinMs)]),
        headers,
      })
      await response.body?.cancel()
      log('webhook_sent', { event_id: event.id, attempt, status: response.status })
      return response.ok
    } catch (error) {
      log('webhook_failed', { event_id: event.id, attempt, error: String(error) })
      return false
    } finally {
      const following = this.waiting.shift()
      if (following) following()
      else this.free += 1
    }
  }
}
