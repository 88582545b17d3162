import { existsSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { SettingError } from '../../src/platform/errors.ts'
import { projectPath, readJsonFile } from '../../src/platform/project.ts'
import { answersOf, Checked, type Simulated, RUNS, simulate } from './check.ts'
import { readUnitCosts } from './costs.ts'
import { capacityOf } from './model.ts'
import { readCapacityOptions, type Values } from './options.ts'
import { linesOf, writePage } from './page.ts'

export { CAPACITY_FLAGS } from './options.ts'

const PAGE = 'docs/scaling.md'
const CHECKED = 'docs/scaling.json'

/**
 * `doorbuster capacity`: what a crowd needs, from docs/performance.json and the simulation's own weights; `--check` runs the
 * simulation again, `--write` writes the page. Throws SettingError.
 */
export async function capacity(
  values: Values,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const options = readCapacityOptions(values)
  const costs = readUnitCosts(options.bench ?? projectPath('docs/performance.json'))
  if (options.check) await check(print, signal)
  const checked = readChecked()
  const sizing = { headroom: options.headroom, items: options.items, costs }
  const answers = answersOf(largest(checked.runs))
  const all = options.scenarios.map((scenario) => capacityOf(scenario, sizing, answers, options.prices))
  if (options.write) {
    writeFileSync(projectPath(PAGE), writePage({ all, costs, checked, options }))
    print(`written: ${PAGE}`)
  }
  if (options.json) print(JSON.stringify({ costs, capacities: all.map(withoutSeconds) }))
  else if (!options.write) for (const line of linesOf(all)) print(line)
  return 0
}

async function check(print: (line: string) => void, signal: AbortSignal): Promise<void> {
  const checked: Checked = {
    on: new Date().toISOString().slice(0, 10),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    cores: cpus().length,
    runs: [],
  }
  const runs: Simulated[] = []
  for (const run of RUNS) {
    print(`simulating ${run.buyers} buyers for ${run.units} units`)
    runs.push(await simulate(run, signal))
  }
  writeFileSync(projectPath(CHECKED), `${JSON.stringify({ ...checked, runs }, null, 2)}\n`)
}

function readChecked(): Checked {
  const file = projectPath(CHECKED)
  if (!existsSync(file)) throw new SettingError(`${CHECKED} is missing: run capacity --check, which makes it`)
  return Checked.parse(readJsonFile(file))
}

const largest = (runs: readonly Simulated[]): Simulated =>
  runs.reduce((most, run) => (run.buyers > most.buyers ? run : most))

/** The seconds are the working, not the result. */
function withoutSeconds({ flow: { seconds: _, ...flow }, ...rest }: ReturnType<typeof capacityOf>) {
  return { ...rest, flow }
}
