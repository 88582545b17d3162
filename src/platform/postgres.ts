import pg from 'pg'
import { createBreaker } from './breaker.ts'
import { systemClock } from './clock.ts'
import { isSheddable, refuseWhenLate, timeLeftMs, withUrgency } from './deadline.ts'
import { isConnectionError, Overloaded } from './errors.ts'

/** Runs one statement: a pool, or the connection of a transaction. */
export interface Sql {
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>>
}

/** One PostgreSQL database, pooled. */
export interface Database extends Sql {
  /** Runs `work` in one transaction; rolls back where it throws. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Where a read or a batch runs: a connection, and which of `Shards.all` it belongs to. */
export interface AtShard {
  readonly sql: Sql
  readonly shard: number
}

/** The databases of `DATABASE_URLS`, in that order, and who is on which. */
export interface Shards {
  readonly all: readonly Database[]
  /** Products, sales, audit log and reconciliation runs: the first database. */
  readonly catalogue: Database
  /**
   * Everything of this buyer, wherever it is when a statement runs. A transaction that finds it moved is rolled back, and
   * its work done once more on the new server.
   */
  of(userId: string): Database
  /** Where that is now, as a number of `all`; -1 while nobody knows. */
  numberOf(userId: string): number
  /** Runs `work`, which must be safe to repeat, once for each database with the rows whose buyers it has. */
  spread<Row extends { readonly user_id: string }>(
    rows: readonly Row[],
    work: (at: AtShard, rows: Row[]) => Promise<unknown>,
  ): Promise<void>
  /**
   * Reads every database so that each buyer is counted once, also while some are moved. In the order of `all`; rejected is
   * one that does not answer. `briefMs`: see readBriefly.
   */
  survey<T>(read: (at: AtShard) => Promise<T>, briefMs?: number): Promise<PromiseSettledResult<T>[]>
  /** Settles once it is known who is on which. Throws SettingError for servers that do not fit. */
  ready(): Promise<void>
  close(): Promise<void>
}

/** The answers of a survey; throws where a database gave none. */
export async function everywhere<T>(
  shards: Pick<Shards, 'survey'>,
  read: (at: AtShard) => Promise<T>,
): Promise<T[]> {
  return (await shards.survey(read)).map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}

export interface PoolOptions {
  /** A pooled connection may break while idle; without a listener that would end the process. */
  readonly onError?: (error: Error) => void
  /** Connections per database. */
  readonly max?: number
  /** Callers that may wait for a connection; the next one is refused. Requests that may be shed get half of the places. */
  readonly maxWaiting?: number
  /** A statement that takes longer is ended by the server; where that is frozen, we give up half a second later. */
  readonly statementTimeoutMs?: number
  /** Longest wait for a connection, new or lent to somebody else. */
  readonly connectTimeoutMs?: number
  /** Told when the database is given up for a while, and when it is back. */
  readonly onChange?: (state: 'open' | 'closed') => void
}

// int8 (oid 20) holds amounts, sequences and counts, all far below 2^53; a larger one is an error, not a rounding.
pg.types.setTypeParser(20, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is beyond 2^53`)
  return value
})

export function connectDatabase(url: string, options: PoolOptions = {}): Database {
  const { max = 8, maxWaiting = 256, onError = () => undefined } = options
  const { statementTimeoutMs = 10_000, connectTimeoutMs = 3000 } = options
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 500,
    // Of a process that died or froze between two statements: its locks must not outlive a payment window.
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    application_name: 'doorbuster',
  })
  pool.on('error', onError)
  const breaker = createBreaker({
    name: 'PostgreSQL',
    isFailure: saysItIsAway,
    onChange: options.onChange ?? (() => undefined),
  })
  let lent = 0

  const connect = async (): Promise<pg.PoolClient> => {
    refuseWhenLate()
    if (pool.waitingCount >= (isSheddable() ? maxWaiting / 2 : maxWaiting))
      throw new Overloaded(`${pool.waitingCount} callers wait for one of ${max} connections`)
    const connecting = pool.connect()
    try {
      return await inTime(connecting, timeLeftMs())
    } catch (error) {
      connecting.then(
        (client) => client.release(),
        () => undefined,
      )
      // All connections stand and are at work: it answers, only not us.
      if (lent >= max) throw new Overloaded(`no connection became free in time`, { cause: error })
      throw error
    }
  }

  const lend = async <T>(work: (sql: Lent) => Promise<T>): Promise<T> => {
    const client = await connect()
    lent += 1
    let broken: Error | undefined
    // The pool listens to idle connections only; one that is lost while lent out must not end the process.
    const onLost = (error: Error) => {
      broken = error
      onError(error)
    }
    client.on('error', onLost)
    const query: Sql['query'] = async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => {
      try {
        return await client.query<Row>(text, values)
      } catch (error) {
        if (leavesDoubt(error as Error)) broken ??= error as Error
        throw error
      }
    }
    try {
      return await work({ query, isBroken: () => broken !== undefined })
    } finally {
      lent -= 1
      client.off('error', onLost)
      client.release(broken)
    }
  }

  return {
    query: (text, values) => breaker.run(() => lend((sql) => sql.query(text, values))),
    transaction: (work) => breaker.run(() => lend((sql) => transact(sql, work))),
    close: () => pool.end(),
  }
}

/**
 * Reads that may not be in anybody's way: no connection is waited for longer than `ms`, the places of those who matter more
 * are left to them, and a statement that takes longer is ended.
 */
export const readBriefly = <T>(database: Database, ms: number, work: (sql: Sql) => Promise<T>): Promise<T> =>
  withUrgency({ until: performance.now() + ms, sheddable: true }, () =>
    database.transaction(async (sql) => {
      await sql.query(`set local statement_timeout = ${Math.ceil(ms)}`)
      return work(sql)
    }),
  )

/** A pattern of `like` for what begins with this text. */
export const beginsWith = (text: string): string => `${text.replace(/[\\%_]/g, '\\$&')}%`

/** A connection on loan. Broken is one on which a statement had no answer: nobody uses it again. */
interface Lent extends Sql {
  isBroken(): boolean
}

async function transact<T>(sql: Lent, work: (sql: Sql) => Promise<T>): Promise<T> {
  try {
    await sql.query('begin')
    const result = await work({ query: (text, values) => sql.query(text, values) })
    // PostgreSQL answers a commit after a failed statement with a rollback and no error.
    const { command } = await sql.query('commit')
    if (command !== 'COMMIT') throw new Error('a statement failed; the transaction was rolled back')
    return result
  } catch (error) {
    if (!sql.isBroken()) await sql.query('rollback').catch(() => undefined)
    throw error
  }
}

/** The server refused a statement: the connection is as good as before. Anything else, and nobody knows what comes next. */
const leavesDoubt = (error: Error): boolean =>
  !(error instanceof pg.DatabaseError) || /^(57P|08)/.test(error.code ?? '')

/** A full queue of ours and a statement that took too long say that it is busy, not that it is away. */
const saysItIsAway = (error: unknown): boolean =>
  isConnectionError(error) && !(error instanceof Overloaded) && (error as { code?: unknown }).code !== '57014'

/** The answer, or a throw when the time is over; whoever made the promise looks after a late answer. */
async function inTime<T>(answer: Promise<T>, ms: number | undefined): Promise<T> {
  if (ms === undefined) return answer
  const waited = new AbortController()
  const late = systemClock.sleep(Math.max(0, ms), waited.signal).then((): never => {
    throw new Overloaded('no connection became free before the time of the request was over')
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([answer, late])
  } finally {
    waited.abort()
  }
}
