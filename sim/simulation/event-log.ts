import type { ItemId } from '../../src/contracts/ids.ts'
import {
  type Delivery,
  type EventLog,
  type Handler,
  letterOfRejection,
  type Rejection,
} from '../../src/flow/events/events.ts'
import { createPostponed } from '../../src/flow/events/postponed.ts'
import { createReader, type KafkaServer } from './kafka.ts'
import type { Node } from './node.ts'
import { short } from './orders-model.ts'
import type { RedisLink } from './redis.ts'
import type { RedisState } from './redis-model.ts'

/** What the simulation sees of a log: events of which it says that SQL has their effect. */
export type OnConfirm = (deliveries: readonly Delivery[]) => void

export interface LogParts {
  readonly node: Node
  readonly link: RedisLink
  readonly onConfirm: OnConfirm
  /** A planted bug: done is said before it is done. */
  readonly confirmFirst: boolean
}

const BATCH = 16
/** What a dead worker was given goes to another after so long. */
export const TAKE_OVER_MS = 5000
/** An entry that is still in the outbox is given to Kafka again after so long. */
const REPUBLISH_MS = 10_000
const IDLE_MS = 400
/** How long the workers are waited for, and how often they are looked at. */
const DRAIN_MS = 5000
const LOOK_AGAIN_MS = 250

/** The embedded profile's log: the worker reads the outboxes through a consumer group. */
export function modelStreamLog(parts: LogParts): EventLog {
  const { node, link } = parts
  // The outbox is the log: what SQL does not have is still in it.
  const drained = () => Promise.resolve(true)
  return modelLog(parts, drained, async (consume, signal) => {
    let own = true
    while (!signal.aborted) {
      const batch = await link
        .write('read outbox', (state) =>
          readGroup(state, { group: 'orders', consumer: node.name, own, now: node.world.time }),
        )
        .catch(() => undefined)
      if (batch === undefined) own = true
      else if (batch.length > 0) await consume(batch, () => Promise.resolve())
      else own = false
      if (batch === undefined || batch.length === 0) await node.clock.sleep(IDLE_MS, signal)
    }
  })
}

/** The full profile's log: the worker reads partitions of a topic, of which it keeps as many as the others leave. */
export function modelKafkaLog(parts: LogParts, kafka: KafkaServer): EventLog {
  const { node } = parts
  const drained = async () => {
    const ends = await node.call(kafka, 'kafka: ends', () => kafka.model.ends())
    for (const deadline = node.clock.now() + DRAIN_MS; ; await node.clock.sleep(LOOK_AGAIN_MS)) {
      const committed = await node.call(kafka, 'kafka: offsets', () => [...kafka.model.committed])
      if (ends.every((end, partition) => (committed[partition] ?? 0) >= end)) return true
      if (node.clock.now() >= deadline) return false
    }
  }
  const quietly = () => drained().catch(() => false)
  return modelLog(parts, quietly, async (consume, signal) => {
    let reader = createReader()
    /** Something was done of which Kafka may not know yet. */
    let behind = false
    const commit = async (current: typeof reader) => {
      behind = true
      await node.call(kafka, 'kafka: commit', () => kafka.model.commit(node.name, current))
      behind = false
    }
    while (!signal.aborted) {
      const found = await node
        .call(kafka, 'kafka: poll', () => kafka.model.poll(node.name, node.world.time, BATCH, reader))
        .catch(() => undefined)
      if (found === undefined) {
        if (behind) await commit(reader).catch(() => (reader = createReader()))
        await node.clock.sleep(IDLE_MS, signal)
        continue
      }
      // Partitions were given out anew: everybody begins where the group has committed.
      if (found.generation !== reader.generation) reader = createReader(found.generation)
      const current = reader
      current.pass(found)
      await consume(found.batch, (done) => {
        current.release(done)
        return commit(current)
      })
    }
  })
}

/** The relay: outbox entries to Kafka, acknowledged in its group when Kafka has them. */
export async function runRelay(
  { node, link }: Pick<LogParts, 'node' | 'link'>,
  kafka: KafkaServer,
): Promise<void> {
  const publish = (batch: readonly Delivery[]) =>
    node.call(kafka, `kafka: publish ${batch.map(({ event }) => short(event.order_id)).join(' ')}`, () =>
      kafka.model.publish(batch),
    )
  let own = true
  let walkAt = node.clock.now() + REPUBLISH_MS
  for (;;) {
    try {
      const group = { group: 'relay', consumer: 'relay', own, now: node.world.time }
      const batch: readonly Delivery[] = await link.write('relay reads', (state) => readGroup(state, group))
      own = batch.length > 0
      if (batch.length > 0) {
        await publish(batch)
        await link.write('relay acknowledges', (state) => acknowledge(state, 'relay', batch))
      } else await node.clock.sleep(IDLE_MS)
      if (node.clock.now() < walkAt) continue
      walkAt = node.clock.now() + REPUBLISH_MS
      const until = node.clock.now() - REPUBLISH_MS
      const old = await link.read('relay looks for old entries', (state) => oldEntries(state, until))
      if (old.length > 0) await publish(old)
    } catch {
      own = true
      await node.clock.sleep(IDLE_MS)
    }
  }
}

