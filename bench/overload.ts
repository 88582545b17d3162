/**
 * What payments and joins get of a web process that has more visitors than it can serve, with shedding and without, one
 * after the other on the same servers, the crowd beside them in a process of its own:
 *   node_modules/.bin/bun bench/overload.ts --connections 3000 --seconds 10
 * Those who are turned away wait as long as they are told to, as our pages do; with --impatient they ask again at once.
 * A payment here is a call that has to reach PostgreSQL and the payment provider, one after the other from 8 buyers.
 */
import { parseArgs } from 'node:util'
import { fromItsPage } from '../sim/crowd/scene.ts'
import { percentile } from '../sim/history.ts'
import { connectDatabase } from '../src/platform/postgres.ts'
import { startOverloadable } from '../test/support/overload.ts'

interface Options {
  readonly connections: number
  readonly seconds: number
  readonly patient: boolean
}

const BUYERS = 8
const SALE = 'bench'

async function measure(shedding: boolean, { connections, seconds, patient }: Options) {
  const system = await startOverloadable({ SHEDDING: shedding ? '1' : '0' })
  try {
    await system.sale(SALE, 100)
    const database = connectDatabase(system.env.DATABASE_URLS)
    const buyers = await Promise.all(
      Array.from({ length: BUYERS }, () => system.buyerWithOrder(SALE, database)),
    )
    await database.close()
    await using crowd = await system.crowd(SALE, connections, patient)
    const took: number[] = []
    let failed = 0
    const until = performance.now() + seconds * 1000
    await Promise.all(
      buyers.map(async ({ cookie, order }) => {
        while (performance.now() < until) {
          const started = performance.now()
          const answer = await system
            .send('shop', 'POST', `/api/orders/${order}/payment`, {
              headers: fromItsPage(cookie),
              json: { provider: 'stripe' },
            })
            .catch(() => undefined)
          if (answer?.status === 200) took.push(performance.now() - started)
          else failed += 1
        }
      }),
    )
    const report = await crowd.stop()
    const sorted = took.sort((a, b) => a - b)
    const at = (share: number) => Math.round(percentile(sorted, share))
    return {
      shedding,
      payments_per_s: Math.round((took.length / seconds) * 10) / 10,
      payments_failed: failed,
      payment_ms: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) },
      crowd: report,
    }
  } finally {
    await system.stop()
  }
}

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '3000' },
    seconds: { type: 'string', default: '10' },
    impatient: { type: 'boolean', default: false },
  },
})
const options = {
  connections: Number(values.connections),
  seconds: Number(values.seconds),
  patient: !values.impatient,
}
for (const shedding of [false, true]) console.log(JSON.stringify(await measure(shedding, options)))
process.exit()
