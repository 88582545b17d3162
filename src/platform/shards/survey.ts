import { systemClock } from '../clock.ts'
import { Unavailable } from '../errors.ts'
import { type AtShard, type Database, readBriefly, type Sql } from '../postgres.ts'
import { LOGICAL_SHARDS } from './logical.ts'
import type { ShardMap } from './map.ts'

export interface SurveyParts {
  readonly pools: readonly Database[]
  readonly map: ShardMap
  readonly ready: () => Promise<void>
}

const PATIENCE_MS = 5000
const WAIT_MS = 20

/**
 * Each server answers from one snapshot, together with what it held at that moment; where that does not make up all logical
 * shards, each once, one of them was on its way, and everybody is asked again. What a server that does not answer holds by
 * the map is missing of course.
 */
export async function surveyHeld<T>(
  { pools, map, ready }: SurveyParts,
  read: (at: AtShard) => Promise<T>,
  briefMs?: number,
): Promise<PromiseSettledResult<T>[]> {
  const run = <R>(database: Database, work: (sql: Sql) => Promise<R>) =>
    briefMs === undefined ? database.transaction(work) : readBriefly(database, briefMs, work)
  if (!map.isLoaded) await ready()
  const [only] = pools
  if (pools.length === 1 && only !== undefined && map.holding().size === 1)
    return Promise.allSettled([
      briefMs === undefined ? read({ sql: only, shard: 0 }) : run(only, (sql) => read({ sql, shard: 0 })),
    ])
  for (const until = performance.now() + PATIENCE_MS; ;) {
    const answers = await Promise.allSettled(
      pools.map((database, shard) =>
        run(database, async (sql) => {
          await sql.query('set transaction isolation level repeatable read')
          const held = await sql.query<{ logical: number }>('select logical from held_shards')
          return { held: held.rows.map(({ logical }) => logical), answer: await read({ sql, shard }) }
        }),
      ),
    )
    const times = Array.from({ length: LOGICAL_SHARDS }, () => 0)
    for (const one of answers)
      if (one.status === 'fulfilled')
        for (const logical of one.value.held) times[logical] = (times[logical] ?? 0) + 1
    const isAway = answers.some(({ status }) => status === 'rejected')
    const isExcused = (logical: number) => isAway && answers[map.positionOf(logical)]?.status !== 'fulfilled'
    if (times.every((count, logical) => count === 1 || (count === 0 && isExcused(logical))))
      return answers.map((one) =>
        one.status === 'fulfilled' ? { status: one.status, value: one.value.answer } : one,
      )
    if (performance.now() > until)
      throw new Unavailable('a logical shard is on its way between two servers; try again in a moment')
    await systemClock.sleep(WAIT_MS)
    await map.reload()
  }
}
