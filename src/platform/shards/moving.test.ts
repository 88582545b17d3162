import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { v7 as uuidv7 } from 'uuid'
import { type TestDatabases, testDatabases } from '../../../test/support/postgres.ts'
import { eventually } from '../../../test/support/stripe.ts'
import { createOrders, type NewOrder, type Orders } from '../../flow/orders/orders.ts'
import { insertOrders } from '../../flow/orders/sql.ts'
import { connectDatabase, type Database, type Shards } from '../postgres.ts'
import { BUYER_TABLES, logicalShard } from './logical.ts'
import type { ShardMap } from './map.ts'
import { type Moved, type MoverOptions, withMover } from './mover.ts'
import { createRouting } from './routing.ts'
import { connectShards } from './shards.ts'

// Moving logical shards from one database to another: nothing lost, nothing twice, nothing written where it is no more.

setDefaultTimeout(30_000)
const MOVING = [3, 4, 5]
const buyers = Array.from({ length: 4000 }, (_, n) => `mover-${n}`).filter((user) =>
  MOVING.includes(logicalShard(user)),
)
let databases: TestDatabases
let urls: string[]
let raw: Database[]
beforeEach(async () => {
  databases = await testDatabases(3)
  urls = databases.urls
  raw = urls.map((url) => connectDatabase(url))
  // Two servers hold everything; the third is added later.
  await opened(urls.slice(0, 2), () => Promise.resolve())
  await opened(urls, () => Promise.resolve())
})
afterEach(async () => {
  await Promise.all(raw.map((database) => database.close()))
  await databases.drop()
})

async function opened<T>(some: readonly string[], work: (shards: Shards) => Promise<T>): Promise<T> {
  const shards = connectShards(some)
  try {
    await shards.ready()
    return await work(shards)
  } finally {
    await shards.close()
  }
}
async function move(
  options: MoverOptions = {},
  logical: readonly number[] = MOVING,
  to = 2,
): Promise<Moved[]> {
  const moved = await withMover(urls, options, (mover) => mover.move(logical, to))
  if (moved === 'busy') throw new Error('busy')
  return moved
}
const orderOf = (user_id: string): NewOrder => ({
  ...{
    order_id: uuidv7(),
    user_id,
    sale_id: 'sale',
    item_id: 'item',
    quantity: 1,
    amount: 100,
    currency: 'EUR',
  },
  ...{
    status: 'PENDING',
    failure_reason: null,
    claim_seq: 1,
    claimed_at: 1,
    pay_by: 4e12,
    hold_expires_at: 4e12,
  },
})
/** A buyer with something in every table. */
async function furnish(shards: Shards, user: string): Promise<void> {
  const order = orderOf(user)
  await insertOrders(shards.of(user), [order])
  await shards.of(user).transaction(async (sql) => {
    const at = [user, order.order_id]
    await sql.query(`insert into payments values ($1, $2, 'stripe', 'pi', 100, 'EUR', 'started')`, at)
    await sql.query(`insert into webhook_events values ($1, 'stripe', $2)`, at)
    await sql.query(
      `insert into gift_cards values ($1, $2, 'ABCDEFGHJKMNPQRS', 5, 'EUR', now(), now() + interval '1 day')`,
      at,
    )
    await sql.query('insert into gift_card_uses values ($1, $2, $2, 5)', at)
    await sql.query(
      `insert into contacts (user_id, order_id, email) values ($1, $2, 'a "b" \\ ❤@example.com')`,
      at,
    )
    await sql.query(`insert into notices (user_id, order_id, kind) values ($1, $2, 'paid')`, at)
  })
}
/** Every row of every table of a server, as text. */
const rowsOn = async (server: number): Promise<string[]> => {
  const found = await Promise.all(
    BUYER_TABLES.map((table) =>
      (raw[server] as Database).query<{ row: string }>(
        `select '${table}' || row_to_json(t)::text as row from ${table} t`,
      ),
    ),
  )
  return found.flatMap(({ rows }) => rows.map(({ row }) => row)).sort()
}
const everything = async () => (await Promise.all([0, 1, 2].map(rowsOn))).flat().sort()
const left = async () =>
  (
    await Promise.all(
      raw.map((database) =>
        database.query<{ n: number }>(
          `select (select count(*) from arriving_rows) + (select count(*) from arriving_shards)
                + (select count(*) from leaving_users) + (select count(*) from held_shards where leaving) as n`,
        ),
      ),
    )
  ).map(({ rows }) => rows[0]?.n)
