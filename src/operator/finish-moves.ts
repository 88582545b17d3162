import type { Clock } from '../platform/clock.ts'
import type { Sql } from '../platform/postgres.ts'
import { withMover } from '../platform/shards/mover.ts'
import { isMoving } from '../platform/shards/registry.ts'
import type { Log } from '../platform/telemetry.ts'
import { finish } from './shard-commands.ts'

export interface FinishParts {
  readonly catalogue: Sql
  readonly urls: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

/** How long a mover that died leaves its logical shards on their way. */
const LOOK_MS = 2000

/** Brings to an end what a mover began and did not finish, until the signal is aborted. */
export async function finishMoves(
  { catalogue, urls, clock, log }: FinishParts,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal)
    try {
      if (signal.aborted || !(await isMoving(catalogue))) continue
      await withMover(urls, {}, async (mover) => {
        const unfinished = await mover.unfinished()
        if (unfinished.length === 0) return
        const moved = await finish(mover, unfinished)
        log.warn({ logical: moved.map(({ logical }) => logical) }, 'a move that was interrupted is finished')
      })
    } catch (error) {
      log.warn({ err: error }, 'logical shards that are on their way wait; tried again')
    }
  }
}
