import { INVARIANTS, type Invariant, type Second } from './measures.ts'
import { EDGES, HEADER_BYTES, PAGE_BYTES } from './line.ts'
import { escapeHtml, type Plot, type Point, renderPlot, short } from './plots.ts'
import { STYLE } from './report-style.ts'
import type { Run } from './simulation.ts'
import type { Summary } from './summary.ts'

/** Dots of a cloud. */
const CLOUD = 3000

/** The report of a run: one page that needs nothing else, no script, nothing from elsewhere. */
export function renderHtml(run: Run, summary: Summary): string {
  const { options, broken } = run
  const held = broken.found.size === 0
  const verdict = held
    ? 'Everything that must hold held'
    : `Broken: ${[...broken.found.keys()].map((name) => INVARIANTS[name]).join('; ')}`
  const rows = (Object.keys(INVARIANTS) as Invariant[]).map((name) => {
    const found = broken.found.get(name) ?? []
    const example =
      found.length === 0 ? '' : `<br>${found.length} times, the first: ${escapeHtml(found[0] ?? '')}`
    return `<tr><th scope="row">${found.length === 0 ? '✓ held' : '✗ broken'}</th><td>${INVARIANTS[name]}${example}</td></tr>`
  })
  const tiles = tilesOf(summary).map(
    ([name, value, more]) =>
      `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd><dd class="more">${escapeHtml(more)}</dd></div>`,
  )
  const numbers = flat(summary).map(
    ([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(value)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${short(options.buyers)} buyers, ${options.units} units: simulated rush</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${options.buyers.toLocaleString('en')} buyers for ${options.units.toLocaleString('en')} units</h1>
<p>A simulated rush in virtual time: the real waiting room, inventory and claim on a real Redis, a crowd made from the seed.</p>
<p class="verdict ${held ? 'held' : 'broken'}">${held ? '✓' : '✗'} ${escapeHtml(verdict)}</p>
</header>
<main>
<dl class="tiles">${tiles.join('')}</dl>
<h2>How it went</h2>
<div class="plots">
${plotsOf(run).map(renderPlot).join('\n')}
</div>
<h2>What must hold</h2>
<table>${rows.join('')}</table>
<h2>The same again</h2>
<pre><code>${escapeHtml(commandOf(run))}</code></pre>
<h2>What is real, and what is not</h2>
<ul>
<li>Real: the code of the waiting room (join, status, enter, passes), of the claim and of the inventory, with every Lua script, on a redis-server of its own whose <code>TIME</code> is virtual. Tickets and passes are signed and checked. What a browser computes (its place, how long it waits before it looks again) is computed by the code the browser runs.</li>
<li>In memory: orders, in the place of PostgreSQL, written from the outbox. Payments are what the buyer decides. The guard lets everybody join: without it, bots get what devices can get them.</li>
<li>Looks at the public status are answered by ${EDGES} edges, each of which asks the origin once a second; they are counted, not sent. Bytes are those of the answers' JSON, uncompressed, with ${HEADER_BYTES} bytes of headers each, and ${PAGE_BYTES / 1024} KiB for the first page, the most that it may have.</li>
</ul>
<h2>All numbers</h2>
<table class="numbers">${numbers.join('')}</table>
</main>
</body>
</html>
`
}

function tilesOf(summary: Summary): [name: string, value: string, more: string][] {
  const { wait_s, memory, bots } = summary
  const seconds = (value: number | null) => (value === null ? 'never' : `${short(value)} s`)
  const percent = (share: number | null) => `${((share ?? 0) * 100).toFixed(1)} %`
  return [
    ['Sold', `${summary.sold} of ${summary.units}`, `${summary.outcomes['FAILED'] ?? 0} orders ended unpaid`],
    [
      'Sold out after',
      seconds(summary.sold_out_s),
      `all held for the first time: ${seconds(summary.all_taken_s)}`,
    ],
    ['Let in', short(summary.admitted), `of ${short(summary.joined)} who had a place`],
    ['Waited, median', seconds(wait_s.p50), `p90 ${seconds(wait_s.p90)}, p99 ${seconds(wait_s.p99)}`],
    [
      'Fairness',
      `${summary.rank_correlation ?? 'none'}`,
      'rank correlation of arrival with admission; 1 is perfect',
    ],
    [
      'At the origin',
      `${summary.origin_requests_per_visitor}`,
      `requests a visitor, of ${summary.requests_per_visitor} in all; peak ${short(summary.peak_origin_per_s)}/s`,
    ],
    ['Bytes', `${short(summary.bytes_per_visitor)}B`, 'a visitor, the page included'],
    [
      'Bots',
      percent(bots.share_of_units),
      `of the units, with ${percent(bots.share_of_joins)} of the joins and no guard`,
    ],
    [
      'Redis',
      `${short(memory.redis_grown_bytes)}B`,
      `more while ${short(summary.peak_waiting)} waited at once: ${memory.redis_grown_per_waiter} bytes each`,
    ],
    [
      'This run took',
      seconds(summary.wall_s),
      `for ${short(summary.virtual_s)} s, ${short(summary.events)} events; ${short(memory.process_peak_bytes)}B in our process`,
    ],
  ]
}

function plotsOf({ seconds, admissions }: Run): Plot[] {
  const series = (name: string, of: (second: Second) => number) => ({
    name,
    points: seconds.map((second): Point => [second.at / 60, of(second)]),
  })
  const every = Math.max(1, Math.ceil(admissions.length / CLOUD))
  const some = admissions.map((one, rank) => ({ ...one, rank })).filter(({ rank }) => rank % every === 0)
  const arrival = new Map(
    admissions
      .map(({ visitor }) => visitor)
      .sort((a, b) => a - b)
      .map((visitor, rank) => [visitor, rank + 1]),
  )
  const x = 'minutes since the opening'
  return [
    {
      ...{ title: 'Arrivals', x, y: 'people a second' },
      caption: 'Who got a place, and who came after everything was sold.',
      series: [
        series('got a place', ({ joined }) => joined),
        series('came too late', ({ refused }) => refused),
      ],
    },
    {
      ...{ title: 'Depth of the line', x, y: 'people' },
      caption: 'Places given and not served yet, and those of them who still look.',
      series: [
        series('places not served', ({ depth }) => depth),
        series('people who wait', ({ waiting }) => waiting),
      ],
    },
    {
      ...{ title: 'Admissions', x, y: 'people a second' },
      caption:
        'Let into the checkout. The line stands while those in there can take all there is, or nothing is available.',
      series: [series('let in', ({ admitted }) => admitted)],
    },
    {
      ...{ title: 'Stock, to the sell-out', x, y: 'units' },
      caption: 'Held units that nobody pays come back to the line; sold ones never do.',
      series: [
        series('sold', ({ sold }) => sold),
        series('held', ({ held }) => held),
        series('available', ({ available }) => available),
      ],
    },
    {
      ...{ title: 'Wait by position', x: 'position', y: 'seconds', dots: true },
      caption: 'Of those let in: from their arrival, or the opening, to the checkout.',
      series: [{ name: 'wait', points: some.map(({ place, waited }): Point => [place, waited / 1000]) }],
    },
    {
      ...{ title: 'Fairness', x: 'order of arrival', y: 'order of admission', dots: true },
      caption:
        'Of those let in. On the diagonal: in the order they came. Above it: later, for want of looking at once.',
      series: [
        {
          name: 'order',
          points: some.map(({ visitor, rank }): Point => [arrival.get(visitor) ?? 0, rank + 1]),
        },
      ],
    },
    {
      ...{ title: 'Requests', x, y: 'a second', log: true },
      caption:
        'What the edge answers from its second-old copy, and what comes to the origin. Each line is ten times the one below.',
      series: [series('at the edge', ({ polls }) => polls), series('at the origin', ({ origin }) => origin)],
    },
    {
      ...{ title: 'Bytes', x, y: 'bytes a second' },
      caption: 'Sent to visitors by edge and origin together, first pages included.',
      series: [series('bytes', ({ bytes }) => bytes)],
    },
  ]
}

/** The command line that makes the same run. */
export function commandOf({ options }: Pick<Run, 'options'>): string {
  const { buyers, units, rate, arrival, spread, patience, noShows, bots, pay, payWindow, hold, seed } =
    options
  const flags = {
    ...{ buyers, units, rate, arrival, spread, 'patience-s': patience, 'no-shows': noShows, bots, pay },
    ...{ 'pay-window': payWindow, hold, seed },
  }
  const words = Object.entries(flags).map(([name, value]) => `--${name} ${value}`)
  return `npm run rush -- --simulate ${words.join(' ')}`
}

function flat(value: object, before = ''): [string, string][] {
  return Object.entries(value).flatMap(([name, one]: [string, unknown]) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? flat(one, `${before}${name}.`)
      : [
          [`${before}${name}`, Array.isArray(one) ? one.join(', ') || 'none' : String(one)] as [
            string,
            string,
          ],
        ],
  )
}
