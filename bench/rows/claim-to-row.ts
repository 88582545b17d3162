import type { OrderCreated } from '../../src/contracts/events.ts'
import { createOrders } from '../../src/flow/orders/orders.ts'
import { connectShards } from '../../src/platform/shards/shards.ts'
import { testEnv } from '../../test/support/flow.ts'
import { ownPostgres } from '../../test/support/postgres.ts'
import { start } from '../http/processes.ts'
import { type Outbox, startOutbox, until } from '../outbox.ts'
import { quantile } from '../rounds.ts'
import type { Row } from '../row.ts'

export const claimToRow: Row = {
  name: 'claim-to-row',
  title: 'p99 from claim to row',
  ours: 'the 99th percentile of the time from a claim in Redis to the commit of its row, at half of the rate that the order worker keeps up with',
  yardstick:
    'the 99th percentile of the insert of one order with its commit, one after the other on an idle database',
  unit: 'ms',
  better: 'less',
  most: 250,
  note: 'The order worker is a process of its own. When a row was committed is told by PostgreSQL (`track_commit_timestamp`), when its claim was made by Redis.',
  prepare: async (scale) => {
    await using stack = new AsyncDisposableStack()
    const outbox = await startOutbox()
    stack.use(outbox.stack)
    const postgres = await ownPostgres({ track_commit_timestamp: 'on' })
    stack.defer(() => postgres.stop())
    const shards = connectShards([postgres.url])
    stack.defer(() => shards.close())
    const worker = start(
      'src/processes/order-worker.ts',
      testEnv(outbox.url, [postgres.url], 'http://127.0.0.1:1'),
    )
    stack.defer(() => worker.end())

    const inSql = (item: string) =>
      until('every order to be in SQL', async () => (await outbox.inventory.unconfirmed(item)) === 0)
    await inSql(await outbox.filled(100))
    const perSecond = (await drainRate(outbox, scale.of(2000, 20_000), inSql)) / 2
    const count = Math.ceil(perSecond * scale.of(2, 10))
    const single = scale.of(100, 500)
    const owned = stack.move()
    return {
      ours: async () => {
        const item = await outbox.newItem(count)
        await claimSteadily(outbox, item, count, perSecond)
        await inSql(item)
        const { rows } = await shards.catalogue.query<{ p99: number; found: number }>(
          `select count(*)::int as found, extract(epoch from percentile_cont(0.99)
             within group (order by pg_xact_commit_timestamp(xmin) - claimed_at))::float8 * 1000 as p99
           from orders where item_id = $1`,
          [item],
        )
        const [{ p99 = NaN, found = 0 } = {}] = rows
        if (found !== count) throw new Error(`${found} of ${count} orders are in SQL`)
        return p99
      },
      yardstick: async () => {
        const orders = createOrders({ shards })
        const took: number[] = []
        while (took.length < single) {
          const began = performance.now()
          await orders.insert([orderOf(took.length)])
          took.push(performance.now() - began)
        }
        return quantile(took, 0.99)
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  },
}

/** Rows a second while more are waiting than can be written. */
async function drainRate(outbox: Outbox, count: number, inSql: (item: string) => Promise<void>) {
  const began = performance.now()
  await inSql(await outbox.filled(count))
  return (count / (performance.now() - began)) * 1000
}

/** Each is made when it is due, whatever became of those before. */
async function claimSteadily({ claim }: Outbox, item: string, count: number, perSecond: number) {
  const began = performance.now()
  const claims: Promise<void>[] = []
  while (claims.length < count) {
    const due = ((performance.now() - began) * perSecond) / 1000
    while (claims.length < Math.min(count, due)) claims.push(claim(item))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(claims)
}

const orderOf = (n: number): OrderCreated => ({
  type: 'OrderCreated',
  ...{ version: 1, order_id: crypto.randomUUID(), user_id: crypto.randomUUID() },
  ...{ item_id: 'single', sale_id: 'bench', quantity: 1, amount: 1999, currency: 'EUR', claim_seq: n + 1 },
  ...{ timestamp: Date.now(), pay_by: Date.now() + 3_600_000, hold_expires_at: Date.now() + 3_600_000 },
})
