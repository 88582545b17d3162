import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SettingError } from '../../src/platform/errors.ts'
import type { ChaosOptions } from './options.ts'
import type { PlannedRound } from './plan.ts'
import type { Judged } from './report.ts'
import { runRound } from './round.ts'
import { startWorld } from './world.ts'

export interface RunParts {
  /** Folder of the system under test. */
  readonly root: string
  readonly say: (text: string) => void
  readonly signal: AbortSignal
  readonly onRound?: (round: Judged) => void
}

/** The rounds of a plan, one after another, on one system that is started for them. */
export async function runPlan(
  plan: readonly PlannedRound[],
  options: ChaosOptions,
  { root, say, signal, onRound }: RunParts,
): Promise<Judged[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-chaos-'))
  // PostgreSQL runs as a user of its own where we are root.
  await chmod(dataDir, 0o755)
  const { profile, seed } = options
  say(`Starting the system in ${dataDir} (${profile} profile, --seed ${seed})`)
  const world = await startWorld({ profile, dataDir, seed, root })
  const rounds: Judged[] = []
  try {
    for (const planned of plan) {
      if (signal.aborted) throw new SettingError('Stopped before all faults had their turn')
      const round = await runRound(world, planned, options).catch((error: unknown) => failed(planned, error))
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

/** A round that could not be played proves nothing: its fault counts as not fired. */
function failed(planned: PlannedRound, error: unknown): Judged {
  const of = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { planned, fired: { count: 0, of }, verdicts: [], sellingAgainS: undefined, terminalS: undefined }
}
