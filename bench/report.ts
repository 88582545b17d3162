import { type MeasuredRow, meetsTarget, readable, type Result, targetText } from './result.ts'

/** `docs/performance.md`. `chart`: address of the picture, seen from the page. */
export function writeReport(result: Result, chart: string): string {
  const { machine, rows, failed, quick, started_at } = result
  const command = `npm run bench${quick ? ' -- --quick' : ''}`
  return `# Performance

Written by \`${command}\` on ${started_at.slice(0, 10)}, commit \`${machine.commit}\`. Do not edit it: run that again.

${machine.cores} cores (${machine.cpu}), ${machine.memory_gib} GiB, ${machine.system}; Bun ${machine.bun}, Redis ${machine.redis}, PostgreSQL ${machine.postgres}.
Servers, our processes and the program that loads them share these cores.
${warnings(result)}
Each row measures ours and its yardstick in turns, in one run, on the same servers with the same settings, as many at once for both unless the row says
otherwise. The numbers are medians of ${rows[0]?.rounds.length ?? 0} rounds; the ratio is ours / yardstick; the spread is the interquartile range of the rounds' ratios divided by
their median. An answer that is not the expected one fails the row.

![How many times as good as its yardstick each part is](${chart})

| | ours | yardstick | ratio | spread | target |
| --- | ---: | ---: | ---: | ---: | --- |
${rows.map(line).join('\n')}
${failed.map(({ name, error }) => `\n**${name} failed**: ${inline(error)}\n`).join('')}
## What is measured

${rows.map(explanation).join('\n')}

HTTP is loaded by a process of its own (\`sim/wire/client.ts\` on bare sockets), which sends the very same bytes to ours and to the
yardstick. The bare server is Bun's, in a process of its own, and answers with as many bytes of body as ours did, and no other work.

## Measuring

\`\`\`
npm run bench                          # everything; writes this page, its chart and docs/performance.json
npm run bench -- --quick               # each row in seconds, into .data/bench
npm run bench -- --only claim-http     # some rows, by names with commas
npm run bench -- --json                # the result on standard output
npm run bench -- --list                # the rows
npm run bench -- --only claim-http --profile profiles   # CPU profiles of our web process too
\`\`\`
`
}

function warnings({ machine, quick }: Result): string {
  const busy = `The machine was busy with other work (load ${machine.load} on ${machine.cores} cores at the start): compare ratios, not numbers.`
  const short = 'Short runs, which show that the rows work rather than how fast.'
  const all = [...(machine.busy ? [busy] : []), ...(quick ? [short] : [])]
  return all.length === 0 ? '' : `\n> **Read with care.** ${all.join(' ')}\n`
}

function line(row: MeasuredRow): string {
  const meets = meetsTarget(row)
  const target = meets === undefined ? '' : `${targetText(row)}: ${meets ? 'met' : '**missed**'}`
  const value = (number: number) => `${readable(number)}${row.unit === 'per second' ? '/s' : ` ${row.unit}`}`
  const percent = `${Math.round(row.spread * 100)} %`
  return `| ${cell(row.title)} | ${value(row.ours)} | ${value(row.yardstick)} | ${readable(row.ratio)} | ${percent} | ${target} |`
}

const explanation = ({ title, name, ours_is, yardstick_is, better, note }: MeasuredRow) =>
  `- **${title}** (\`${name}\`; ${better} is better): ${ours_is}, against ${yardstick_is}.${note === undefined ? '' : ` ${note}`}`

const inline = (text: string) => text.replaceAll(/\s+/g, ' ')
const cell = (text: string) => text.replaceAll('|', '\\|')
