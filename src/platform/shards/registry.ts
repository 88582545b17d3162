import { randomUUID } from 'node:crypto'
import { SettingError } from '../errors.ts'
import { withClient } from '../migrate.ts'
import type { Sql } from '../postgres.ts'
import { BUYER_TABLES, LOGICAL_SHARDS } from './logical.ts'

/** Who a server is, whatever its address: which system it belongs to, and its number there. 0 keeps the map. */
export interface Identity {
  readonly system: string
  readonly server: number
}

/** Any constant: two processes that start at once register one after the other. */
const LOCK = 7_368_002

/** Undefined for a server that belongs to no system yet. Throws SettingError where the schema is too old to tell. */
export async function readIdentity(sql: Sql): Promise<Identity | undefined> {
  try {
    const found = await sql.query<Identity & Record<string, unknown>>(
      'select system, server from shard_identity',
    )
    return found.rows[0]
  } catch (error) {
    if ((error as { code?: unknown }).code !== '42P01') throw error
    throw new SettingError('A database of DATABASE_URLS has an old schema: run `doorbuster migrate` first')
  }
}

export async function hasMap(catalogue: Sql): Promise<boolean> {
  return (await catalogue.query('select from shard_map limit 1')).rowCount === 1
}

/**
 * Throws SettingError where these servers, in the order of DATABASE_URLS, are not what the map was made for. `undefined`:
 * one that does not answer, or is new. `holding`: logical shards of each server by the map; `away`: how many do not answer.
 */
export function requireFit(
  found: readonly (Identity | undefined)[],
  holding: ReadonlyMap<number, number> = new Map(),
  away = 0,
): void {
  const [first] = found
  if (first !== undefined && first.server !== 0)
    throw new SettingError(
      `DATABASE_URLS begins with server ${first.server}; its first URL must be that of server 0, which keeps the shard map`,
    )
  found.forEach((one, at) => {
    if (one === undefined) return
    const place = `URL ${at + 1} of DATABASE_URLS`
    if (first !== undefined && one.system !== first.system)
      throw new SettingError(`${place} is a server of another system (${one.system}, not ${first.system})`)
    const same = found.findIndex((other) => other?.server === one.server)
    if (same < at)
      throw new SettingError(
        `URLs ${same + 1} and ${at + 1} of DATABASE_URLS are the same server, ${one.server}`,
      )
  })
  const missing = [...holding].filter(([server]) => !found.some((one) => one?.server === server))
  const [lost] = missing
  if (lost !== undefined && missing.length > away)
    throw new SettingError(
      `Server ${lost[0]}, which holds ${lost[1]} logical shards, is not among DATABASE_URLS`,
    )
}

/**
 * Gives new servers an identity, and the first time writes the map: equal runs of logical shards in the order of the URLs.
 * Later URLs leave the map as it is: their servers are empty until something is moved to them. Safe to repeat after a
 * crash at any point; throws SettingError for servers that do not fit.
 */
export function registerServers(urls: readonly string[]): Promise<void> {
  const [first] = urls
  if (first === undefined) throw new SettingError('no database URL')
  return withClient(first, async (catalogue) => {
    await catalogue.query('select pg_advisory_lock($1)', [LOCK])
    const mapped = await hasMap(catalogue)
    const found = await Promise.all(urls.map((url) => withClient(url, readIdentity)))
    requireFit(found, await holdingOf(catalogue))
    const theirs = found.findIndex((one) => one !== undefined)
    if (theirs > 0)
      throw new SettingError(
        `URL 1 of DATABASE_URLS is a new database, URL ${theirs + 1} a server of a system: the first must be the one that keeps its shard map`,
      )
    const system = found[0]?.system ?? randomUUID()
    const highest = await catalogue.query<{ next: number }>(
      'select coalesce(max(server), -1) + 1 as next from shard_servers',
    )
    let next = Math.max(highest.rows[0]?.next ?? 0, ...found.map((one) => (one?.server ?? -1) + 1))
    const servers: number[] = []
    for (const [at, url] of urls.entries()) {
      const known = found[at]
      servers.push(
        known?.server ?? (await withClient(url, (sql) => identify(sql, at, system, next++, mapped))),
      )
    }
    await catalogue.query('insert into shard_servers select unnest($1::int[]) on conflict do nothing', [
      servers,
    ])
    if (!mapped) await writeMap(catalogue, urls, servers)
    // What is on a single server can not be on a wrong one.
    if (urls.length > 1) for (const url of urls) await withClient(url, placeMissingGuards)
  })
}

/** Somebody has announced a move that is not over. */
export async function isMoving(catalogue: Sql): Promise<boolean> {
  return (await catalogue.query('select from shard_map where going_to is not null limit 1')).rowCount === 1
}

async function holdingOf(catalogue: Sql): Promise<Map<number, number>> {
  const found = await catalogue.query<{ server: number; shards: number }>(
    'select server, count(*)::int as shards from shard_map group by server order by server',
  )
  return new Map(found.rows.map(({ server, shards }) => [server, shards]))
}

async function identify(
  sql: Sql,
  at: number,
  system: string,
  server: number,
  mapped: boolean,
): Promise<number> {
  if (mapped && (await sql.query('select from orders limit 1')).rowCount === 1)
    throw new SettingError(
      `URL ${at + 1} of DATABASE_URLS has orders, yet it is no server of this system; a new server must be empty`,
    )
  await sql.query('insert into shard_identity (system, server) values ($1, $2)', [system, server])
  return server
}

async function writeMap(catalogue: Sql, urls: readonly string[], servers: readonly number[]): Promise<void> {
  const runs = servers.map((server, at) => ({
    server,
    from: Math.ceil((at * LOGICAL_SHARDS) / servers.length),
    to: Math.ceil(((at + 1) * LOGICAL_SHARDS) / servers.length) - 1,
  }))
  for (const [at, url] of urls.entries()) {
    const { from, to } = runs[at] as (typeof runs)[number]
    await withClient(url, async (sql) => {
      const astray = await sql.query(
        'select from orders where logical_shard(user_id) not between $1 and $2 limit 1',
        [from, to],
      )
      if (astray.rowCount !== 0)
        throw new SettingError(
          `URL ${at + 1} of DATABASE_URLS has orders that belong on another: their number or order was another when those were written. Start with the URLs as they were`,
        )
      await sql.query(
        'insert into held_shards (logical) select generate_series($1::int, $2::int) on conflict do nothing',
        [from, to],
      )
    })
  }
  await catalogue.query(
    `insert into shard_map (logical, server)
     select logical, run.server from unnest($1::int[], $2::int[], $3::int[]) as run (server, low, high),
       generate_series(run.low, run.high) as logical`,
    [runs.map(({ server }) => server), runs.map(({ from }) => from), runs.map(({ to }) => to)],
  )
}

async function placeMissingGuards(sql: Sql): Promise<void> {
  const placed = await sql.query<{ name: string }>(
    `select tgrelid::regclass::text as name from pg_trigger where tgname = 'shard_guard_delete'`,
  )
  for (const table of BUYER_TABLES)
    if (!placed.rows.some(({ name }) => name === table))
      await sql.query('select place_shard_guard($1)', [table])
}