const codeOf = ({ code }: { code: unknown }) => code
const held = async (server: number) =>
  (
    await (raw[server] as Database).query<{ logical: number }>('select logical from held_shards order by 1')
  ).rows.map(({ logical }) => logical)

describe('a mover that ends between two steps', () => {
  test('loses nothing, and is finished by the next one', async () => {
    const some = buyers.filter((user) => logicalShard(user) < 5).slice(0, 6)
    await opened(urls, async (shards) => {
      for (const user of [...some, 'stays-1', 'stays-2']) await furnish(shards, user)
    })
    const before = await everything()
    const two = MOVING.slice(0, 2)
    const steps: string[] = []
    await move({ noticeMs: 0, onStep: (step) => void steps.push(step) }, two)
    expect(new Set(steps).size).toBe(11)
    // There and back again, ended after each step of the first and after the last of all.
    let to = 2
    for (const [at, step] of steps.entries()) {
      if (steps.indexOf(step) < at) continue
      to = to === 2 ? 0 : 2
      let seen = 0
      const killed = await move(
        {
          noticeMs: 0,
          onStep: () => {
            if (seen++ === at) throw new Error('killed')
          },
        },
        two,
        to,
      ).catch(String)
      expect({ step, killed }).toEqual({ step, killed: 'Error: killed' })
      await move({ noticeMs: 0 }, two, to)
      expect({ step, rows: await everything() }).toEqual({ step, rows: before })
      expect({ step, left: await left() }).toEqual({ step, left: [0, 0, 0] })
      expect(await held(to)).toEqual(expect.arrayContaining(two) as number[])
      await opened(urls, async (shards) => {
        for (const user of some) {
          expect(shards.numberOf(user)).toBe(to)
          expect(
            (await shards.of(user).query('select from orders where user_id = $1', [user])).rowCount,
          ).toBe(1)
        }
      })
    }
  })

  test('is taken back where nothing has left, and leaves nothing behind; what has left has to arrive', async () => {
    await opened(urls, (shards) => furnish(shards, buyers[0] as string))
    const before = await rowsOn(0)
    const stopAt = (at: string) => ({
      noticeMs: 0,
      onStep: (step: string) => {
        if (step === at) throw new Error('killed')
      },
    })
    await move(stopAt('copied')).catch(() => undefined)
    expect(await left()).not.toEqual([0, 0, 0])
    expect(await withMover(urls, {}, (mover) => mover.cancel())).toEqual(MOVING)
    expect([await left(), await rowsOn(0)]).toEqual([[0, 0, 0], before])
    await move(stopAt('given up')).catch(() => undefined)
    expect(await move({ noticeMs: 0 }, MOVING, 1).catch(String)).toContain('is on its way to server 2')
    expect(await withMover(urls, {}, (mover) => mover.cancel())).toEqual(MOVING.slice(1))
    const unfinished = await withMover(urls, { noticeMs: 0 }, async (mover) => {
      const some = await mover.unfinished()
      await mover.move(MOVING.slice(0, 1), 2)
      return some
    })
    expect(unfinished).toEqual([{ logical: MOVING[0] as number, to: 2 }])
    expect([await left(), (await everything()).length]).toEqual([[0, 0, 0], before.length])
    expect(await held(2)).toEqual(MOVING.slice(0, 1))
  })

  test('a copy that differs is found before anything is gone', async () => {
    await opened(urls, (shards) => furnish(shards, buyers[0] as string))
    const before = await everything()
    for (const spoil of [
      `update arriving_rows set content = json_build_object('user_id', buyer) where origin = 'notices'`,
      `delete from arriving_rows where origin = 'webhook_events'`,
    ]) {
      const onStep = async (step: string) => {
        if (step === 'copied') await raw[2]?.query(spoil)
      }
      expect(await move({ noticeMs: 0, onStep }).catch(String)).toContain('differs')
      expect(await everything()).toEqual(before)
    }
  })

  test('a second mover has to wait; one whose place was taken stops before it deletes anything', async () => {
    // Not of the server that has the catalogue: a mover has one connection to each.
    const user =
      Array.from({ length: 4000 }, (_, n) => `other-${n}`).find((one) => logicalShard(one) === 200) ?? ''
    await opened(urls, (shards) => furnish(shards, user))
    const before = await everything()
    const late = move(
      {
        noticeMs: 0,
        onStep: async (step) => {
          if (step === 'target cleared')
            expect(await withMover(urls, {}, () => Promise.resolve())).toBe('busy')
          if (step !== 'copied') return
          // Its connection to the catalogue is lost, and with it its lock; it has not noticed.
          await raw[0]?.query(
            `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = 7368003`,
          )
          const takeOver = {
            noticeMs: 0,
            onStep: (other: string) => {
              if (other === 'target cleared') throw new Error('killed')
            },
          }
          await eventually(async () => (await move(takeOver, [200]).catch(String)) === 'Error: killed')
        },
      },
      [200],
    )
    expect(await late.then(String, (error: Error) => error.message)).toContain(
      'Somebody else has begun to move',
    )
    expect(await rowsOn(1)).toEqual(before)
    await move({ noticeMs: 0 }, [200])
    expect(await rowsOn(2)).toEqual(before)
  })
})

