import type pg from 'pg'
import { systemClock } from '../clock.ts'
import { SettingError } from '../errors.ts'
import { isLockTrouble, LOCK_WAIT_MS, placeGuards, transact } from './guards.ts'
import { BUYER_TABLES } from './logical.ts'

/** The steps of a move on its two servers. Each is one transaction, or may be repeated. */

export interface CopyParts {
  readonly source: pg.Client
  readonly target: pg.Client
  readonly logical: readonly number[]
  /** Number of this attempt; a higher one takes over from it. */
  readonly mover: number
  readonly onStep: (step: string) => void | Promise<void>
}

interface CopiedRow {
  readonly logical: number
  readonly origin: string
  readonly buyer: string
  readonly content: string
}

/** Rows on their way in one message. */
const PAGE = 2000

/** Which of these logical shards a server holds. */
export async function holds(server: pg.Client, logical: readonly number[]): Promise<number[]> {
  const held = await server.query<{ logical: number }>(
    'select logical from held_shards where logical = any($1) order by logical',
    [logical],
  )
  return held.rows.map((row) => row.logical)
}

/** Drops copies of what is not to come any more. */
export async function forgetCopies(target: pg.Client, logical: readonly number[]): Promise<void> {
  await target.query('delete from arriving_rows where logical = any($1)', [logical])
  await target.query('delete from arriving_shards where logical = any($1)', [logical])
}

/**
 * Copies what the source has of these logical shards to where it waits on the target. From before the copy on, the source
 * notes whose rows change.
 */
export async function copyRows({ source, target, logical: here, mover, onStep }: CopyParts): Promise<void> {
  if (here.length === 0) return
  const marked = await source.query<{ logical: number }>(
    `update held_shards set leaving = true, mover = $2 where logical = any($1) and mover < $2 returning logical`,
    [here, mover],
  )
  if (marked.rowCount !== here.length) throw overtaken()
  await onStep('marked')
  // Waits for everybody whose write began before it was noted.
  await placeGuards(source)
  await onStep('noting')
  await source.query('delete from leaving_users where logical = any($1)', [here])
  await transact(target, async () => {
    const taken = await target.query(
      `insert into arriving_shards (logical, mover) select unnest($1::int[]), $2
       on conflict (logical) do update set mover = excluded.mover where arriving_shards.mover < excluded.mover`,
      [here, mover],
    )
    if (taken.rowCount !== here.length) throw overtaken()
    await target.query('delete from arriving_rows where logical = any($1)', [here])
  })
  await onStep('target cleared')
  await transact(source, async () => {
    await source.query('set transaction isolation level repeatable read')
    for (const table of BUYER_TABLES) {
      await source.query(
        `declare copied no scroll cursor for
         select logical_shard(user_id) as logical, '${table}' as origin, user_id as buyer,
                row_to_json(t)::text as content
         from ${table} t where logical_shard(user_id) = any('{${here.join()}}')`,
      )
      for (;;) {
        const { rows } = await source.query<CopiedRow>(`fetch ${PAGE} from copied`)
        if (rows.length === 0) break
        await transact(target, () => putRows(target, rows, here, mover))
      }
      await source.query('close copied')
    }
  })
  await onStep('copied')
}

/** In a transaction of its own on the target. */
async function putRows(
  target: pg.Client,
  rows: readonly CopiedRow[],
  logical: readonly number[],
  mover: number,
) {
  const mine = await target.query(
    'select from arriving_shards where logical = any($1) and mover = $2 for share',
    [logical, mover],
  )
  if (mine.rowCount !== logical.length) throw overtaken()
  await target.query(
    `insert into arriving_rows (logical, origin, buyer, content)
     select logical, origin, buyer, content::json
     from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as copied (logical, origin, buyer, content)`,
    [
      rows.map((row) => row.logical),
      rows.map((row) => row.origin),
      rows.map((row) => row.buyer),
      rows.map((row) => row.content),
    ],
  )
}

interface GiveParts {
  readonly source: pg.Client
  readonly target: pg.Client
  readonly logical: number
  readonly mover: number
  readonly onStep: CopyParts['onStep']
}

/** How many rows, and a fingerprint of all of them; the same on both servers. */
interface Fingerprint {
  readonly origin: string
  readonly rows: number
  readonly hash: string
}
const FINGERPRINT = `count(*)::int as rows, md5(coalesce(string_agg(content, '' order by content collate "C"), '')) as hash`
const eachTable = (text: (table: string) => string, between: string) => BUYER_TABLES.map(text).join(between)
/** One statement each: their keys are checked at its end, and nobody waits for fourteen messages. */
const DELETE_ALL = `with ${eachTable(
  (table) =>
    `${table}_gone as (delete from ${table} t where user_id = any($1) returning row_to_json(t)::text as content)`,
  ', ',
)} ${eachTable((table) => `select '${table}' as origin, ${FINGERPRINT} from ${table}_gone`, ' union all ')}`
const INSERT_ALL = `with ${eachTable(
  (table) =>
    `${table}_new as (insert into ${table} select whole.* from arriving_rows,
       json_populate_record(null::${table}, content) as whole where logical = $1 and origin = '${table}' returning 1)`,
  ', ',
)} select (${eachTable((table) => `(select count(*) from ${table}_new)`, ' + ')})::int as rows`

