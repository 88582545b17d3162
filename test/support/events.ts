import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { DomainEvent } from '../../src/contracts/events.ts'
import { toFields } from '../../src/flow/events/entry.ts'
import type { Delivery, EventLog, Handler, Topics } from '../../src/flow/events/events.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { projectPath } from '../../src/platform/project.ts'
import type { RedisConnection } from '../../src/platform/redis.ts'
import type { EventProcess } from './event-process.ts'

/** Appends events as the claim script does, one buyer each. */
export async function putEvents(redis: RedisConnection, item: string, count: number): Promise<DomainEvent[]> {
  await redis.commands.sadd('items', item)
  const events = Array.from({ length: count }, (_, n): DomainEvent => {
    const base = {
      version: 1,
      order_id: crypto.randomUUID(),
      user_id: `user-${n}`,
      item_id: item,
      sale_id: 'black-friday',
      quantity: 1,
      timestamp: Date.now(),
    } as const
    if (n % 5 === 4) return { type: 'Restocked', ...base }
    const times = { pay_by: base.timestamp + 300_000, hold_expires_at: base.timestamp + 600_000 }
    return { type: 'OrderCreated', ...base, amount: 19_900, currency: 'EUR', claim_seq: n + 1, ...times }
  })
  const add = (event: DomainEvent) => redis.commands.xadd(`item:{${item}}:outbox`, '*', ...toFields(event))
  await Promise.all(events.map(add))
  return events
}

/** A handler that remembers what it was given, by order. */
export function recorder() {
  const seen = new Map<string, Delivery & { times: number }>()
  const handler: Handler = async (batch) => {
    for (const delivery of batch) {
      const { order_id } = delivery.event
      seen.set(order_id, { ...delivery, times: (seen.get(order_id)?.times ?? 0) + 1 })
    }
    return []
  }
  return { seen, handler }
}

/** Runs a worker or relay in a process of its own and kills it where it hangs. */
export async function runUntilKilled(options: EventProcess): Promise<void> {
  const script = projectPath('test/support/event-process.ts')
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${options.role} ended by itself`))),
  ])
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Waits for a condition, at most 20 s where nothing else is said. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${withinMs / 1000} s for ${condition.toString()}`)
    await systemClock.sleep(10)
  }
}

/** What runs in the background of one test: `end` stops all of it and waits. */
export function createBackground() {
  const stop = new AbortController()
  const running: Promise<unknown>[] = []
  const logs: EventLog[] = []
  return {
    signal: stop.signal,
    run: (task: Promise<unknown>) => void running.push(task),
    /** Consumes until the test ends, or until the signal given is aborted. */
    consume: (log: EventLog, handler: Handler, signal = stop.signal) => {
      const consuming = log.consume(handler, signal)
      running.push(consuming)
      logs.push(log)
      return { log, consuming }
    },
    end: async () => {
      stop.abort()
      await Promise.all(running)
      await Promise.all(logs.map((log) => log.close()))
    },
  }
}

/** Topics nobody used before. */
export function newTopics(): Topics {
  const id = crypto.randomUUID()
  return { orders: `orders-${id}`, deadLetters: `orders-${id}.dead-letter` }
}