describe('writers on an old map', () => {
  const user = () => buyers[0] as string

  test('are waited for where they have begun, and what they wrote is moved', async () => {
    const [source] = raw as [Database]
    const early = orderOf(user())
    const noted = orderOf(user())
    let writing: Promise<unknown> | undefined
    let moving: Promise<unknown> | undefined
    // Begun before the guard was placed: the trigger of that time asks nothing.
    await source.transaction(async (sql) => {
      await insertOrders(sql, [early])
      moving = move({
        noticeMs: 0,
        onStep: async (step) => {
          if (step !== 'copied') return
          // After the copy, and under way when the fence comes.
          const began = Promise.withResolvers<undefined>()
          writing = source.transaction(async (other) => {
            await insertOrders(other, [noted])
            began.resolve(undefined)
            await Bun.sleep(300)
          })
          await began.promise
        },
      })
      await Bun.sleep(300)
      expect(await held(2)).toEqual([])
    })
    await moving
    await writing
    expect(await rowsOn(0)).toEqual([])
    const found = (await rowsOn(2)).join()
    for (const { order_id } of [early, noted]) expect(found).toContain(order_id)
  })

  test('never write on the old server, whatever they do there', async () => {
    const [source] = raw as [Database]
    await opened(urls, (shards) => furnish(shards, user()))
    const before = await everything()
    const attempts = [
      (sql: Database) => insertOrders(sql, [orderOf(user())]),
      (sql: Database) =>
        sql.query(`insert into contacts (user_id, order_id, email) values ($1, $2, 'x')`, [user(), uuidv7()]),
    ]
    await source
      .transaction(async (sql) => {
        // A transaction that has read there, and decides to write when it is too late.
        const { rows } = await sql.query('select from orders where user_id = $1', [user()])
        expect(rows).toHaveLength(1)
        await move({ noticeMs: 0 })
        const error = await sql
          .query(`insert into webhook_events values ($1, 'stripe', 'e')`, [user()])
          .catch((it: unknown) => it)
        expect(error).toMatchObject({ code: 'DB001' })
        throw error
      })
      .catch(() => undefined)
    for (const attempt of attempts) expect(await attempt(source).then(String, codeOf)).toBe('DB001')
    expect(await everything()).toEqual(before)
    // While the fence stands they wait, and are refused when it is gone.
    let late: Promise<unknown> | undefined
    await move(
      {
        noticeMs: 0,
        onStep: async (step) => {
          if (step !== 'fenced' || late !== undefined) return
          late = insertOrders(raw[2] as Database, [orderOf(user()), ...buyers.slice(1, 3).map(orderOf)]).then(
            String,
            codeOf,
          )
          await Bun.sleep(100)
        },
      },
      MOVING,
      1,
    )
    expect(await late).toBe('DB001')
    expect(await everything()).toEqual(before)
  })

  test('are led to the new one: with a map they trust, and with one they do not', async () => {
    await opened(urls, (shards) => furnish(shards, user()))
    await move({ noticeMs: 0 })
    for (const isTrusted of [true, false]) {
      let position = 0
      let reloads = 0
      const map = {
        isLoaded: true,
        trust: () => (isTrusted || position === 2 ? () => true : undefined),
        positionOf: () => position,
        reload: async () => {
          reloads += 1
          position = 2
        },
      } as unknown as ShardMap
      const routing = () => {
        position = 0
        return createRouting({
          map,
          ready: () => Promise.resolve(),
          pools: raw,
          databaseOf: () => raw[position] as Database,
        })
      }
      const order = orderOf(user())
      await insertOrders(routing().of(user()), [order])
      await routing().spread([orderOf(user())], ({ sql }, rows) => insertOrders(sql, rows))
      await routing()
        .of(user())
        .transaction((sql) => insertOrders(sql, [orderOf(user())]))
      expect(reloads).toBe(3)
      if (isTrusted) continue
      // Nothing found, nothing changed: it is the server that says whether that is the truth.
      const read = await routing().of(user()).query('select from orders where user_id = $1', [user()])
      expect(read.rowCount).toBe(7)
      const changed = await routing()
        .of(user())
        .query(`update orders set status = 'PAID', paid_at = now() where id = $1`, [order.order_id])
      expect(changed.rowCount).toBe(1)
      await routing().spread([order], async ({ sql }) => {
        await sql.query(`update orders set restocked_at = null, quantity = 2 where user_id = $1`, [user()])
      })
      expect((await raw[2]?.query('select from orders where quantity = 2'))?.rowCount).toBe(7)
      expect(reloads).toBe(6)
    }
  })
})

