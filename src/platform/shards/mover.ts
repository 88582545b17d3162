import pg from 'pg'
import { systemClock } from '../clock.ts'
import { SettingError } from '../errors.ts'
import { TRUST_MS } from './map.ts'
import { placeGuards, wasLeftBehind } from './guards.ts'
import { copyRows, forgetCopies, giveUp, holds, takeIn } from './moving.ts'
import { hasMap, readIdentity } from './registry.ts'
// Reads bigints as numbers.
import '../postgres.ts'

/** One server, its number and what it has. */
export interface ServerLine {
  readonly server: number
  /** Host, port and database; undefined where no URL leads to it. */
  readonly place: string | undefined
  readonly logical: readonly number[]
  /** Of these, how many are on their way to another. */
  readonly leaving: number
  /** Orders, of all buyers it has. */
  readonly orders: number | undefined
}

/** One logical shard that was moved; `rows` of all tables, `fence_ms`: how long its buyers could not write. */
export interface Moved {
  readonly logical: number
  readonly from: number
  readonly to: number
  readonly rows: number
  readonly fence_ms: number
}

export interface MoverOptions {
  /** Nothing is to be moved: somebody else may be at it. */
  readonly looksOnly?: boolean
  /** How long somebody else who moves is waited for. */
  readonly patienceMs?: number
  /** How long an announcement stands before anything leaves; not below the default while processes run. */
  readonly noticeMs?: number
  /** Called between two steps; a test ends the mover there. */
  readonly onStep?: (step: string) => void | Promise<void>
  readonly onMoved?: (moved: Moved) => void
}

export interface Mover {
  readonly catalogue: pg.Client
  list(): Promise<ServerLine[]>
  /** What somebody announced and did not bring to an end. */
  unfinished(): Promise<{ logical: number; to: number }[]>
  /** Moves these logical shards, wherever they are now; those that are there already stay. Safe to repeat. */
  move(logical: readonly number[], to: number): Promise<Moved[]>
  /** Takes announcements back where nothing has left yet; answers which. */
  cancel(): Promise<number[]>
}

/** Any constant: one mover at a time. */
const LOCK = 7_368_003
/** Logical shards copied in one pass over the tables of a server, and announced together. */
const TOGETHER = 32

/**
 * Works with connections of its own to all servers; nobody else moves anything meanwhile. `busy`, and nothing done, where
 * somebody else does. Throws SettingError where a server does not answer.
 */
export async function withMover<T>(
  urls: readonly string[],
  options: MoverOptions,
  work: (mover: Mover) => Promise<T>,
): Promise<T | 'busy'> {
  const clients: pg.Client[] = []
  try {
    for (const url of urls) clients.push(await connect(url))
    const [catalogue] = clients
    if (catalogue === undefined) throw new SettingError('no database URL')
    if (!options.looksOnly && !(await isOurTurn(catalogue, options.patienceMs ?? 0))) return 'busy'
    if (!(await hasMap(catalogue)))
      throw new SettingError('There is no shard map yet: start Doorbuster once with these DATABASE_URLS')
    return await work(createMover(catalogue, await byNumber(clients), options))
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
  }
}

async function isOurTurn(catalogue: pg.Client, patienceMs: number): Promise<boolean> {
  for (const until = performance.now() + patienceMs; ; await systemClock.sleep(100)) {
    const locked = await catalogue.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [LOCK])
    if (locked.rows[0]?.mine) return true
    if (performance.now() > until) return false
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, keepAlive: true })
  client.on('error', () => undefined)
  await client.connect().catch((error: unknown) => {
    throw new SettingError(`No connection to PostgreSQL at ${new URL(url).host}: ${String(error)}`)
  })
  // Rows are compared as texts: no setting of a server may make them differ.
  await client.query(`set timezone = 'UTC'; set extra_float_digits = 1; set bytea_output = 'hex'`)
  return client
}

async function byNumber(clients: readonly pg.Client[]): Promise<Map<number, pg.Client>> {
  const servers = new Map<number, pg.Client>()
  for (const client of clients) {
    const identity = await readIdentity(client)
    if (identity !== undefined) servers.set(identity.server, client)
  }
  return servers
}

