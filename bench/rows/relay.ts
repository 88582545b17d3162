import { parseDelivery } from '../../src/flow/events/entry.ts'
import { createRelay } from '../../src/flow/events/events.ts'
import { createTopics, toMessage } from '../../src/flow/events/topics.ts'
import { outboxKey } from '../../src/flow/inventory/inventory.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { connectProducer } from '../../src/platform/kafka.ts'
import { newTopics } from '../../test/support/events.ts'
import { testKafka } from '../../test/support/kafka.ts'
import { startOutbox, until } from '../outbox.ts'
import type { Row } from '../row.ts'

const BATCH = 256

export const relay: Row = {
  name: 'relay',
  title: 'Relay to Kafka',
  ours: 'events of an outbox in Redis brought to Kafka and acknowledged in Redis, each at least once',
  yardstick:
    'the same messages sent by the bare producer (idempotent, acks of all replicas), one batch after the other',
  unit: 'per second',
  better: 'more',
  note: `One broker, batches of ${BATCH} for both. The first batch, which connects, is not counted.`,
  prepare: async (scale) => {
    await using stack = new AsyncDisposableStack()
    const kafka = await testKafka()
    if (kafka === undefined)
      throw new Error('there is no Kafka here: it needs Java, and once Maven and the network')
    const outbox = await startOutbox()
    stack.use(outbox.stack)
    const { commands } = outbox.redis
    const { brokers } = kafka
    const topics = newTopics()
    await createTopics({ brokers, clientId: 'bench' }, topics)
    const producer = connectProducer({ brokers, clientId: 'bench' })
    stack.defer(() => producer.close())
    const count = scale.of(20, 200) * BATCH

    const messagesOf = async (item_id: string) =>
      (await commands.xrange(outboxKey(item_id), '-', '+')).map(([outbox_id, fields]) => {
        const delivery = parseDelivery({ owner: item_id, outbox_id, fields })
        if (delivery === undefined) throw new Error(`no event: ${outbox_id}`)
        return toMessage(topics.orders, delivery)
      })
    const messages = await messagesOf(await outbox.filled(count))
    const rateSince = (began: number) => ((count - BATCH) / (performance.now() - began)) * 1000
    // The relay must not find what the yardstick was made of.
    await commands.flushall()
    const owned = stack.move()
    return {
      ours: async () => {
        const item = await outbox.filled(count)
        const stop = new AbortController()
        let began = 0
        const running = createRelay({
          ...{
            redis: outbox.redis,
            brokers,
            topics,
            clock: systemClock,
            consumer: 'bench',
            batchSize: BATCH,
          },
          republishAfterMs: 3_600_000,
          onPublished: async () => void (began ||= performance.now()),
        }).run(stop.signal)
        await until('Kafka to have every event', async () => {
          const [group] = (await commands.xinfo('GROUPS', outboxKey(item))) as unknown[][]
          return group !== undefined && numberIn(group, 'lag') + numberIn(group, 'pending') === 0
        })
        const rate = rateSince(began)
        stop.abort()
        await running
        // SQL would confirm them; nothing is left for the next round.
        await commands.flushall()
        return rate
      },
      yardstick: async () => {
        await producer.send(messages.slice(0, BATCH))
        const began = performance.now()
        for (let at = BATCH; at < count; at += BATCH) await producer.send(messages.slice(at, at + BATCH))
        return rateSince(began)
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  },
}

/** Of what Redis says as name, value, name, value. */
const numberIn = (fields: readonly unknown[], name: string) => Number(fields[fields.indexOf(name) + 1] ?? NaN)
