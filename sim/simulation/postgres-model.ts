import type { Database, Sql } from '../../src/platform/postgres.ts'

/**
 * One PostgreSQL database as far as the flow can tell: READ COMMITTED, row locks held to the end of a transaction, an
 * insert that waits for another of its key. A statement takes all its locks at once or none and waits, so the model
 * knows no deadlock.
 */
export class PostgresModel {
  readonly tables = new Map<string, Map<string, object>>()
  readonly locks = new Map<string, Transaction>()
  readonly now: () => number
  private readonly open = new Set<Transaction>()

  constructor(now: () => number) {
    this.now = now
  }

  table<Row>(name: string): Map<string, Row> {
    let rows = this.tables.get(name)
    if (rows === undefined) this.tables.set(name, (rows = new Map<string, object>()))
    return rows as Map<string, Row>
  }

  begin(): Transaction {
    const transaction = new Transaction(this)
    this.open.add(transaction)
    return transaction
  }

  /** Throws Blocked, with nothing done, where a row is locked by another. */
  run<Answer>(transaction: Transaction, statement: Statement<Answer>): Answer {
    if (transaction.over) throw connectionLost()
    const before = new Set(transaction.locked)
    try {
      return statement(transaction)
    } catch (error) {
      if (error instanceof Blocked)
        for (const key of transaction.locked.difference(before)) transaction.unlock(key)
      throw error
    }
  }

  commit(transaction: Transaction): void {
    if (transaction.over) throw connectionLost()
    for (const [name, rows] of transaction.written)
      for (const [key, row] of rows) this.table<object>(name).set(key, row)
    this.end(transaction)
  }

  rollback(transaction: Transaction): void {
    if (!transaction.over) this.end(transaction)
  }

  /** A restart of the server: what was not committed is gone. */
  restart(): void {
    for (const transaction of [...this.open]) this.end(transaction)
  }

  private end(transaction: Transaction): void {
    transaction.over = true
    this.open.delete(transaction)
    for (const key of [...transaction.locked]) transaction.unlock(key)
    for (const act of transaction.waiting.splice(0)) act()
  }
}

export type Statement<Answer> = (transaction: Transaction) => Answer

export class Transaction {
  over = false
  /** `now()`: when the transaction began. */
  readonly now: number
  readonly locked = new Set<string>()
  readonly written = new Map<string, Map<string, object>>()
  readonly waiting: (() => void)[] = []
  private readonly database: PostgresModel

  constructor(database: PostgresModel) {
    this.database = database
    this.now = database.now()
  }

  whenOver(act: () => void): void {
    this.waiting.push(act)
  }

  /** The row as this transaction sees it. */
  get<Row>(table: string, key: string): Row | undefined {
    return (this.written.get(table)?.get(key) ?? this.database.table<object>(table).get(key)) as
      Row | undefined
  }

  all<Row>(table: string): Row[] {
    const own = this.written.get(table)
    const rows = this.database.table<object>(table)
    if (own === undefined) return [...rows.values()] as Row[]
    return [...new Map([...rows, ...own]).values()] as Row[]
  }

  isFree(table: string, key: string): boolean {
    const holder = this.database.locks.get(`${table} ${key}`)
    return holder === undefined || holder === this
  }

  /** To be called for every row before the first is written. */
  lock(table: string, key: string): void {
    const holder = this.database.locks.get(`${table} ${key}`)
    if (holder === this) return
    if (holder !== undefined) throw new Blocked(holder)
    this.database.locks.set(`${table} ${key}`, this)
    this.locked.add(`${table} ${key}`)
  }

  put(table: string, key: string, row: object): void {
    let rows = this.written.get(table)
    if (rows === undefined) this.written.set(table, (rows = new Map<string, object>()))
    rows.set(key, row)
  }

  unlock(key: string): void {
    this.database.locks.delete(key)
    this.locked.delete(key)
  }
}

/** Another transaction holds a lock; to be tried again when it is over. */
export class Blocked extends Error {
  readonly holder: Transaction

  constructor(holder: Transaction) {
    super('waits for a lock')
    this.holder = holder
  }
}

export const connectionLost = (): Error =>
  Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' })

/** What the model stores are given as their `Sql`. */
export interface ModelSql extends Sql {
  run<Answer>(what: string, statement: Statement<Answer>): Promise<Answer>
}

/** Runs a statement of a model store, wherever its `sql` leads. */
export const runOn = <Answer>(sql: Sql, what: string, statement: Statement<Answer>): Promise<Answer> =>
  (sql as ModelSql).run(what, statement)

export const speaksNoSql = (text: string): Promise<never> =>
  Promise.reject(new Error(`the model speaks no SQL: ${text}`))

/** The model without a network in between, for tests. */
export function directDatabase(model: PostgresModel): Database {
  const on = (transaction: () => Transaction, end: (one: Transaction) => void): ModelSql => ({
    query: (text) => speaksNoSql(text),
    run: async (_what, statement) => {
      for (;;) {
        const one = transaction()
        try {
          const answer = model.run(one, statement)
          end(one)
          return answer
        } catch (error) {
          if (!(error instanceof Blocked)) throw error
          await new Promise<void>((resolve) => error.holder.whenOver(resolve))
        }
      }
    },
  })
  return {
    ...on(
      () => model.begin(),
      (one) => model.commit(one),
    ),
    transaction: async (work) => {
      const one = model.begin()
      try {
        const answer = await work(
          on(
            () => one,
            () => undefined,
          ),
        )
        model.commit(one)
        return answer
      } catch (error) {
        model.rollback(one)
        throw error
      }
    },
    close: () => Promise.resolve(),
  }
}
