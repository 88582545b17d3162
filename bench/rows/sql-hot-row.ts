import { connectDatabase, type Sql } from '../../src/platform/postgres.ts'
import { ownPostgres } from '../../test/support/postgres.ts'
import { startLoad } from '../http/processes.ts'
import { CONNECTIONS, forAllRounds, startShop } from '../http/shop.ts'
import { rateOf, type Row } from '../row.ts'

/** Connections to PostgreSQL, each with a transaction under way. */
const LANES = 16

const SCHEMA = `
create table bench_stock (item text primary key, available int not null check (available >= 0));
create table bench_units (item text, n int, taken_by uuid, primary key (item, n));
create index bench_units_free on bench_units (item) where taken_by is null;`

/** Takes one unit in the transaction given; false where there is none. */
type Take = (sql: Sql, item: string, order: string) => Promise<boolean>
const took = async (result: Promise<{ rowCount: number | null }>) => (await result).rowCount === 1

const plainUpdate: Take = (sql, item) =>
  took(
    sql.query('update bench_stock set available = available - 1 where item = $1 and available > 0', [item]),
  )

const skipLocked: Take = (sql, item, order) =>
  took(
    sql.query(
      `update bench_units set taken_by = $2 where (item, n) =
         (select item, n from bench_units where item = $1 and taken_by is null limit 1 for update skip locked)`,
      [item, order],
    ),
  )

const advisoryLock: Take = async (sql, item, order) => {
  await sql.query('select pg_advisory_xact_lock(hashtext($1))', [item])
  return plainUpdate(sql, item, order)
}

const rowOf = (name: string, title: string, how: string, take: Take): Row => ({
  name: `sql-${name}`,
  title: `Whole claim / SQL, ${title}`,
  ours: 'claims over HTTP answered 201, as in `claim-http`',
  yardstick: `a transaction in PostgreSQL that takes a unit by ${how} and inserts the order, called directly, without HTTP`,
  unit: 'per second',
  better: 'more',
  // The target is set against the hot row, not against the ways around it.
  ...(name === 'update' ? { target: 20 } : {}),
  note: `${LANES} connections to PostgreSQL, \`fsync\` on; Redis with \`appendfsync always\`. Our row follows by the order worker, which nobody waits for and which does not run here.`,
  prepare: async (scale) => {
    const { stack, ...shop } = await startShop(scale)
    await using owned = stack
    const postgres = await ownPostgres()
    owned.defer(() => postgres.stop())
    const database = connectDatabase(postgres.url, { max: LANES })
    owned.defer(() => database.close())
    await database.query(SCHEMA)
    const count = scale.of(400, 4000)
    const load = owned.use(startLoad(await shop.claims(forAllRounds(scale, count))))
    const [expected, connections] = [{ status: 201, contains: '"order_id"' }, CONNECTIONS]
    let rounds = 0
    const order = async (item: string) => {
      const id = crypto.randomUUID()
      await database.transaction(async (sql) => {
        if (!(await take(sql, item, id))) throw new Error(`${how} found no unit`)
        await sql.query(INSERT, [crypto.randomUUID(), id, item])
      })
    }
    const kept = owned.move()
    return {
      ours: async () =>
        (await load.run({ port: shop.port, from: rounds++ * count, count, connections, expected })).perSecond,
      yardstick: async () => {
        const item = crypto.randomUUID()
        await database.query('insert into bench_stock values ($1, $2)', [item, count])
        await database.query('insert into bench_units select $1, n from generate_series(1, $2::int) n', [
          item,
          count,
        ])
        const rate = await rateOf(count, LANES, () => order(item))
        const found = await database.query('select from orders where item_id = $1', [item])
        if (found.rowCount !== count) throw new Error(`${found.rowCount} of ${count} orders`)
        return rate
      },
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    }
  },
})

const INSERT = `
insert into orders (user_id, id, sale_id, item_id, quantity, amount, currency, status, claim_seq, claimed_at, pay_by, hold_expires_at)
values ($1, $2, 'bench', $3, 1, 1999, 'EUR', 'PENDING', 1, now(), now() + interval '5 minutes', now() + interval '10 minutes')`

export const sqlRows: readonly Row[] = [
  rowOf('update', 'hot row', 'an `UPDATE` of the one row that counts them', plainUpdate),
  rowOf('skip-locked', 'skip locked', '`FOR UPDATE SKIP LOCKED` over a row for each unit', skipLocked),
  rowOf('advisory-lock', 'advisory lock', 'an advisory lock of the item, then an `UPDATE`', advisoryLock),
]
