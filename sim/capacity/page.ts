import { readable } from '../../bench/result.ts'
import { ASSUMED, ASSUMED_ON, PRICES } from './assumptions.ts'
import { checkTables, doublingTable } from './check-tables.ts'
import type { Checked } from './check.ts'
import type { UnitCosts } from './costs.ts'
import { flowOf } from './crowd.ts'
import { type Capacity, originRequests } from './model.ts'
import { type CapacityOptions, scenarioOf } from './options.ts'
import type { Part } from './parts.ts'

export interface PageParts {
  readonly all: readonly Capacity[]
  readonly costs: UnitCosts
  readonly checked: Checked
  readonly options: Pick<CapacityOptions, 'headroom' | 'prices'>
}

const TEN_MILLION = 10_000_000
const count = (value: number) => Math.round(value).toLocaleString('en-US')
const bytes = (value: number): string => {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  const step = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  return `${readable(value / 1000 ** step)} ${units[step]}`
}
const percent = (value: number) => `${readable(value * 100)} %`
const dollars = (value: number) => `$${value < 10 ? value.toFixed(2) : count(value)}`
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
/** Words to the left, numbers to the right. */
const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  words: readonly number[] = [0],
) =>
  [row(head), row(head.map((_, index) => (words.includes(index) ? '---' : '---:'))), ...rows.map(row)].join(
    '\n',
  )

/** What each size needs: a line a thing, a column a size. */
const THINGS: readonly (readonly [string, (one: Capacity) => string])[] = [
  ['units, let in a second', ({ scenario: { units, rate } }) => `${count(units)}, ${count(rate)}`],
  ['sold out after', ({ flow }) => (flow.soldOutS === null ? 'never' : `${count(flow.soldOutS)} s`)],
  ['**joins**, busiest second', ({ flow }) => count(flow.peak.joins)],
  ['tries to enter', ({ flow }) => count(flow.peak.enters)],
  ['claims, of which orders', ({ flow }) => `${count(flow.peak.claims)}, ${count(flow.peak.orders)}`],
  ['**at the edge**: requests a second', ({ edge }) => count(edge.requests)],
  ['bandwidth', ({ edge }) => `${readable(edge.gbit)} Gbit/s`],
  ['browsers that wait at once', ({ edge }) => count(edge.connections)],
  ['edge nodes, where they are your own', ({ edge }) => `${count(edge.ownNodes)}`],
  ['**at the origin**: requests a second', ({ origin }) => count(origin.requests)],
  ['a visitor, in the whole sale', ({ origin }) => readable(origin.perVisitor)],
  ['bandwidth', ({ origin }) => `${readable(origin.mbit)} Mbit/s`],
  ['**web processes** (a core each)', (one) => count(parted(one, 'web process').count)],
  ['order workers, relays', (one) => `${parted(one, 'order worker').count}, ${parted(one, 'relay').count}`],
  ['**Redis** servers', ({ redis }) => `${redis.servers}${redis.cluster ? ' (a cluster)' : ' (one master)'}`],
  ['operations a second', ({ redis }) => count(redis.operations)],
  ['memory of the sale', ({ redis }) => bytes(redis.memoryBytes)],
  ['**Kafka** brokers, partitions', (one) => `${parted(one, 'Kafka broker').count}, ${one.kafka.partitions}`],
  ['events a second, with copies', ({ kafka }) => `${count(kafka.eventsPerS)}, ${bytes(kafka.bytesPerS)}/s`],
  ['disk for the sale', ({ kafka }) => bytes(kafka.diskBytes)],
  ['**PostgreSQL** shards', (one) => count(parted(one, 'PostgreSQL shard').count)],
  [
    'rows, small transactions a second',
    ({ postgres }) => `${count(postgres.rowsPerS)}, ${count(postgres.transactionsPerS)}`,
  ],
  ['connections to each', ({ postgres }) => count(postgres.connections)],
  ['disk for the sale', ({ postgres }) => bytes(postgres.diskBytes)],
  [
    '**cores**, machines of 8',
    ({ cores, machines }) => `${count(Object.values(cores).reduce((a, b) => a + b, 0))}, ${machines}`,
  ],
  ['bytes a visitor', ({ bytes: moved }) => bytes(moved.perVisitor)],
  ['**money** for the sale', ({ money }) => dollars(money.total)],
]

