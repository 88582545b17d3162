import { forEverybody } from '../deadline.ts'
import { Unavailable } from '../errors.ts'
import type { Database, Sql } from '../postgres.ts'
import { LOGICAL_SHARDS } from './logical.ts'
import type { Identity } from './registry.ts'

/**
 * So long after it was read a map may be trusted. Whoever moves a logical shard announces it, and waits for longer than
 * that before anything leaves its server: by then every process has read the announcement, or asks the servers.
 */
export const TRUST_MS = 2000

/** One reading of the map. */
interface Reading {
  /** By performance.now(), before it was read. */
  readonly at: number
  /** Server of each logical shard. */
  readonly servers: readonly number[]
  readonly announced: ReadonlySet<number>
  /** Of each logical shard; another one after each announcement and each move. */
  readonly versions: readonly number[]
}

export interface ShardMap {
  /** The map as the catalogue has it now; many callers share a reading. */
  reload(): Promise<void>
  readonly isLoaded: boolean
  /** Where a logical shard is, as a position in DATABASE_URLS. -1: unknown, or a server that is not among them. */
  positionOf(logical: number): number
  /**
   * Undefined where one of these logical shards may move at any moment, or the map is old. Otherwise a question to ask when
   * the work is done: whether none of them can have moved since.
   */
  trust(logical: readonly number[]): (() => boolean) | undefined
  /** Some of what this position has is about to leave. */
  isLeaving(position: number): boolean
  /** How many logical shards each server holds. */
  holding(): Map<number, number>
  /** Who answers at each position, once that is known. */
  readonly identities: (Identity | undefined)[]
}

export function createShardMap(catalogue: Sql, positions: number): ShardMap {
  let reading: Reading = { at: -Infinity, servers: [], announced: new Set(), versions: [] }
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const identities: (Identity | undefined)[] = Array.from({ length: positions }, () => undefined)

  const read = async () => {
    const at = performance.now()
    const { rows } = await catalogue.query<{
      logical: number
      server: number
      going_to: number | null
      version: number
    }>('select logical, server, going_to, version from shard_map order by logical')
    if (rows.length !== LOGICAL_SHARDS) throw new Unavailable(`the shard map has ${rows.length} rows`)
    if (at < reading.at) return
    reading = {
      at,
      servers: rows.map(({ server }) => server),
      versions: rows.map(({ version }) => version),
      announced: new Set(rows.flatMap(({ logical, going_to }) => (going_to === null ? [] : [logical]))),
    }
  }
  // A reading that is under way may be older than what its caller has just seen: the next one is not.
  const reload = (): Promise<void> => {
    if (running === undefined) return (running = forEverybody(read).finally(() => (running = undefined)))
    const after = () => {
      next = undefined
      return reload()
    }
    return (next ??= running.then(after, after))
  }
  const positionOf = (logical: number) => {
    const server = reading.servers[logical]
    return server === undefined ? -1 : identities.findIndex((one) => one?.server === server)
  }

  return {
    reload,
    get isLoaded() {
      return reading.servers.length > 0
    },
    positionOf,
    trust: (logical) => {
      const isSure = () =>
        performance.now() - reading.at < TRUST_MS && !logical.some((one) => reading.announced.has(one))
      if (!isSure()) return undefined
      const { versions } = reading
      // Whoever waited for long may find a map that is sure again, of another place.
      return () => isSure() && logical.every((one) => reading.versions[one] === versions[one])
    },
    isLeaving: (position) => [...reading.announced].some((logical) => positionOf(logical) === position),
    holding: () => {
      const count = new Map<number, number>()
      for (const server of reading.servers) count.set(server, (count.get(server) ?? 0) + 1)
      return count
    },
    identities,
  }
}

/** Holds these logical shards here until the transaction ends; answers those that are here. */
export async function holdHere(sql: Sql, logical: readonly number[]): Promise<number[]> {
  const held = await sql.query<{ logical: number }>(
    'select logical from held_shards where logical = any($1) order by logical for share',
    [logical],
  )
  return held.rows.map((row) => row.logical)
}

/** A database on which everything first waits for what is just leaving it, so as not to stand in its way. */
export function waitForLeaving(database: Database, isLeaving: () => boolean): Database {
  const wait = (sql: Sql) => sql.query('select from held_shards where leaving order by logical for share')
  return {
    query: (text, values) =>
      isLeaving()
        ? database.transaction(async (sql) => {
            await wait(sql)
            return sql.query(text, values)
          })
        : database.query(text, values),
    transaction: (work) =>
      database.transaction(async (sql) => {
        if (isLeaving()) await wait(sql)
        return work(sql)
      }),
    close: () => database.close(),
  }
}
