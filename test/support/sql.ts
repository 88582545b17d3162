import {
  type AtShard,
  type Database,
  readBriefly,
  type Shards,
  type Sql,
} from '../../src/platform/postgres.ts'

export interface Statement {
  /** Number of the database in `shards.all`. */
  readonly shard: number
  readonly text: string
}

/** What happens around a statement: before it runs, it may wait or throw. */
export type Around = (statement: Statement) => void | Promise<void>

/** The same shards, with every statement shown to `around` first. */
export function watchShards(shards: Shards, around: Around): Shards {
  const watched = (sql: Sql, shard: number): Sql => ({
    query: async (text, values) => {
      await around({ shard, text })
      return sql.query(text, values)
    },
  })
  const wrap = (database: Database, shard: number): Database => ({
    ...watched(database, shard),
    transaction: (work) => database.transaction((sql) => work(watched(sql, shard))),
    close: () => database.close(),
  })
  const all = shards.all.map(wrap)
  const at = ({ sql, shard }: AtShard): AtShard => ({ sql: watched(sql, shard), shard })
  return {
    ...shards,
    all,
    catalogue: all[0] as Database,
    of: (user) => wrap(shards.of(user), shards.numberOf(user)),
    spread: (rows, work) => shards.spread(rows, (where, some) => work(at(where), some)),
    survey: (read, briefMs) => shards.survey((where) => read(at(where)), briefMs),
  }
}

/** An error as PostgreSQL's driver throws it when the server is gone. */
export const connectionLost = (): Error =>
  Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' })

/** A survey of these databases, of which nothing is moved. */
export const surveyOf = (all: readonly Database[]): Pick<Shards, 'survey'> => ({
  survey: (read, briefMs = 5000) =>
    Promise.allSettled(
      all.map((database, shard) => readBriefly(database, briefMs, (sql) => read({ sql, shard }))),
    ),
})
