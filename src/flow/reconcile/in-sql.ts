import type { Clock } from '../../platform/clock.ts'
import type { EventLog } from '../events/events.ts'

/** What workers and relays had in hand when a server went is given so long to reach SQL or the event log. */
const IN_HAND_MS = 300

export interface InSqlParts {
  readonly eventLog: Pick<EventLog, 'drained'>
  readonly clock: Clock
}

/**
 * Whether SQL knows everything that left the outboxes before this Redis server (`run_id`) was met. What a server forgot
 * may be on its way still: without asking, an item would be rebuilt with units that somebody has been promised.
 */
export function createInSql({ eventLog, clock }: InSqlParts): (run_id: string) => Promise<boolean> {
  const metAt = new Map<string, number>()
  return async (run_id) => {
    const met = metAt.get(run_id) ?? clock.now()
    metAt.set(run_id, met)
    const rest = met + IN_HAND_MS - clock.now()
    if (rest > 0) await clock.sleep(rest)
    return eventLog.drained()
  }
}