const parted = (one: Capacity, name: string): Part => {
  const found = one.parts.find((part) => part.name === name)
  if (found === undefined) throw new Error(`no part ${name}`)
  return found
}

const head = (all: readonly Capacity[]) => [
  '',
  ...all.map(({ scenario }) => `${count(scenario.buyers)} users`),
]
const needs = (all: readonly Capacity[]) =>
  table(
    head(all),
    THINGS.map(([what, of]) => [what, ...all.map(of)]),
  )

const bills = (all: readonly Capacity[]) =>
  table(
    head(all),
    Object.keys(all[0]?.money ?? {}).map((what) => [
      what,
      ...all.map(({ money }) => dollars(money[what] ?? 0)),
    ]),
  )

/** How busy each part is in its busiest second, the fullest first. */
function breaks({ scenario, parts }: Capacity, headroom: number): string {
  const rows = parts
    .slice(0, 5)
    .map((part) => [
      part.name,
      `${part.count}${part.most === undefined ? '' : part.count >= part.most ? ' (no more)' : ''}`,
      `${percent(part.busy)}${part.busy > 1 ? ' **breaks**' : part.busy > 1 / headroom + 1e-9 ? ' **less than the headroom**' : ''}`,
      part.behindS === 0 ? '' : `${count(part.behindS)} s`,
      part.remedy,
    ])
  return `### ${count(scenario.buyers)} users\n\n${table(['part', 'how many', 'busy', 'behind by', 'what to do'], rows, [0, 4])}`
}

/** The same for a terminal. */
export function linesOf(all: readonly Capacity[]): string[] {
  return all.flatMap((one) => [
    `${count(one.scenario.buyers)} users`,
    ...THINGS.map(([what, of]) => `  ${what.replaceAll('*', '').padEnd(40)} ${of(one)}`),
    '  what breaks first:',
    ...one.parts
      .slice(0, 5)
      .map(({ name, count: many, busy }) => `    ${name.padEnd(28)} ${many}, ${percent(busy)} busy`),
    '',
  ])
}

