/**
 * People who wait, behind the edge: a system of its own with nginx in front, a line of so many people, each of whom asks as
 * the published policy says, from 127.x addresses with ten people behind each.
 *   node_modules/.bin/bun bench/edge.ts [--waiters 10000,1000] [--seconds 60] [--rate 20]
 * Prints a line of JSON for each size of the crowd: how often the origin was asked for the status (by its own metrics), the
 * share the edge answered, and how old the news was. Ends with 1 where the origin was asked more than twice a second.
 */
import { parseArgs } from 'node:util'
import { startSystem } from '../test/support/system.ts'
import { createLine } from './edge/line.ts'
import { waitThroughEdge } from './edge/waiters.ts'

/** The issue: origin status requests at most two a second. */
const MOST_PER_SECOND = 2

const { values } = parseArgs({
  options: {
    waiters: { type: 'string', default: '10000,1000' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '20' },
  },
})
const seconds = Number(values.seconds)
const system = await startSystem({ edge: true })
let worst = 0
try {
  for (const size of values.waiters.split(',').map(Number)) {
    const line = await createLine(system.dataDir, size, Number(values.rate))
    const host = new URL(system.run().urls.queue).host
    const before = await line.statusRequests()
    const began = performance.now()
    const { polls, ...met } = await waitThroughEdge({
      ...{ port: system.port, host, sale: line.sale, waiters: size, seconds, perAddress: 10 },
    })
    const tookS = (performance.now() - began) / 1000
    const asked = (await line.statusRequests()) - before
    const perSecond = asked / tookS
    worst = Math.max(worst, perSecond)
    const rounded = (value: number, digits: number) => Number(value.toFixed(digits))
    console.log(
      JSON.stringify({
        waiters: size,
        seconds,
        polls,
        origin_status_requests: asked,
        origin_requests_per_second: rounded(perSecond, 2),
        origin_requests_per_waiter: rounded(asked / size, 4),
        served_by_edge: rounded(1 - asked / polls, 5),
        ...met,
      }),
    )
  }
} finally {
  await system.stop()
}
process.exit(worst <= MOST_PER_SECOND ? 0 : 1)
