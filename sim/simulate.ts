import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { SettingError } from '../src/platform/errors.ts'
import { projectPath } from '../src/platform/project.ts'
import { INVARIANTS } from './audit/invariants.ts'
import { MUTATIONS } from './simulation/mutations.ts'
import type { Broken, Part } from './simulation/part.ts'
import { simulate as simulateOne } from './simulation/simulation.ts'

type Values = Readonly<Record<string, string | boolean | undefined>>
type Print = (line: string) => void

/** Simulated sales: 0 where every invariant held in each, else 1. Throws SettingError. */
export async function simulate(values: Values, print: Print): Promise<number> {
  const mutation = typeof values['mutation'] === 'string' ? values['mutation'] : ''
  if (mutation === 'list') {
    for (const name of Object.keys(MUTATIONS)) print(name)
    return 0
  }
  if (mutation !== '' && MUTATIONS[mutation] === undefined)
    throw new SettingError(`--mutation: no such bug; one of ${Object.keys(MUTATIONS).join(', ')}`)
  const number = (name: string, fallback: number, least: number) => {
    const value = values[name] === undefined ? fallback : Number(values[name])
    if (!Number.isInteger(value) || value < least || value > 2 ** 31)
      throw new SettingError(`--${name}: expected a whole number from ${least} to ${2 ** 31}`)
    return value
  }
  if (values['seed'] !== undefined) return replay(number('seed', 1, 0), mutation, values, print)
  const plan = {
    count: number('seeds', 1000, 1),
    first: number('from', Math.floor(Math.random() * 2 ** 30), 0),
    jobs: number('jobs', availableParallelism(), 1),
    mutation,
  }
  return many(plan, values['json'] === true, print)
}

/** One seed with everything that happened in it, the same each time. */
async function replay(seed: number, mutation: string, values: Values, print: Print): Promise<number> {
  const verdict = await simulateOne(seed, { mutation, recording: true })
  for (const line of verdict.trace) print(line)
  const broken = verdict.violations.length > 0
  print(`seed ${seed}: ${broken ? 'broken' : 'every invariant held'}, ${verdict.steps} steps`)
  for (const violation of verdict.violations) print(`  ${describe(violation)}`)
  if (values['json'] === true) {
    const { steps, violations, tally } = verdict
    print(JSON.stringify({ seed, steps, violations, tally: sorted(Object.fromEntries(tally)) }))
  }
  return broken ? 1 : 0
}

interface Plan {
  readonly count: number
  readonly first: number
  readonly jobs: number
  readonly mutation: string
}

async function many(plan: Plan, json: boolean, print: Print): Promise<number> {
  const { count, first, jobs, mutation } = plan
  print(`${count} sales, seeds ${first} to ${first + count - 1}, on ${jobs} processes`)
  const began = performance.now()
  const tally: Record<string, number> = {}
  const broken: Broken[] = []
  let done = 0
  let told = began
  const perMinute = () => Math.round((done / (performance.now() - began)) * 60_000)
  const report = (part: Part) => {
    done += part.seeds
    for (const [what, times] of Object.entries(part.tally)) tally[what] = (tally[what] ?? 0) + times
    for (const one of part.broken) {
      broken.push(one)
      if (broken.length <= 10) for (const line of failure(one, mutation)) print(line)
    }
    if (performance.now() - told < 5000) return
    told = performance.now()
    print(`  ${done} sales, ${perMinute()} a minute`)
  }
  const share = Math.ceil(count / jobs)
  const starts = Array.from({ length: Math.ceil(count / share) }, (_, job) => job * share)
  await Promise.all(
    starts.map((start) =>
      runPart([first + start, Math.min(share, count - start)].map(String).concat(mutation), report),
    ),
  )
  const seconds = (performance.now() - began) / 1000
  for (const [what, times] of Object.entries(sorted(tally))) print(`  ${String(times).padStart(8)}  ${what}`)
  print(
    `${done} sales in ${seconds.toFixed(1)} s, ${perMinute()} a minute: ` +
      (broken.length === 0 ? 'every invariant held' : `${broken.length} broken`),
  )
  if (json) {
    const numbers = { seeds: done, from: first, seconds, per_minute: perMinute() }
    print(JSON.stringify({ ...numbers, mutation: mutation || null, tally: sorted(tally), broken }))
  }
  return broken.length === 0 ? 0 : 1
}

/** A process of its own: promises of one seed can not be told from those of another in the same one. */
function runPart(args: readonly string[], report: (part: Part) => void): Promise<void> {
  const child = spawn(process.execPath, [projectPath('sim/simulation/part.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => report(JSON.parse(line) as Part))
  return new Promise((resolve, reject) => {
    let code: number | null = null
    const end = () => (code === 0 ? resolve() : reject(new Error(`a simulating process ended with ${code}`)))
    child.on('error', reject)
    child.on('exit', (exit) => (code = exit))
    lines.on('close', () => (child.exitCode === null ? child.once('exit', () => end()) : end()))
  })
}

function failure({ seed, violations }: Broken, mutation: string): string[] {
  const planted = mutation === '' ? '' : ` --mutation '${mutation}'`
  return [
    ...violations.map((violation) => `seed ${seed}: ${describe(violation)}`),
    `  again with: npm run simulate -- --seed ${seed}${planted}`,
  ]
}

const describe = ({ invariant, what }: Broken['violations'][number]): string =>
  `invariant ${invariant} (${INVARIANTS.find(({ number }) => number === invariant)?.name ?? ''}): ${what}`

const sorted = (tally: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(tally).sort(([one], [other]) => (one < other ? -1 : 1)))
