import type { WireRequest } from '../../sim/wire/client.ts'
import { againstBareServer, CONNECTIONS, forAllRounds, startShop } from '../http/shop.ts'
import { startLoad } from '../http/processes.ts'
import type { Row } from '../row.ts'

const expected = { status: 201, contains: '"order_id"' }
const BARE = 'a bare JSON POST server of the same runtime'
const FULL =
  'pass, session and Idempotency-Key are checked, the pass bound, a unit held in Redis, a receipt signed'

export const claimHttp: Row = {
  name: 'claim-http',
  title: 'Claim over HTTP',
  ours: `claims answered 201: ${FULL}`,
  yardstick: BARE,
  unit: 'per second',
  better: 'more',
  target: 0.6,
  note: `One web process, ${CONNECTIONS} connections, Redis with \`appendfsync always\`.`,
  prepare: async (scale) => {
    const shop = await startShop(scale)
    const count = scale.of(2000, 12_000)
    const [sample, ...requests] = await shop.claims(forAllRounds(scale, count) + 1)
    return againstBareServer(shop, { requests, count, expected, sample: sample as WireRequest })
  },
}

export const claimLatency: Row = {
  name: 'claim-latency',
  title: 'p99 of a claim at 70 % of its peak',
  ours: 'the 99th percentile of the time from when a claim was due to its answer, at 70 % of the rate of `claim-http` measured just before',
  yardstick: `the same of ${BARE} at the same rate`,
  unit: 'ms',
  better: 'less',
  most: 20,
  note: 'Open loop: a claim is due at its time whether or not earlier ones were answered, so a server that stalls can not slow the load down.',
  prepare: async (scale) => {
    const shop = await startShop(scale)
    const count = scale.of(2000, 12_000)
    const [sample, ...requests] = await shop.claims(forAllRounds(scale, count) + 2 * count + 1)
    const peak = await peakOf(shop.port, requests.splice(0, 2 * count), count)
    const figure = ({ p99Ms }: { p99Ms: number }) => p99Ms
    const exchange = { requests, count, expected, sample: sample as WireRequest, figure, rate: 0.7 * peak }
    return againstBareServer(shop, exchange)
  },
}

/** Claims a second, the second time: the first warms up. */
async function peakOf(port: number, requests: readonly WireRequest[], count: number): Promise<number> {
  await using load = startLoad(requests)
  const run = { port, count, connections: CONNECTIONS, expected }
  await load.run({ ...run, from: 0 })
  return (await load.run({ ...run, from: count })).perSecond
}
