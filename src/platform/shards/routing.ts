import { systemClock } from '../clock.ts'
import { timeLeftMs } from '../deadline.ts'
import { Unavailable } from '../errors.ts'
import type { Database, Shards, Sql } from '../postgres.ts'
import { isNotHeld, logicalShard, NotHeld } from './logical.ts'
import { holdHere, type ShardMap } from './map.ts'

/** Longest wait for a logical shard that is on its way. A move fences it for milliseconds. */
const PATIENCE_MS = 5000
const FIRST_WAIT_MS = 4
const MOST_WAIT_MS = 100

interface Placed<Row> {
  readonly row: Row
  readonly logical: number
}
/** What one server has of a batch. */
interface Part<Row> {
  readonly database: Database
  readonly isSure: boolean
  readonly rows: Placed<Row>[]
}

export interface RoutingParts {
  readonly map: ShardMap
  readonly ready: () => Promise<void>
  readonly databaseOf: (logical: number) => Database
  readonly pools: readonly Database[]
}

/**
 * Finds the server of a buyer. As long as the map is sure a statement costs nothing more; where it is not, it runs in a
 * transaction that first holds the logical shard on its server. A refusal of the server's guard says that the map is old.
 */
export function createRouting({
  map,
  ready,
  databaseOf,
  pools,
}: RoutingParts): Pick<Shards, 'of' | 'spread'> {
  const patiently = async <T>(attempt: () => Promise<T>): Promise<T> => {
    if (!map.isLoaded) await ready()
    const until = performance.now() + Math.min(PATIENCE_MS, timeLeftMs() ?? Infinity)
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(MOST_WAIT_MS, wait * 2)) {
      try {
        return await attempt()
      } catch (error) {
        if (!isNotHeld(error)) throw error
        if (performance.now() + wait > until)
          throw new Unavailable('a logical shard is being moved; try again in a moment', { cause: error })
        await map.reload()
        await systemClock.sleep(wait)
      }
    }
  }

  /** In one transaction with `work`, so that none of it can leave before that has ended. */
  const holding = <T>(database: Database, logical: readonly number[], work: (sql: Sql) => Promise<T>) =>
    database.transaction(async (sql) => {
      const here = await holdHere(sql, logical)
      if (here.length < logical.length)
        throw new NotHeld(`logical shard ${logical.find((one) => !here.includes(one))} is not on this server`)
      return work(sql)
    })

  const of = (user: string): Database => {
    const logical = logicalShard(user)
    return {
      query: (text, values) =>
        patiently(async () => {
          const database = databaseOf(logical)
          const stands = map.trust([logical])
          if (stands !== undefined) {
            const result = await database.query(text, values)
            // What has changed a row was on the right server: the guard let it.
            const hasWritten = result.command !== 'SELECT' && (result.rowCount ?? 0) > 0
            if (hasWritten || stands()) return result as never
          }
          return holding(database, [logical], (sql) => sql.query(text, values)) as never
        }),
      transaction: (work) =>
        patiently(() => {
          const database = databaseOf(logical)
          const stands = map.trust([logical])
          if (stands === undefined) return holding(database, [logical], work)
          return database.transaction(async (sql) => {
            const result = await work(sql)
            if (!stands()) throw new NotHeld('the shard map was not read in time')
            return result
          })
        }),
      close: () => Promise.resolve(),
    }
  }

  /** Rows by server, in their order. What is about to move goes by itself: it alone may have to wait. */
  const partition = <Row>(rows: readonly Placed<Row>[]): Part<Row>[] => {
    const parts: Part<Row>[] = []
    const known = new Map<number, Part<Row>>()
    const partOf = (logical: number): Part<Row> => {
      const [database, isSure] = [databaseOf(logical), map.trust([logical]) !== undefined]
      const found = parts.find((one) => one.database === database && one.isSure === isSure)
      const part = found ?? { database, isSure, rows: [] }
      if (found === undefined) parts.push(part)
      known.set(logical, part)
      return part
    }
    for (const row of rows) (known.get(row.logical) ?? partOf(row.logical)).rows.push(row)
    return parts
  }

  const spread: Shards['spread'] = (rows, work) => {
    let left = rows.map((row) => ({ row, logical: logicalShard(row.user_id) }))
    return patiently(async () => {
      const parts = partition(left)
      const results = await Promise.allSettled(
        parts.map(async (part) => {
          const { database } = part
          const logical = [...new Set(part.rows.map((one) => one.logical))]
          const run = (sql: Sql) =>
            work(
              { sql, shard: pools.indexOf(database) },
              part.rows.map(({ row }) => row),
            )
          const stands = map.trust(logical)
          if (stands !== undefined) {
            await run(database)
            if (stands()) return
          }
          await holding(database, logical, run)
        }),
      )
      const failed = results.flatMap((one, at) =>
        one.status === 'rejected' ? [{ error: one.reason as unknown, rows: parts[at]?.rows ?? [] }] : [],
      )
      const grave = failed.find(({ error }) => !isNotHeld(error))
      if (grave !== undefined) throw grave.error
      left = failed.flatMap((one) => one.rows)
      if (left.length > 0) throw new NotHeld('some logical shards are on their way')
    })
  }

  return { of, spread }
}
