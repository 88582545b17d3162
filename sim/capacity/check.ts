import { spawn } from 'node:child_process'
import { z } from 'zod'
import { projectPath } from '../../src/platform/project.ts'
import { HEADER_BYTES, PAGE_BYTES } from '../stampede/line.ts'
import { ANSWER_BYTES } from '../stampede/checkout.ts'
import { ARRIVALS } from '../stampede/behaviour.ts'
import { type Flow, flowOf } from './crowd.ts'
import { type AnswerBytes, originRequests } from './model.ts'
import { scenarioOf } from './options.ts'

const whole = z.number()
/** What `rush --simulate --json` says, as far as it is compared. */
export const Simulated = z.object({
  ...{ seed: whole, buyers: whole, units: whole, rate: whole, arrival: z.enum(ARRIVALS) },
  ...{ sold_out_s: whole.nullable(), joined: whole, admitted: whole, gave_up: whole },
  ...{ origin_requests: whole, edge_requests: whole, peak_edge_per_s: whole, peak_waiting: whole },
  answer_bytes: z.object({ join: whole, enter: whole, status: whole }),
  redis_calls: z.record(z.string(), whole),
  bytes_per_visitor: whole,
  ...{ wall_s: whole, cpu_s: z.object({ process: whole, redis: whole }), events: whole },
  memory: z.object({ process_peak_bytes: whole, redis_peak_bytes: whole, redis_grown_bytes: whole }),
  broken: z.array(z.string()),
})
export type Simulated = z.infer<typeof Simulated>

/** docs/scaling.json. */
export const Checked = z.object({
  on: z.string(),
  /** Of the machine in the minute before, and its cores. */
  ...{ load: whole, cores: whole },
  runs: z.array(Simulated).min(1),
})
export type Checked = z.infer<typeof Checked>

/** Compared with the model; those with a hundred units, each twice the one before, show how time and memory grow. */
export const RUNS = [
  { buyers: 10_000, units: 100 },
  { buyers: 100_000, units: 1000 },
  { buyers: 100_000, units: 1000, arrival: 'lobby' },
  { buyers: 250_000, units: 100 },
  { buyers: 500_000, units: 100 },
  { buyers: 1_000_000, units: 100 },
] as const

/** One run of the simulation in a process of its own, whose memory is nobody else's. Throws Error where it fails. */
export async function simulate(
  run: { readonly buyers: number; readonly units: number; readonly arrival?: string; readonly seed?: number },
  signal?: AbortSignal,
): Promise<Simulated> {
  const { buyers, units, arrival = 'spike', seed = 7 } = run
  const args = Object.entries({ buyers, units, arrival, seed }).flatMap(([name, value]) => [
    `--${name}`,
    `${value}`,
  ])
  const child = spawn(
    process.execPath,
    [projectPath('src/doorbuster.ts'), 'rush', '--simulate', '--json', ...args],
    { stdio: ['ignore', 'pipe', 'ignore'], ...(signal === undefined ? {} : { signal }) },
  )
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  if (code !== 0) throw new Error(`rush --simulate ${args.join(' ')} ended with ${code}`)
  return Simulated.parse(JSON.parse(text.trim().split('\n').at(-1) ?? ''))
}

export interface Compared {
  readonly what: string
  readonly model: number
  readonly simulated: number
}

/** Of the run with the most buyers; those of claims and of the page are not weighed but stated by the simulation. */
export const answersOf = ({ answer_bytes }: Simulated): AnswerBytes => ({
  ...answer_bytes,
  claim: ANSWER_BYTES + HEADER_BYTES,
  page: PAGE_BYTES,
})

/** The model's expectation beside what the simulation counted. */
export function compare(run: Simulated): Compared[] {
  const { buyers, units, rate, arrival } = run
  const flow = flowOf(scenarioOf({ buyers, units, rate, arrival }))
  const { total, peak, seconds } = flow
  const answers = answersOf(run)
  const bytes =
    total.arrivals * answers.page +
    (total.joins + total.repeats) * answers.join +
    total.polls * answers.status +
    total.enters * answers.enter +
    (total.claims + 2 * (total.paid + total.returned)) * answers.claim
  const calls = seconds.reduce((sum, one) => sum + callsIn(one), 0) + total.paid + total.returned
  const pair = (what: string, model: number, simulated: number): Compared => ({ what, model, simulated })
  return [
    pair('places given', total.joins, run.joined),
    pair('let in', total.admissions, run.admitted),
    pair('sold out after, s', flow.soldOutS ?? Infinity, run.sold_out_s ?? Infinity),
    pair('gave up', flow.gaveUp, run.gave_up),
    pair('most who wait at once', peak.waiting, run.peak_waiting),
    pair('requests at the origin', originRequests(total), run.origin_requests),
    pair('looks at the edge', total.polls, run.edge_requests),
    pair('looks at the edge, busiest second', peak.polls, run.peak_edge_per_s),
    pair(
      'calls of Redis',
      calls,
      Object.values(run.redis_calls).reduce((sum, one) => sum + one, 0),
    ),
    pair('bytes a visitor', bytes / buyers, run.bytes_per_visitor),
  ]
}

/** Steps of a second in the simulation; what comes within one goes to Redis together, so many at most. */
const STEPS = 10
const [JOINS, ENTERS] = [1024, 64]
/** The status, the stock, what is overdue and the books of the line: whether or not anybody comes. */
const KEPT = 13.6
/** A claim binds its pass, and where something is left takes a unit. */
const batches = (things: number, most = JOINS) => {
  const inStep = things / STEPS
  return STEPS * (1 - Math.exp(-inStep)) * Math.max(1, inStep / most)
}
const callsIn = ({ joins, enters, claims, orders }: Flow) =>
  KEPT + batches(joins) + batches(joins * 0.01) + batches(enters, ENTERS) + batches(claims) + batches(orders)

export const deviation = ({ model, simulated }: Compared): number => model / simulated - 1