function createMover(
  catalogue: pg.Client,
  servers: ReadonlyMap<number, pg.Client>,
  { onStep = () => undefined, onMoved = () => undefined, noticeMs = TRUST_MS * 1.1 }: MoverOptions,
): Mover {
  const serverOf = (number: number): pg.Client => {
    const server = servers.get(number)
    if (server === undefined) throw new SettingError(`Server ${number} is not among DATABASE_URLS`)
    return server
  }
  const readMap = async () =>
    (
      await catalogue.query<{ logical: number; server: number; going_to: number | null }>(
        'select logical, server, going_to from shard_map order by logical',
      )
    ).rows

  /** What has left for another server has to arrive there first. */
  const requireHere = async (elsewhere: Awaited<ReturnType<typeof readMap>>) => {
    for (const { logical, server, going_to } of elsewhere)
      if ((await holds(serverOf(server), [logical])).length === 0)
        throw new SettingError(
          `Logical shard ${logical} is on its way to server ${going_to}; finish that first`,
        )
  }
  const flip = async (logical: number, to: number) => {
    await catalogue.query(
      `update shard_map set server = $2, going_to = null, version = nextval('shard_versions')
       where logical = $1 and going_to = $2`,
      [logical, to],
    )
  }

  /** A few logical shards from one server to another; see docs/decisions. Each step may be the last one, and be repeated. */
  const moveTogether = async (logical: readonly number[], from: number, to: number): Promise<Moved[]> => {
    const [source, target] = [serverOf(from), serverOf(to)]
    const announced = await catalogue.query<{ version: number }>(
      `with next as (select nextval('shard_versions') as version)
       update shard_map set going_to = $2, version = next.version from next where logical = any($1)
       returning next.version`,
      [logical, to],
    )
    const mover = announced.rows[0]?.version ?? 0
    const announcedAt = performance.now()
    await onStep('announced')
    const moved: Moved[] = []
    const arrive = async (one: number, began = performance.now()) => {
      const rows = await takeIn(target, one)
      await onStep('taken in')
      await flip(one, to)
      const line = { logical: one, from, to, rows, fence_ms: performance.now() - began }
      moved.push(line)
      onMoved(line)
      await onStep('flipped')
    }
    const here = await holds(source, logical)
    // An earlier mover ended when they had left: nobody has them until they are taken in.
    for (const one of logical) if (!here.includes(one)) await arrive(one)
    await copyRows({ source, target, logical: here, mover, onStep })
    // Longer than any process trusts a map that it read before the announcement.
    if (here.length > 0) await systemClock.sleep(Math.max(0, announcedAt + noticeMs - performance.now()))
    for (const one of here) {
      const began = await giveUp({ source, target, logical: one, mover, onStep })
      await onStep('given up')
      await arrive(one, began)
    }
    await placeGuards(source)
    await onStep('guards placed')
    await placeGuards(target)
    const behind = await wasLeftBehind(source, logical)
    if (behind > 0)
      throw new Error(`${behind} rows of the logical shards ${logical.join()} are left on server ${from}`)
    return moved
  }

  return {
    catalogue,
    list: async () => {
      const map = await readMap()
      const known = await catalogue.query<{ server: number }>(
        'select server from shard_servers order by server',
      )
      return Promise.all(
        known.rows.map(async ({ server }): Promise<ServerLine> => {
          const client = servers.get(server)
          const held = map.filter((row) => row.server === server)
          const count = await client?.query<{ orders: number }>('select count(*) as orders from orders')
          return {
            server,
            place: client && `${client.host}:${client.port}/${client.database}`,
            logical: held.map((row) => row.logical),
            leaving: held.filter((row) => row.going_to !== null).length,
            orders: count?.rows[0]?.orders,
          }
        }),
      )
    },
    unfinished: async () =>
      (await readMap()).flatMap(({ logical, going_to }) =>
        going_to === null ? [] : [{ logical, to: going_to }],
      ),
    move: async (wanted, to) => {
      serverOf(to)
      const map = await readMap()
      const moving = map.filter((row) => wanted.includes(row.logical) && row.server !== to)
      await requireHere(moving.filter(({ going_to }) => going_to !== null && going_to !== to))
      const moved: Moved[] = []
      for (const [from, rows] of Map.groupBy(moving, ({ server }) => server))
        for (let at = 0; at < rows.length; at += TOGETHER)
          moved.push(
            ...(await moveTogether(
              rows.slice(at, at + TOGETHER).map(({ logical }) => logical),
              from,
              to,
            )),
          )
      // An earlier mover may have ended between the last shard and the guards.
      if (moved.length === 0) for (const server of servers.values()) await placeGuards(server)
      return moved
    },
    cancel: async () => {
      const cancelled: number[] = []
      const going = (await readMap()).filter(({ going_to }) => going_to !== null)
      for (const [from, rows] of Map.groupBy(going, ({ server }) => server)) {
        const [source, targets] = [serverOf(from), new Set(rows.map(({ going_to }) => going_to ?? from))]
        // Whatever has left already must arrive.
        const stay = await source.query<{ logical: number }>(
          `update held_shards set leaving = false, mover = $2 where logical = any($1) returning logical`,
          [
            rows.map(({ logical }) => logical),
            (await catalogue.query<{ next: number }>(`select nextval('shard_versions') as next`)).rows[0]
              ?.next,
          ],
        )
        const kept = stay.rows.map(({ logical }) => logical)
        await placeGuards(source)
        await source.query('delete from leaving_users where logical = any($1)', [kept])
        for (const target of targets) await forgetCopies(serverOf(target), kept)
        await catalogue.query(
          `update shard_map set going_to = null, version = nextval('shard_versions') where logical = any($1)`,
          [kept],
        )
        cancelled.push(...kept)
      }
      return cancelled
    },
  }
}
