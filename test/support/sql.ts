import type { Database, Shards, Sql } from '../../src/platform/postgres.ts'

export interface Statement {
  /** Number of the database in `shards.all`. */
  readonly shard: number
  readonly text: string
}

/** What happens around a statement: before it runs, it may wait or throw. */
export type Around = (statement: Statement) => void | Promise<void>

/** The same shards, with every statement shown to `around` first. */
export function watchShards(shards: Shards, around: Around): Shards {
  const wrap = (database: Database, shard: number): Database => {
    const watch = (sql: Sql): Sql => ({
      query: async (text, values) => {
        await around({ shard, text })
        return sql.query(text, values)
      },
    })
    return {
      ...watch(database),
      transaction: (work) => database.transaction((sql) => work(watch(sql))),
      close: () => database.close(),
    }
  }
  const all = shards.all.map(wrap)
  const of = (user: string) => all[shards.all.indexOf(shards.of(user))] as Database
  return { all, catalogue: all[0] as Database, of, close: () => shards.close() }
}

/** An error as PostgreSQL's driver throws it when the server is gone. */
export const connectionLost = (): Error =>
  Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' })
