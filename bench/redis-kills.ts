/**
 * kill -9 of Redis at peak, `appendfsync always`:
 *   node_modules/.bin/bun bench/redis-kills.ts --kills 20 [--rate 2000] [--units 2000] [--json]
 * Buyers, order worker and cleanup are processes of their own. Ends with 1 where a yes was lost, a unit was sold twice, or
 * selling began again more than 3 s after Redis took connections.
 */
import { parseArgs } from 'node:util'
import { runKills } from './redis-kills/run.ts'

const MOST_MS = 3000

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    rate: { type: 'string', default: '2000' },
    units: { type: 'string', default: '2000' },
    json: { type: 'boolean', default: false },
  },
})
const report = await runKills({
  kills: Number(values.kills),
  perSecond: Number(values.rate),
  scarceUnits: Number(values.units),
  progress: (line) => console.error(line),
})
const { selling_again_ms: again } = report
console.error(`${report.kills} kills of Redis under ${values.rate} claims/s
acknowledged   ${report.acknowledged} of ${report.asked} asked; ${report.unknown} answers lost, ${report.found} of them were a yes, told on asking again
lost           ${report.lost}
oversold       ${report.oversold} (${report.sold_out_items} items sold out)
doubled        ${report.doubled}
unsound items  ${report.unsound}
selling again  ${again.median} ms after Redis was up (median), ${again.max} ms at most`)
if (values.json) console.log(JSON.stringify(report))
const { lost, oversold, doubled, unsound, open } = report
process.exit(lost + oversold + doubled + unsound + open === 0 && again.max < MOST_MS ? 0 : 1)
