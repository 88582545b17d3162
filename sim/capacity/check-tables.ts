import { readable } from '../../bench/result.ts'
import { type Checked, compare, deviation, type Simulated } from './check.ts'

const count = (value: number) => Math.round(value).toLocaleString('en-US')
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

/** A table a run: the model, what was counted, how far they are apart. */
export function checkTables({ runs }: Checked): string {
  const shown = runs.filter(isNoStep)
  return shown
    .map((run) => {
      const { buyers, units, rate, arrival } = run
      const title = `**${count(buyers)} buyers, ${count(units)} units, ${readable(rate)} a second, ${arrival}**`
      const lines = compare(run).map((pair) => {
        const apart = Math.round(deviation(pair) * 1000) / 10
        return row([pair.what, count(pair.model), count(pair.simulated), `${apart > 0 ? '+' : ''}${apart} %`])
      })
      return [
        title,
        '',
        row(['', 'model', 'simulation', 'apart']),
        row(['---', '---:', '---:', '---:']),
        ...lines,
      ].join('\n')
    })
    .join('\n\n')
}

/** Those between the smallest and the largest with a hundred units are there for the doubling alone. */
const isNoStep = (run: Simulated, index: number, runs: readonly Simulated[]) =>
  run.units !== 100 || index === 0 || index === runs.length - 1

/** Runs of a hundred units, each of twice the buyers of the one before. */
const doublings = ({ runs }: Checked) =>
  runs.filter(({ units, buyers }) => units === 100 && buyers >= 100_000)

export function doublingTable(checked: Checked): string {
  const rows = doublings(checked)
  const times = (now: number, before: number | undefined) =>
    before === undefined ? '' : ` (× ${(now / before).toFixed(2)})`
  const lines = rows.map(({ buyers, wall_s, cpu_s, events, memory }, index) => {
    const last = rows[index - 1]
    const megabytes = (value: number) => `${readable(value / 1e6)} MB`
    return row([
      count(buyers),
      `${readable(wall_s)} s${times(wall_s, last?.wall_s)}`,
      `${readable(cpu_s.process)} s${times(cpu_s.process, last?.cpu_s.process)}`,
      `${readable(cpu_s.redis)} s${times(cpu_s.redis, last?.cpu_s.redis)}`,
      `${(events / 1e6).toFixed(2)} M${times(events, last?.events)}`,
      megabytes(memory.process_peak_bytes),
      megabytes(memory.redis_peak_bytes),
      megabytes(memory.redis_grown_bytes),
    ])
  })
  const head = [
    'buyers',
    'wall time',
    'processor time, ours',
    'Redis',
    'events',
    'our memory',
    'Redis at most',
    'grown while they waited',
  ]
  return `The same sale (a hundred units, \`--seed ${rows[0]?.seed ?? 7}\`) with one, two and four times the buyers; each run a process and a Redis of its own. Measured with load ${readable(checked.load)} on
${checked.cores} cores at the start. \`npm run doorbuster -- capacity --check --write\` repeats it.

${[row(head), row(head.map((_, at) => (at === 0 ? '---:' : '---:'))), ...lines].join('\n')}

Processor time at most doubles (a second of virtual time costs something even when nobody comes); wall time is that and what else the machine had to do. What Redis keeps
does not grow with who waits. Our own memory is that of the simulation: 12 bytes a visitor and what the runtime has not given back; no process of ours keeps anything of anybody.`
}
