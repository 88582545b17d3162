import { createHash } from 'node:crypto'
import pg from 'pg'

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

/** The databases of `DATABASE_URLS`. */
export interface Shards {
  readonly all: readonly Database[]
  /** Products, sales, audit log and reconciliation runs: the first database. */
  readonly catalogue: Database
  /** The one database with everything of this buyer. */
  of(userId: string): Database
  close(): Promise<void>
}

export const LOGICAL_SHARDS = 256

/** Stable: the first byte of the SHA-256 of the user id. Never change it; rows would no longer be found. */
export function logicalShard(userId: string): number {
  return createHash('sha256').update(userId).digest().readUInt8(0)
}

export interface PoolOptions {
  /** A pooled connection may break while idle; without a listener that would end the process. */
  readonly onError?: (error: Error) => void
  /** Connections per database. */
  readonly max?: number
}

// int8 (oid 20) holds amounts, sequences and counts, all far below 2^53; a larger one is an error, not a rounding.
pg.types.setTypeParser(20, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is beyond 2^53`)
  return value
})

export function connectDatabase(url: string, options: PoolOptions = {}): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 8,
    connectionTimeoutMillis: 3000,
    statement_timeout: 15_000,
    application_name: 'doorbuster',
  })
  const onError = options.onError ?? (() => undefined)
  pool.on('error', onError)
  return {
    query: (text, values) => pool.query(text, values),
    transaction: async (work) => {
      const client = await pool.connect()
      let broken: Error | undefined
      // The pool listens to idle connections only; one that is lost while lent out must not end the process.
      const onLost = (error: Error) => {
        broken = error
        onError(error)
      }
      client.on('error', onLost)
      try {
        await client.query('begin')
        const result = await work({ query: (text, values) => client.query(text, values) })
        // PostgreSQL answers a commit after a failed statement with a rollback and no error.
        const { command } = await client.query('commit')
        if (command !== 'COMMIT') throw new Error('a statement failed; the transaction was rolled back')
        return result
      } catch (error) {
        await client.query('rollback').catch((failure: Error) => (broken = failure))
        throw error
      } finally {
        client.off('error', onLost)
        client.release(broken)
      }
    },
    close: () => pool.end(),
  }
}

/** Logical shards are spread over the databases in equal runs. Connects lazily. */
export function connectShards(urls: readonly string[], options: PoolOptions = {}): Shards {
  const all = urls.map((url) => connectDatabase(url, options))
  const catalogue = all[0]
  if (catalogue === undefined) throw new Error('no database URL')
  return {
    all,
    catalogue,
    of: (userId) => all[Math.floor((logicalShard(userId) * all.length) / LOGICAL_SHARDS)] ?? catalogue,
    close: async () => void (await Promise.all(all.map((database) => database.close()))),
  }
}
