import { INVARIANTS } from '../audit/invariants.ts'
import { chooseMutations, faultOf, plant } from './mutate.ts'
import type { Mutation } from './mutations.ts'
import type { ChaosOptions } from './options.ts'
import { planRounds } from './plan.ts'
import { renderRound, reportOf } from './report.ts'
import { runPlan, type RunParts } from './run.ts'

export interface Caught {
  readonly name: string
  readonly fault: string
  readonly fired: boolean
  /** What the auditor said is broken. */
  readonly broken: readonly string[]
  /** One of those that this bug must break is among them. */
  readonly caught: boolean
  /** For people. */
  readonly round: string
}

/** Plants each bug alone and has the auditor look. Resolves with the exit code: 0 when it has found every one. */
export async function mutate(
  options: ChaosOptions & { readonly mutations: string },
  { say, signal }: Omit<RunParts, 'root'>,
): Promise<number> {
  const { mutations, leftOut } = chooseMutations(options.mutations, options.profile)
  for (const { name, needs } of leftOut) say(`Left out: ${name} (--profile ${needs})`)
  const results: Caught[] = []
  for (const mutation of mutations) {
    const result = await tryMutation(mutation, options, { say: () => undefined, signal })
    results.push(result)
    say(renderCaught(result))
    if (!result.caught) say(result.round)
  }
  const missed = results.filter(({ caught }) => !caught)
  say(`\n${results.length} bugs planted, ${results.length - missed.length} found (--seed ${options.seed})`)
  if (options.json) {
    const list = results.map(({ name, fault, caught, broken }) => ({ name, fault, caught, broken }))
    console.log(
      JSON.stringify({ seed: options.seed, mutations: list, missed: missed.map(({ name }) => name) }),
    )
  }
  return missed.length === 0 && results.length > 0 ? 0 : 1
}

export async function tryMutation(
  mutation: Mutation,
  options: ChaosOptions,
  parts: Omit<RunParts, 'root'>,
): Promise<Caught> {
  const { root, remove } = plant(mutation)
  try {
    const found = faultOf(mutation)
    const fault = { ...found, habits: { ...found.habits, ...mutation.habits } }
    const units = mutation.units ?? options.units
    const plan = planRounds([fault], options.seed)
    const rounds = await runPlan(plan, { ...options, units }, { root, ...parts })
    const { faults, broken } = reportOf(options.seed, rounds)
    const fired = faults.every((one) => one.fired)
    const caught = mutation.breaks.some((name) => broken.includes(name))
    const round = rounds.map(renderRound).join('\n')
    return { name: mutation.name, fault: fault.name, fired, broken, caught, round }
  } finally {
    remove()
  }
}

const WIDTH = Math.max(...INVARIANTS.map(({ name }) => name.length))

const renderCaught = ({ name, fault, caught, broken }: Caught): string =>
  `${caught ? 'found ' : 'MISSED'}  ${name.padEnd(WIDTH + 10)} ${fault.padEnd(28)} ${broken.join(', ') || 'nothing broken'}`
