import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { DomainEvent } from '../../src/contracts/events.ts'
import type { EventLog, Handler } from '../../src/flow/events/events.ts'
import { createBackground, recorder } from './events.ts'

/** What the contract needs to know about an adapter, real or modelled: each in a time of its own. */
export interface Rig {
  worker(name: string): EventLog
  /** A worker that is killed with its first batch in hand, or when that is done and is to leave the outbox. */
  dies(name: string, at: 'handler' | 'outbox'): Promise<void>
  /** Appends events as the claim script does, one buyer each. */
  put(item: string, count: number): Promise<DomainEvent[]>
  /** Redis is killed and starts again, with everything it had written. */
  redisDies(): Promise<void>
  until(condition: () => boolean | Promise<boolean>): Promise<void>
  sleep(ms: number): Promise<void>
  /** What a worker does not finish in this time is given to another, in ms. */
  readonly takeOverMs: number
  /** The log is another than the outbox, and knows how far SQL has got. */
  readonly keepsOffsets: boolean
  end?(): Promise<void>
}

type CreateRig = (background: ReturnType<typeof createBackground>) => Rig | Promise<Rig>

/** One contract for every event log: at least once, nothing skipped, nothing left behind. */
export function eventLogContract(name: string, available: boolean, createRig: CreateRig): void {
  describe.skipIf(!available)(name, () => {
    let rig: Rig
    let background: ReturnType<typeof createBackground>
    beforeEach(async () => {
      background = createBackground()
      rig = await createRig(background)
    })
    afterEach(async () => {
      await background.end()
      await rig.end?.()
    })
    const consume = (consumer: string, handler: Handler, signal = background.signal) =>
      background.consume(rig.worker(consumer), handler, signal)
    const put = (item: string, count: number) => rig.put(item, count)
    const until = (condition: () => boolean | Promise<boolean>) => rig.until(condition)

    test('delivers every event of every item and takes it off the outbox', async () => {
      const sent = [...(await put('tv', 120)), ...(await put('phone', 120)), ...(await put('shoe', 60))]
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', handler)
      expect(await log.backlog()).toBe(300)
      await until(() => seen.size === 300)
      expect([...seen.keys()].toSorted()).toEqual(sent.map((event) => event.order_id).toSorted())
      for (const event of sent) expect(seen.get(event.order_id)?.event).toEqual(event)
      await until(async () => (await log.backlog()) === 0)
      expect(await log.deadLetters(10)).toEqual([])
    })

    test('gives a batch again to a handler that threw, and later events after it', async () => {
      const first = await put('tv', 5)
      const { seen, handler } = recorder()
      let failures = 0
      const { log } = consume('worker-1', async (batch) => {
        if (failures < 3) {
          failures++
          throw new Error('SQL is down')
        }
        return handler(batch)
      })
      await until(() => failures === 3)
      const later = await put('tv', 5)
      await until(async () => (await log.backlog()) === 0)
      expect([...seen.keys()].toSorted()).toEqual([...first, ...later].map((e) => e.order_id).toSorted())
    })

    test('sets aside what the handler rejects; the rest goes on', async () => {
      const sent = await put('tv', 6)
      const poison = sent[2]?.order_id
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', async (batch) => {
        await handler(batch)
        return batch
          .filter(({ event }) => event.order_id === poison)
          .map((delivery) => ({ delivery, reason: 'amount differs from the price' }))
      })
      await until(async () => (await log.backlog()) === 0)
      expect([...seen.keys()].toSorted()).toEqual(sent.map((e) => e.order_id).toSorted())
      const letters = await log.deadLetters(10)
      expect(letters.map(({ reason, item_id, fields }) => [reason, item_id, fields['order_id']])).toEqual([
        ['amount differs from the price', 'tv', poison],
      ])
    })

    test('sees an item that appears while it runs', async () => {
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', handler)
      await put('tv', 1)
      await until(() => seen.size === 1)
      const later = await put('brand-new', 1)
      await until(() => seen.has(later[0]?.order_id ?? ''))
      await until(async () => (await log.backlog()) === 0)
    })

    /** An event that was set aside; whatever comes from now on is taken. */
    const setAside = async () => {
      const [sent] = await put('tv', 1)
      let poisoned = true
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', async (batch) => {
        if (!poisoned) return handler(batch)
        return batch.map((delivery) => ({ delivery, reason: 'no such price' }))
      })
      await until(async () => (await log.backlog()) === 0)
      const [letter] = await log.deadLetters(10)
      poisoned = false
      return { sent, seen, log, letter }
    }

    test('gives a dead letter again when it is replayed', async () => {
      const { sent, seen, log, letter } = await setAside()
      expect(await log.replay(letter?.id ?? '')).toBe('replayed')
      await until(async () => (await log.backlog()) === 0)
      expect(seen.get(sent?.order_id ?? '')?.event).toEqual(sent as DomainEvent)
      expect(await log.deadLetters(10)).toEqual([])
      expect(await log.replay(letter?.id ?? '')).toBe('unknown')
    })

    test('a dead letter that two replay at once comes twice at most, and leaves nothing behind', async () => {
      const { sent, seen, log, letter } = await setAside()
      const outcomes = await Promise.all([1, 2].map(() => log.replay(letter?.id ?? '')))
      expect(outcomes).toContain('replayed')
      await until(() => seen.has(sent?.order_id ?? ''))
      await until(async () => (await log.backlog()) === 0)
      expect(seen.get(sent?.order_id ?? '')?.times).toBeWithin(1, 3)
      expect(await log.deadLetters(10)).toEqual([])
    })

    test('what the handler postpones holds up nobody, stays in the outbox, and leaves it when it is done', async () => {
      const sent = await put('tv', 6)
      const later = new Set(sent.slice(2, 4).map((event) => event.order_id))
      const back = Promise.withResolvers<void>()
      const { seen, handler } = recorder()
      let postponed = 0
      const { log } = consume('worker-1', async (batch, postponing) => {
        const waits = batch.filter(({ event }) => later.has(event.order_id))
        postponed += waits.length
        postponing?.postpone(
          waits,
          back.promise.then(async () => {
            await handler(waits)
            return waits
              .filter(({ event }) => event.order_id === sent[2]?.order_id)
              .map((delivery) => ({ delivery, reason: 'no such price' }))
          }),
        )
        return handler(batch.filter((delivery) => !waits.includes(delivery)))
      })
      await until(async () => (await log.backlog()) === 2)
      const after = await put('phone', 5)
      await until(() => seen.size === 9)
      await until(async () => (await log.backlog()) === 2)
      // Longer than an entry is left to a worker that gives no sign of life.
      await rig.sleep(rig.takeOverMs * 2.5)
      if (rig.keepsOffsets) expect(await log.drained()).toBe(false)
      back.resolve()
      await until(async () => (await log.backlog()) === 0)
      await until(() => log.drained())
      expect([...seen.keys()].toSorted()).toEqual([...sent, ...after].map((e) => e.order_id).toSorted())
      expect(Math.max(...[...seen.values()].map(({ times }) => times))).toBe(1)
      expect(postponed).toBe(2)
      const letters = await log.deadLetters(10)
      expect(letters.map(({ reason, fields }) => [reason, later.has(fields['order_id'] ?? '')])).toEqual([
        ['no such price', true],
      ])
    })

    test('what was postponed and never done comes again', async () => {
      const sent = await put('tv', 4)
      let tries = 0
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', async (batch, postponing) => {
        tries += 1
        if (tries > 1) return handler(batch)
        postponing?.postpone(batch, Promise.resolve(undefined))
        return []
      })
      await until(async () => (await log.backlog()) === 0)
      expect(seen.size).toBe(sent.length)
    })

    test('two workers share the work', async () => {
      const sent = await put('tv', 600)
      const one = recorder()
      const two = recorder()
      // The first worker keeps its batch until the second has got some.
      const { log } = consume('worker-1', async (batch) => {
        await until(() => two.seen.size > 0)
        return one.handler(batch)
      })
      consume('worker-2', async (batch) => {
        await until(() => one.seen.size > 0 || two.seen.size === 0)
        return two.handler(batch)
      })
      await until(async () => (await log.backlog()) === 0)
      expect(one.seen.size).toBeGreaterThan(0)
      expect(two.seen.size).toBeGreaterThan(0)
      const all = new Set([...one.seen.keys(), ...two.seen.keys()])
      expect(all).toEqual(new Set(sent.map((event) => event.order_id)))
    })

    test('a worker that dies with a batch in hand loses nothing: another gets it', async () => {
      const sent = await put('tv', 20)
      await rig.dies('worker-1', 'handler')
      const { seen, handler } = recorder()
      const { log } = consume('worker-2', handler)
      await until(() => seen.size === sent.length)
      await until(async () => (await log.backlog()) === 0)
    })

    test('a worker that dies when its batch is done leaves nothing in the outbox for good', async () => {
      await put('tv', 20)
      await rig.dies('worker-1', 'outbox')
      const { log } = consume('worker-1', recorder().handler)
      await until(async () => (await log.backlog()) === 0)
    })

    test('a worker that comes back under its name goes on at once', async () => {
      const sent = await put('tv', 20)
      await rig.dies('worker-1', 'handler')
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', handler)
      await until(() => seen.size === sent.length)
      await until(async () => (await log.backlog()) === 0)
    })

    test('finishes the batch under way when it is told to stop', async () => {
      await put('tv', 3)
      const stopping = new AbortController()
      const begun = Promise.withResolvers<void>()
      const release = Promise.withResolvers<void>()
      const { seen, handler } = recorder()
      const { log, consuming } = consume(
        'worker-1',
        async (batch) => {
          begun.resolve()
          await release.promise
          return handler(batch)
        },
        stopping.signal,
      )
      await begun.promise
      stopping.abort()
      release.resolve()
      await consuming
      expect(seen.size).toBeGreaterThan(0)
      expect(await log.backlog()).toBe(3 - seen.size)
      const next = recorder()
      consume('worker-2', next.handler)
      await until(async () => (await log.backlog()) === 0)
      expect(next.seen.size).toBe(3 - seen.size)
    })

    test('goes on after Redis was killed and started again', async () => {
      const { seen, handler } = recorder()
      const { log } = consume('worker-1', handler)
      const before = await put('tv', 10)
      await until(() => seen.size === before.length)
      await rig.redisDies()
      const after = await put('tv', 10)
      await until(async () => (await log.backlog()) === 0)
      expect(seen.size).toBe(before.length + after.length)
    })
  })
}