describe('while buyers come and go', () => {
  let shards: Shards
  let orders: Orders
  beforeEach(async () => {
    shards = connectShards(urls)
    await shards.ready()
    orders = createOrders({ shards })
  })
  afterEach(() => shards.close())

  test('every order is found by its buyer, decided once, and counted once, at every moment', async () => {
    const stopping = new AbortController()
    let [written, begun, paid] = [0, 0, 0]
    const shop = async (who: number) => {
      for (let n = who; !stopping.signal.aborted; n += 8) {
        const user = buyers[n % buyers.length] as string
        const order = orderOf(user)
        begun += 1
        await orders.insert([{ ...order, timestamp: 1 } as never])
        written += 1
        expect(await orders.find(user, order.order_id)).toMatchObject({ status: 'PENDING' })
        const won = await Promise.all(
          [1, 2].map(() => shards.of(user).transaction((sql) => orders.pay(sql, user, order.order_id))),
        )
        expect(won.filter(Boolean)).toHaveLength(1)
        paid += 1
        expect(await orders.find(user, order.order_id)).toMatchObject({ status: 'PAID' })
      }
    }
    const count = async () => {
      while (!stopping.signal.aborted) {
        const [least, leastPaid] = [written, paid]
        const { PENDING, PAID } = await orders.count('item')
        expect(PENDING.orders + PAID.orders).toBeWithin(least, begun + 1)
        expect(PAID.orders).toBeWithin(leastPaid, begun + 1)
        const all = await orders.forItem('item')
        expect(new Set(all.map(({ order_id }) => order_id)).size).toBe(all.length)
      }
    }
    const going = Promise.all([...[0, 1, 2, 3].map(shop), count()])
    going.catch(() => undefined)
    await eventually(() => written > 40)
    const moved = [...(await move()), ...(await move({}, MOVING, 1))]
    await eventually(() => written > 80)
    stopping.abort()
    await going
    expect(moved.map(({ logical, to }) => [logical, to])).toEqual(
      [2, 1].flatMap((to) => MOVING.map((n) => [n, to])),
    )
    expect(await rowsOn(0)).toEqual([])
    expect(await rowsOn(2)).toEqual([])
    expect(await rowsOn(1)).toHaveLength(written)
    expect((await orders.count('item')).PAID.orders).toBe(written)
  })

  test('who asks while a logical shard is on no server waits, and is told the truth', async () => {
    const user = buyers.find((one) => logicalShard(one) === MOVING[0]) ?? ''
    await furnish(shards, user)
    const answers: Promise<unknown>[] = []
    await move({
      onStep: async (step) => {
        if (step !== 'given up' || answers.length > 0) return
        answers.push(
          orders.of(user).then((found) => found.length),
          orders.count('item').then(({ PENDING }) => PENDING.orders),
          orders.insert([{ ...orderOf(user), timestamp: 1 } as never]),
        )
        await Bun.sleep(200)
        expect(answers.map((one) => Bun.peek.status(one))).toEqual(['pending', 'pending', 'pending'])
      },
    })
    const [found, counted] = await Promise.all(answers)
    expect(found).toBeWithin(1, 3)
    expect(counted).toBeWithin(1, 3)
    expect(await orders.of(user)).toHaveLength(2)
  })
})
