import { projectPath } from '../../src/platform/project.ts'
import { chooseFaults, listFaults, thisMachine } from './faults.ts'
import { listMutations } from './mutate.ts'
import type { ChaosOptions } from './options.ts'
import { mutate } from './mutation-run.ts'
import { planRounds } from './plan.ts'
import { isGood, renderReport, renderRound, reportOf } from './report.ts'
import { runPlan } from './run.ts'

/** Breaks the running system as the options say. Resolves with the exit code; `signal` ends it after the round under way. */
export async function chaos(options: ChaosOptions, signal: AbortSignal): Promise<number> {
  const say = options.json ? console.error : console.log
  if (options.list) {
    console.log(`Faults:\n${listFaults()}\n\nMutations:\n${listMutations()}`)
    return 0
  }
  const { mutations } = options
  if (mutations !== undefined) return mutate({ ...options, mutations }, { say, signal })
  const { faults, leftOut } = chooseFaults(options.faults, thisMachine(options.profile))
  for (const { name, needs } of leftOut)
    say(`Left out: ${name} (${needs === 'full' ? '--profile full' : 'needs root on Linux'})`)
  const rounds = await runPlan(planRounds(faults, options.seed), options, {
    ...{ root: projectPath('.'), say, signal },
    onRound: (round) => say(renderRound(round)),
  })
  const report = reportOf(options.seed, rounds)
  say(renderReport(report))
  if (options.json) console.log(JSON.stringify(report))
  return isGood(report) && rounds.length === faults.length ? 0 : 1
}