/**
 * The fence: one transaction on the source that locks the logical shard, copies what has changed since, compares the copy
 * row by row with what it deletes, and ends with the shard gone from there. Whoever wants to write waits meanwhile, and is
 * refused then. Answers when the fence began.
 */
export async function giveUp({ source, target, logical, mover, onStep }: GiveParts): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      let began = 0
      await transact(source, async () => {
        await source.query(
          `set local doorbuster.moves_shards = 'on'; set local lock_timeout = ${LOCK_WAIT_MS}`,
        )
        began = performance.now()
        const mine = await source.query(
          'select from held_shards where logical = $1 and mover = $2 for update',
          [logical, mover],
        )
        if (mine.rowCount !== 1) throw overtaken()
        await onStep('fenced')
        await copyChanged({ source, target, logical, mover })
        const users = await target.query<{ buyer: string }>(
          'select distinct buyer from arriving_rows where logical = $1',
          [logical],
        )
        const buyers = users.rows.map((row) => row.buyer)
        const [gone, copied] = await Promise.all([
          source.query<Fingerprint>(DELETE_ALL, [buyers]),
          target.query<Fingerprint>(
            `select origin, ${FINGERPRINT} from (
               select origin, content::text as content from arriving_rows where logical = $1) copied group by origin`,
            [logical],
          ),
        ])
        for (const { origin, rows, hash } of gone.rows) {
          const copy = copied.rows.find((one) => one.origin === origin)
          if (rows !== (copy?.rows ?? 0) || (rows > 0 && hash !== copy?.hash))
            throw new Error(
              `The copy of ${origin} of logical shard ${logical} differs (${rows} rows, ${copy?.rows ?? 0} copied); nothing has left its server`,
            )
        }
        await source.query('delete from leaving_users where logical = $1', [logical])
        await source.query('delete from held_shards where logical = $1', [logical])
        await onStep('deleted')
      })
      return began
    } catch (error) {
      // Deadlock, or a lock that did not come: whoever stands in the way goes first.
      if (attempt === 20 || !isLockTrouble(error)) throw error
      await systemClock.sleep(50)
    }
  }
}

/** Copies all of whoever has changed anything since the copy. */
async function copyChanged({ source, target, logical, mover }: Omit<GiveParts, 'onStep'>): Promise<void> {
  const changed = await source.query<{ buyer: string }>(
    'select distinct buyer from leaving_users where logical = $1',
    [logical],
  )
  if (changed.rows.length === 0) return
  const buyers = changed.rows.map((row) => row.buyer)
  await transact(target, async () => {
    await target.query('delete from arriving_rows where logical = $1 and buyer = any($2)', [logical, buyers])
    for (const table of BUYER_TABLES) {
      const { rows } = await source.query<CopiedRow>(
        `select $2::int as logical, '${table}' as origin, user_id as buyer, row_to_json(t)::text as content
         from ${table} t where user_id = any($1)`,
        [buyers, logical],
      )
      await putRows(target, rows, [logical], mover)
    }
  })
}

/** The target makes the copy its own; a no-op where it has. Answers how many rows arrived. */
export async function takeIn(target: pg.Client, logical: number): Promise<number> {
  let arrived = 0
  await transact(target, async () => {
    await target.query(`set local doorbuster.moves_shards = 'on'`)
    const waiting = await target.query('select from arriving_shards where logical = $1 for update', [logical])
    const held = await target.query('select from held_shards where logical = $1', [logical])
    if (held.rowCount === 1) return
    if (waiting.rowCount !== 1)
      throw new Error(
        `logical shard ${logical} is neither here nor on its way here; no server may take it in`,
      )
    await target.query('insert into held_shards (logical) values ($1)', [logical])
    const taken = await target.query<{ rows: number }>(INSERT_ALL, [logical])
    arrived = taken.rows[0]?.rows ?? 0
    const copies = await target.query('delete from arriving_rows where logical = $1', [logical])
    if (copies.rowCount !== arrived)
      throw new Error(
        `${arrived} of ${copies.rowCount} copied rows of logical shard ${logical} were taken in; all stay copies`,
      )
    await target.query('delete from arriving_shards where logical = $1', [logical])
  })
  return arrived
}

const overtaken = () =>
  new SettingError('Somebody else has begun to move the same logical shards; this attempt stops here')
