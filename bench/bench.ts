/**
 * `npm run bench`: each part of the system beside a yardstick that does only the least, in one run.
 * `--only NAME,...`: some rows; `--list` tells them. `--quick`: in seconds. `--json`: the result on standard output.
 * `--out FOLDER`: where result, chart and page are written: docs for a whole run, .data/bench for any other.
 * `--profile FOLDER`: where the time of our web process went, as CPU profiles that browsers and editors open.
 * Ends with 1 where a row failed.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SettingError } from '../src/platform/errors.ts'
import { projectPath } from '../src/platform/project.ts'
import { runProcess } from '../src/platform/shutdown.ts'
import { drawChart } from './chart.ts'
import { describeMachine } from './machine.ts'
import { writeReport } from './report.ts'
import { factsOf, type MeasuredRow, readable, type Result } from './result.ts'
import { alternate, summarise } from './rounds.ts'
import type { Row, Scale } from './row.ts'
import { ROWS } from './rows.ts'

const say = (text: string) => void process.stderr.write(`${text}\n`)

await runProcess(
  async (signal) => {
    const options = readOptions(process.argv.slice(2))
    if (options.list) return ROWS.forEach(({ name, title }) => console.log(`${name.padEnd(20)} ${title}`))
    const machine = describeMachine()
    if (machine.busy)
      say(
        `The machine is busy (load ${machine.load} on ${machine.cores} cores): compare ratios, not numbers.`,
      )
    const started = new Date()
    const rows: MeasuredRow[] = []
    const failed: { name: string; error: string }[] = []
    for (const row of options.rows) {
      if (signal.aborted) break
      try {
        rows.push(await measure(row, options.scale, signal))
      } catch (error) {
        failed.push({ name: row.name, error: error instanceof Error ? error.message : String(error) })
        say(`${row.name} FAILED: ${error instanceof Error ? error.stack : String(error)}`)
      }
    }
    const took_s = Math.round((Date.now() - started.getTime()) / 1000)
    const result: Result = {
      started_at: started.toISOString(),
      took_s,
      quick: options.quick,
      machine,
      rows,
      failed,
    }
    if (rows.length > 0) write(options.out, result)
    if (options.json) console.log(JSON.stringify(result))
    process.exitCode = failed.length === 0 && !signal.aborted ? 0 : 1
  },
  { settingExit: 1 },
)

async function measure(row: Row, scale: Scale, signal: AbortSignal): Promise<MeasuredRow> {
  say(`${row.name}: preparing`)
  await using prepared = await row.prepare(scale)
  const rounds = await alternate(prepared, scale.rounds, (round) => {
    if (signal.aborted) throw new Error('stopped')
    say(`${row.name}: ${round === 0 ? 'warming up' : `round ${round} of ${scale.rounds}`}`)
  })
  const measured = { ...factsOf(row), ...summarise(rounds), rounds }
  const { ours, yardstick, ratio, spread, unit } = measured
  say(
    `${row.name}: ours ${readable(ours)}, yardstick ${readable(yardstick)} ${unit}; ratio ${readable(ratio)}, spread ${Math.round(spread * 100)} %`,
  )
  return measured
}

function write(folder: string, result: Result): void {
  mkdirSync(folder, { recursive: true })
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text)
  put('performance.json', `${JSON.stringify(result, undefined, 2)}\n`)
  put('performance.svg', drawChart(result.rows))
  put('performance.md', writeReport(result, 'performance.svg'))
  say(`written: ${join(folder, 'performance.md')}, .svg and .json`)
}

/** Throws SettingError, in one line, for a flag or a row there is not. */
function readOptions(args: string[]) {
  const { only, quick, json, list, out, profile } = parse(args)
  const names = only?.split(',')
  const unknown = names?.find((name) => !ROWS.some((row) => row.name === name))
  if (unknown !== undefined)
    throw new SettingError(
      `There is no row ${unknown}. There are: ${ROWS.map(({ name }) => name).join(', ')}`,
    )
  const scale: Scale = {
    rounds: quick ? 3 : 7,
    of: (few, many) => (quick ? few : many),
    webEnv: profile === undefined ? {} : { BUN_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(profile)}` },
  }
  const whole = !quick && names === undefined
  return {
    ...{ quick, json, list, scale },
    rows: ROWS.filter(({ name }) => names?.includes(name) ?? true),
    out: out ?? projectPath(whole ? 'docs' : '.data/bench'),
  }
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        out: { type: 'string' },
        profile: { type: 'string' },
      },
    })
    return values
  } catch (error) {
    throw new SettingError((error as Error).message)
  }
}
