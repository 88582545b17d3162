import type { Database, Sql } from '../../src/platform/postgres.ts'
import type { Node, Server } from './node.ts'
import { connectionLost, type ModelSql, type PostgresModel, speaksNoSql } from './postgres-model.ts'
import type { World } from './world.ts'

/** A database of the simulation: the model, and the network in front of it. */
export interface PostgresServer extends Server {
  readonly model: PostgresModel
}

export function createPostgresServer(world: World, name: string, model: PostgresModel): PostgresServer {
  return {
    ...{ name, model, up: true, life: 1 },
    losses: world.chance(0.5) ? 0.01 : 0,
    refused: () => Object.assign(new Error(`connect ECONNREFUSED ${name}`), { code: 'ECONNREFUSED' }),
    lost: connectionLost,
  }
}

/** How a process reaches a database. Each statement is a call; a commit may be lost before or after its effect. */
export function connect(node: Node, server: PostgresServer): Database {
  const { model } = server
  const auto: ModelSql['run'] = (what, statement) =>
    node.call(server, `${server.name}: ${what}`, () => {
      const transaction = model.begin()
      try {
        const answer = model.run(transaction, statement)
        model.commit(transaction)
        return answer
      } catch (error) {
        model.rollback(transaction)
        throw error
      }
    })

  return {
    run: auto,
    query: speaksNoSql,
    close: () => Promise.resolve(),
    transaction: async <Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> => {
      const transaction = await node.call(server, `${server.name}: begin`, () => new Held(model.begin()))
      const one = transaction.transaction
      // The server notices the end of a connection a little later than it ends.
      const lose = () => node.world.after(node.world.latency(), () => model.rollback(one))
      node.onDeath.push(lose)
      const sql: ModelSql = {
        query: speaksNoSql,
        run: (what, statement) =>
          node.call(server, `${server.name}: ${what}`, () => model.run(one, statement)),
      }
      try {
        const result = await work(sql)
        await node.call(server, `${server.name}: commit`, () => model.commit(one))
        return result
      } catch (error) {
        lose()
        throw error
      } finally {
        node.onDeath.splice(node.onDeath.indexOf(lose), 1)
      }
    },
  } as Database & ModelSql
}

/** Keeps a transaction out of the trace. */
class Held {
  readonly transaction: ReturnType<PostgresModel['begin']>
  constructor(transaction: ReturnType<PostgresModel['begin']>) {
    this.transaction = transaction
  }
  toJSON(): string {
    return 'begun'
  }
}
