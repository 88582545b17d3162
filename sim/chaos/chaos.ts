import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SettingError } from '../../src/platform/errors.ts'
import { projectPath } from '../../src/platform/project.ts'
import { chooseFaults, listFaults, thisMachine } from './faults.ts'
import type { ChaosOptions } from './options.ts'
import { planRounds, type PlannedRound } from './plan.ts'
import { isGood, renderReport, renderRound, reportOf } from './report.ts'
import { type Round, runRound } from './round.ts'
import { startWorld } from './world.ts'

/** Breaks the running system as the options say. Resolves with the exit code; `signal` ends it after the round under way. */
export async function chaos(options: ChaosOptions, signal: AbortSignal): Promise<number> {
  const say = options.json ? console.error : console.log
  if (options.list) {
    console.log(listFaults())
    return 0
  }
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

export interface RunParts {
  /** Folder of the system under test. */
  readonly root: string
  readonly say: (text: string) => void
  readonly signal: AbortSignal
  readonly onRound?: (round: Round) => void
}

/** The rounds of a plan, one after another, on one system that is started for them. */
export async function runPlan(
  plan: readonly PlannedRound[],
  options: ChaosOptions,
  { root, say, signal, onRound }: RunParts,
): Promise<Round[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-chaos-'))
  // PostgreSQL runs as a user of its own where we are root.
  await chmod(dataDir, 0o755)
  const { profile, seed } = options
  say(`Starting the system in ${dataDir} (${profile} profile, --seed ${seed})`)
  const world = await startWorld({ profile, dataDir, seed, root })
  const rounds: Round[] = []
  try {
    for (const planned of plan) {
      if (signal.aborted) throw new SettingError('Stopped before all faults had their turn')
      const round = await runRound(world, planned, options)
      rounds.push(round)
      onRound?.(round)
    }
    return rounds
  } finally {
    await world.stop()
    if (options.keep) say(`Data and logs are kept in ${dataDir}`)
    else await rm(dataDir, { recursive: true, force: true })
  }
}
