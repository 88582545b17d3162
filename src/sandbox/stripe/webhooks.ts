/** Webhooks: signed as Stripe signs them, sent until acknowledged, found again after a restart. */
import { createHmac } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import type { FaultBox } from './faults.ts'
import type { Store } from './store.ts'
import type { Delivery, Event } from './types.ts'

export interface WebhookOptions {
  url: string
  secret: string
  clock: Clock
  store: Store
  faults: FaultBox
  /** The wait after the first failure, doubling up to `maxRetryMs`. */
  firstRetryMs: number
  maxRetryMs: number
  log: (event: string, fields: Record<string, unknown>) => void
}

const giveUpAfterMs = 3 * 24 * 3600_000
const answerWithinMs = 10_000
const atOnce = 8

/** `Stripe-Signature` of a payload: HMAC-SHA256 of `t.payload` in hexadecimal. `timestamp` in seconds. */
export function signatureHeader(payload: string, secret: string, timestamp: number): string {
  const signature = createHmac('sha256', secret).update(`${timestamp}.${payload}`, 'utf8').digest('hex')
  return `t=${timestamp},v1=${signature}`
}

export class Webhooks {
  private readonly options: WebhookOptions
  private readonly closing = new AbortController()
  private readonly running = new Set<Promise<void>>()
  private readonly waiting: (() => void)[] = []
  private readonly held: Event[] = []
  private free = atOnce

  constructor(options: WebhookOptions) {
    this.options = options
  }

  /** Sends every event that no delivery has ended yet: called once after a start. */
  resume(): void {
    for (const event of this.pending()) this.track(this.deliver(event))
  }

  pending(): Event[] {
    const { store } = this.options
    return store
      .all('event')
      .filter((event) => event.pending_webhooks > 0 && !store.get('sandbox.delivery', event.id))
  }

  send(event: Event): void {
    switch (this.options.faults.current.webhooks) {
      case 'deliver':
        return this.track(this.deliver(event))
      case 'duplicate':
        return this.track(Promise.all([this.deliver(event), this.deliver(event)]))
      case 'drop':
        return this.end(event, 'dropped', 0)
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

  private async releaseHeld(): Promise<void> {
    await this.options.clock.sleep(this.options.faults.current.reorder_hold_ms, this.closing.signal)
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
    this.options.store.commit([{ object: 'sandbox.delivery', id: event.id, result, attempts }])
  }

  /** One attempt, freshly signed. @returns whether the endpoint answered 2xx. */
  private async post(event: Event, attempt: number): Promise<boolean> {
    const { url, secret, clock, log } = this.options
    if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.free -= 1
    try {
      const payload = JSON.stringify(event, null, 2)
      const response = await fetch(url, {
        method: 'POST',
        body: payload,
        redirect: 'manual',
        signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(answerWithinMs)]),
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'stripe-signature': signatureHeader(payload, secret, Math.floor(clock.now() / 1000)),
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        },
      })
      await response.body?.cancel()
      log('webhook_sent', { event_id: event.id, type: event.type, attempt, status: response.status })
      return response.ok
    } catch (error) {
      log('webhook_failed', { event_id: event.id, type: event.type, attempt, error: String(error) })
      return false
    } finally {
      const following = this.waiting.shift()
      if (following) following()
      else this.free += 1
    }
  }
}