export function writePage({ all, costs, checked, options }: PageParts): string {
  const { measured, http, redis } = costs
  const rates: readonly (readonly [string, number, string])[] = [
    ['joins over HTTP, a web process', http.join, '`join-http`'],
    ['turns taken over HTTP', http.enter, '`enter-http`'],
    ['claims over HTTP', http.claim, '`claim-http`'],
    ['sold-out answers over HTTP', http.soldOut, '`sold-out-http`'],
    ['public status, asked of the origin', http.status, '`status-http`'],
    ['places in one Redis', redis.join, '`join-redis`'],
    ['turns in one Redis, each second it works', redis.enter, '`enter-redis`'],
    ['claims in one Redis, `appendfsync always`', redis.claim, '`claim-lua`'],
    ['rows of an order worker', costs.rows, '`order-persistence`'],
    ['events of a relay', costs.relay, '`relay`'],
    ['messages into one Kafka broker', costs.broker, '`relay`, its yardstick'],
    ['small transactions of one PostgreSQL', costs.transactions, '`sql-skip-locked`, its yardstick'],
  ]
  const most = flowOf(scenarioOf({ buyers: TEN_MILLION, units: 100, rate: 20 }))
  const careful = measured.careful
    ? '\n> **Read with care.** The bench says of itself that it was short or that the machine was busy: the numbers below move with it.\n'
    : ''
  return `# Scaling

Written by \`npm run doorbuster -- capacity --write\` from [performance.json](performance.json) (${measured.on}, commit \`${measured.commit}\`, ${measured.machine})
and [scaling.json](scaling.json) (simulations, ${checked.on}). Do not edit it: change \`sim/capacity/\` and run that again; it takes a second.
${careful}
\`\`\`sh
npm run doorbuster -- capacity                                    # the three sizes below
npm run doorbuster -- capacity --users 250000 --units 5000 --rate 100 --headroom 3 --price core_hour=0.04 --json
npm run doorbuster -- capacity --write                            # this page, after npm run bench
npm run doorbuster -- capacity --check --write                    # the simulations anew, minutes
\`\`\`

## What it takes

Ten thousand need none of this: \`npm start\` on one machine, without Kafka, does it; the column shows the least that survives the loss of a machine.

Everybody comes within ten minutes, two thirds of them in the first (\`--arrival spike\`); a unit for every hundred people. Each part bears
${readable(options.headroom)} times its busiest second (\`--headroom\`). A core is one of the machine that was measured, with everything else on it at the time: a core of
your own, left alone, does more.

${needs(all)}

Redis keeps next to nothing of who waits: a line of ten million is a few numbers, a bit for each turn and a table of fixed size. What grows are those let in.

## What is at the edge

The page and its parts, the public status, stock and catalogue: all that is the same for everybody. Each edge node asks the origin once a second for each
address, whatever comes ([edge.md](edge.md)), so ten million who look are ${count(10 * ASSUMED.public_paths.value)} requests a second at the origin. What goes through: joins, tries to enter, claims,
orders, payments. Up to about 10 Gbit/s a few nginx of your own do; beyond that it is a CDN's work, and its bill.

## What breaks first

Busy is the share of its time that a part works in the busiest second, with as many of it as stand in the table. What can not be multiplied shows
what it comes to, and behind by how much work waits at worst if nobody goes away. Nothing breaks by forgetting: a web process that can not keep up answers 503 with \`Retry-After\`, places and orders stay.

${all.map((one) => breaks(one, options.headroom)).join('\n\n')}

## What was measured

A second, of one, on that machine. Rows are those of [performance.md](performance.md).

${table(
  ['', 'a second', 'row'],
  rates.map(([what, rate, name]) => [what, readable(rate), name]),
  [0, 2],
)}

A new web process is ready after ${readable(costs.startS)} s: scaling up during a rush helps, scaling up before the opening is what it is for.

## What is assumed

Not measured here, and no quotation of anybody; as of ${ASSUMED_ON}. \`sim/capacity/assumptions.ts\` has them, \`--price\` puts others in place of the prices.

${table(
  ['', 'value'],
  [
    ...Object.values(ASSUMED).map(({ value, what }) => [what, count(value)]),
    ...Object.entries(PRICES).map(([name, { what }]) => [
      `${what} (\`${name}\`), US dollars`,
      String(options.prices[name as keyof typeof PRICES]),
    ]),
  ],
)}

${bills(all)}

People, payment fees, support contracts and what a managed service adds are not in it.

## Checked against the simulation

The model is a fluid: expected numbers a second, by the rules of waiting room and crowd, in milliseconds. \`rush --simulate\` is people: each drawn by lot, through the
real code and a real Redis ([simulated-rush.md](simulated-rush.md)). Both side by side, \`--seed ${checked.runs[0]?.seed ?? 7}\`, on ${checked.on}:

${checkTables(checked)}

\`sim/capacity/capacity.test.ts\` holds the model to within 25 % of a small simulation, looks at the edge to within 15 %, places and bytes to within 3 %.
With ten million buyers for a hundred units the simulation ([simulated-rush.md](simulated-rush.md), 383 s of it) and the model say: sold out after 351 and ${most.soldOutS} s,
1.06 and ${readable(originRequests(most.total) / TEN_MILLION)} requests a visitor at the origin, 287,000 and ${count(most.peak.polls)} looks in the busiest second.

The model rounds nothing: half a unit can be had, so the last ones come a little early. In a lobby one more round of holds lapses than it expects, and what is asked
in vain meanwhile falls short by a quarter to a third: give a lobby as much more headroom.

## Twice the buyers

${doublingTable(checked)}

## Deployment

[\`deploy/kubernetes/\`](../deploy/kubernetes/README.md): manifests, what scales by what, and the order of start and drain, which \`test/flow/deployment.test.ts\` rehearses.
`
}
