import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRedisStreamEventLog } from '../../src/flow/events/events.ts'
import { orderConsumer } from '../../src/flow/orders/consumer.ts'
import { createOrders } from '../../src/flow/orders/orders.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { Sql } from '../../src/platform/postgres.ts'
import { connectShards } from '../../src/platform/shards/shards.ts'
import { createLog } from '../../src/platform/telemetry.ts'
import { ownPostgres } from '../../test/support/postgres.ts'
import { startOutbox, until } from '../outbox.ts'
import type { Row } from '../row.ts'

const COLUMNS =
  'user_id, id, sale_id, item_id, quantity, amount, currency, status, claim_seq, claimed_at, pay_by, hold_expires_at'

export const orderPersistence: Row = {
  name: 'order-persistence',
  title: 'Orders into SQL',
  ours: 'events of an outbox in Redis written as rows by the order worker, until each is committed and confirmed to Redis',
  yardstick: 'server-side `COPY` of as many finished rows from a file into the same table with its indexes',
  unit: 'per second',
  better: 'more',
  target: 0.3,
  note: 'One PostgreSQL with `fsync`, one Redis with `appendfsync always`, one worker, one shard; the table is empty before each.',
  prepare: async (scale) => {
    await using stack = new AsyncDisposableStack()
    const outbox = await startOutbox()
    stack.use(outbox.stack)
    const postgres = await ownPostgres()
    stack.defer(() => postgres.stop())
    const shards = connectShards([postgres.url], { statementTimeoutMs: 120_000 })
    stack.defer(() => shards.close())
    const folder = await mkdtemp(join(tmpdir(), 'doorbuster-copy-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    await chmod(folder, 0o755) // PostgreSQL may run as another user
    const handler = orderConsumer({
      ...{ orders: createOrders({ shards }), log: createLog('silent', 'bench'), clock: systemClock },
    })
    const count = scale.of(4000, 40_000)
    const database = shards.catalogue

    /** Rows a second, which are there afterwards and then no more. What `write` answers is not part of it. */
    const written = async (write: () => Promise<(() => Promise<void>) | void>) => {
      const began = performance.now()
      const end = await write()
      const rate = (count / (performance.now() - began)) * 1000
      await end?.()
      await expectRows(database, count)
      await database.query('truncate orders cascade')
      return rate
    }
    const owned = stack.move()
    return {
      ours: async () => {
        const item = await outbox.filled(count)
        return written(async () => {
          const stop = new AbortController()
          const log = createRedisStreamEventLog({
            redis: outbox.redis,
            clock: systemClock,
            consumer: 'bench',
          })
          const consuming = log.consume(handler, stop.signal)
          await until('the outbox to be empty', async () => (await outbox.inventory.unconfirmed(item)) === 0)
          return async () => {
            // It still waits for more.
            stop.abort()
            await consuming
            await log.close()
          }
        })
      },
      yardstick: async () => {
        const file = join(folder, 'orders.csv')
        await writeFile(file, csvOf(count), { mode: 0o644 })
        return written(async () => {
          await database.query(`copy orders (${COLUMNS}) from '${file}' with (format csv)`)
        })
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  },
}

function csvOf(count: number): string {
  const [now, later] = [new Date().toISOString(), new Date(Date.now() + 3_600_000).toISOString()]
  const line = (_: unknown, n: number) =>
    `${crypto.randomUUID()},${crypto.randomUUID()},bench,item,1,1999,EUR,PENDING,${n + 1},${now},${later},${later}\n`
  return Array.from({ length: count }, line).join('')
}

export async function expectRows(sql: Sql, count: number): Promise<void> {
  const { rows } = await sql.query<{ found: number }>('select count(*)::int as found from orders')
  if (rows[0]?.found !== count) throw new Error(`${rows[0]?.found} of ${count} orders are in SQL`)
}