/** Called with what SQL has; again for what was postponed and is there now. */
type Commit = (done: readonly Delivery[]) => Promise<void>
type Consume = (batch: readonly Delivery[], commit: Commit) => Promise<void>

/** What both have in common: until the handler succeeds, then the outbox, then the log's own note of it. */
function modelLog(
  parts: LogParts,
  drained: () => Promise<boolean>,
  read: (consume: Consume, signal: AbortSignal) => Promise<void>,
): EventLog {
  const { node, link, onConfirm, confirmFirst } = parts
  const { world } = node
  const untilDone = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (;;) {
      try {
        return await work()
      } catch {
        await node.clock.sleep(world.between(50, 1000))
      }
    }
  }
  const confirm = async (
    batch: readonly Delivery[],
    rejections: readonly Rejection[] = [],
  ): Promise<void> => {
    if (batch.length === 0) return
    const at = node.clock.now()
    const names = batch.map(({ event }) => short(event.order_id)).join(' ')
    const takeOff = (state: RedisState) => {
      acknowledge(state, 'orders', batch)
      for (const rejection of rejections) {
        const letter = letterOfRejection(rejection, at)
        state.deadLetters.set(letter.id, { letter, event: rejection.delivery.event })
      }
      for (const { event, outbox_id } of batch) state.items.get(event.item_id)?.confirm([Number(outbox_id)])
    }
    await untilDone(() => link.write(`confirm ${names}`, takeOff, () => onConfirm(batch)))
  }
  return {
    consume: async (handler: Handler, signal) => {
      let commit: Commit = () => Promise.resolve()
      const postponed = createPostponed(async ({ done, rejections }) => {
        await confirm(done, rejections)
        await commit(done)
      })
      await read(async (batch, committing) => {
        commit = committing
        if (confirmFirst) await confirm(batch)
        const handle = (some: readonly Delivery[]) => untilDone(() => postponed.handle(handler, some, signal))
        const { done, rejections } = await handle(batch)
        // At least once means: now and then, twice.
        if (!world.healed && world.chance(0.05)) await handle(batch.toReversed())
        if (!confirmFirst) await confirm(done, rejections)
        // A commit that is lost only brings the batch again.
        await committing(done).catch(() => undefined)
      }, signal)
      await postponed.settled()
    },
    drained,
    backlog: () =>
      link.read('backlog', ({ items }) =>
        [...items.values()].reduce((sum, { events }) => sum + events.length, 0),
      ),
    deadLetters: (max) =>
      link.read('dead letters', ({ deadLetters }) =>
        [...deadLetters.values()].slice(0, max).map(({ letter }) => letter),
      ),
    replay: (id) =>
      link.write(`replay ${id}`, ({ deadLetters, items }) => {
        const found = deadLetters.get(id)
        if (found === undefined) return 'unknown'
        const item = items.get(found.letter.item_id)
        if (item === undefined) return 'no_outbox'
        item.putBack(found.event)
        deadLetters.delete(id)
        return 'replayed'
      }),
    inspect: () => Promise.reject(new Error('not simulated')),
    close: () => Promise.resolve(),
  }
}

interface Reading {
  readonly group: string
  readonly consumer: string
  /** First what this consumer was given before. */
  readonly own: boolean
  readonly now: number
}

function readGroup(state: RedisState, { group, consumer, own, now }: Reading): readonly Delivery[] {
  const found: Delivery[] = []
  for (const [item_id, item] of state.items)
    for (const { id, event } of item.events) {
      const key = `${group} ${item_id}:${id}`
      const held = state.pending.get(key)
      const given = state.given.get(`${group} ${item_id}`) ?? 0
      const abandoned = held !== undefined && now - held.since > TAKE_OVER_MS
      const mine = abandoned || (held?.consumer === consumer && own)
      if (!mine && (held !== undefined || id <= given)) continue
      state.pending.set(key, { consumer, since: now })
      state.given.set(`${group} ${item_id}`, Math.max(given, id))
      found.push({ outbox_id: String(id), event })
      if (found.length === BATCH) return found
    }
  return found
}

function acknowledge(state: RedisState, group: string, batch: readonly Delivery[]): void {
  for (const { event, outbox_id } of batch) state.pending.delete(`${group} ${event.item_id}:${outbox_id}`)
}

function oldEntries(state: RedisState, until: number): Delivery[] {
  const entries = (item_id: ItemId) => state.items.get(item_id)?.events ?? []
  return [...state.items.keys()].flatMap((item_id) =>
    entries(item_id)
      .filter(({ event }) => event.timestamp <= until)
      .map(({ id, event }) => ({ outbox_id: String(id), event })),
  )
}
