import { afterAll, beforeAll, expect, test } from 'bun:test'
import { PHONE, type Rooms, startRooms, visitorOf } from '../../../test/support/rooms.ts'
import { loseFolder } from '../../../test/support/redis-faults.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { testDatabases, type TestDatabases } from '../../../test/support/postgres.ts'
import { systemClock } from '../../platform/clock.ts'
import type { Shards } from '../../platform/postgres.ts'
import { connectShards } from '../../platform/shards/shards.ts'
import { keys, MAIN_LANE } from './keys.ts'
import { wantedCeiling } from './recovery.ts'
import { sqlMarkStore } from './sql.ts'

let server: TestRedis
let rooms: Rooms
beforeAll(async () => {
  server = await startTestRedis()
  rooms = await startRooms({ nodes: 2, server })
})
afterAll(async () => {
  await rooms[Symbol.asyncDispose]()
  await server.stop()
})

/** Another process on the same port, seen by every connection. */
async function replaced(change: () => Promise<void> = async () => undefined): Promise<void> {
  const before = rooms.connections.map((connection) => connection.runId())
  await server.kill9()
  await change()
  await server.restart()
  const isNew = () =>
    rooms.connections.every((connection, index) => ![undefined, before[index]].includes(connection.runId()))
  while (!isNew()) await systemClock.sleep(10)
}
/** What the cleanup worker does once a second. */
async function keep(sale: string): Promise<void> {
  if (await rooms.room.keep(sale)) return
  const found = rooms.sales.get(sale)
  if (found !== undefined) await rooms.room.create(found, rooms.groups.get(sale) ?? [], null)
}
const positionOf = async (sale: string, device: string) =>
  (await rooms.join(sale, { visitor: visitorOf(device) })).position ?? 0
const refusalOf = (sale: string, node = 0) =>
  rooms.join(sale, {}, rooms.rooms[node]).then(
    () => 'joined',
    (error: unknown) => (error as Error).name,
  )

test('after a restart nobody joins before it was looked at, then the line goes on where it was', async () => {
  const sale = await rooms.newSale({ rate_per_second: 1 })
  const places = await rooms.crowd(sale, 20)
  await keep(sale)
  await replaced()
  for (const node of [0, 1]) expect(await refusalOf(sale, node)).toBe('Unavailable')
  // Whoever has a place is told it, and the status goes on.
  rooms.look()
  expect(await rooms.join(sale, { ticket: places[0]?.ticket })).toMatchObject({ kind: 'kept' })
  expect((await rooms.room.status(sale))?.last_position).toBe(20)
  await keep(sale)
  expect(await positionOf(sale, 'next')).toBeWithin(21, 90)
})

test('an empty Redis: no position is given twice, the line does not go back, and a ticket is good', async () => {
  const sale = await rooms.newSale({ rate_per_second: 10 })
  const places = await rooms.crowd(sale, 100)
  await rooms.letPass(sale, 5000)
  const { serving = 0 } = (await rooms.room.line(sale)) ?? {}
  expect(serving).toBeWithin(50, 60)
  await keep(sale)
  // Unseen by the mark.
  const late = await rooms.crowd(sale, 3)
  rooms.look()
  for (const at of rooms.rooms) expect((await at.status(sale))?.last_position).toBe(103)
  await replaced(() => loseFolder(server))
  rooms.look()
  // Nobody is told that there is no such sale: what was seen last is told on, and a join is to be tried again.
  expect((await rooms.room.status(sale))?.last_position).toBe(103)
  for (const node of [0, 1]) expect(await refusalOf(sale, node)).toBe('Unavailable')
  expect(rooms.node().status(sale)).rejects.toThrow('missing')
  await keep(sale)
  const line = await rooms.room.line(sale)
  expect(line?.serving).toBeGreaterThanOrEqual(serving)
  const given = [...places, ...late].map(({ position = 0 }) => position)
  for (const device of ['a', 'b', 'c']) {
    const position = await positionOf(sale, device)
    expect(given).not.toContain(position)
    given.push(position)
  }
  rooms.look()
  const first = places.find(({ position }) => position === 1)
  expect((await rooms.enter(sale, first?.ticket ?? '')).kind).toBe('entered')
})

test('a draw that was held stays as it was held when Redis is lost', async () => {
  const sale = await rooms.newSale({ opens_at: Date.now() + 20_000 })
  const lobby = await rooms.crowd(sale, 10)
  await rooms.letPass(sale, 21_000)
  await keep(sale)
  const before = await rooms.room.line(sale)
  expect(before?.lobby?.size).toBe(10)
  const sold = rooms.sales.get(sale)
  if (sold !== undefined) rooms.sales.set(sale, { ...sold, opens_at: Date.now() - 1000 })
  await replaced(() => loseFolder(server))
  rooms.look()
  await keep(sale)
  expect((await rooms.room.line(sale))?.lobby).toMatchObject({
    size: 10,
    tickets_hash: before?.lobby?.tickets_hash,
  })
  const again = await Promise.all(lobby.map(({ ticket }) => rooms.join(sale, { ticket })))
  expect(again.map(({ position }) => position).toSorted((a = 0, b = 0) => a - b)).toEqual(
    Array.from({ length: 10 }, (_, index) => index + 1),
  )
})

test('a replica that lagged behind: the places it never saw are given to nobody else', async () => {
  const sale = await rooms.newSale({ rate_per_second: 1 })
  await rooms.crowd(sale, 40)
  await keep(sale)
  // What a replica promoted five joins late would hold.
  await replaced()
  await rooms.commands.hset(keys.queue(sale, MAIN_LANE), 'tail', 35)
  await keep(sale)
  expect(await positionOf(sale, 'next')).toBeWithin(41, 110)
  expect(await refusalOf(sale)).toBe('joined')
  expect((await rooms.join(sale, { visitor: PHONE })).position).toBeGreaterThan(41)
})

test('a crowd that comes all at once just before everything is lost: no position is given twice', async () => {
  const sale = await rooms.newSale({ rate_per_second: 1 })
  const given: number[] = []
  for (let round = 0; round < 3; round += 1) {
    await keep(sale)
    const crowd = await rooms.crowd(sale, 700, (index) => ({ visitor: visitorOf(`${round}-${index}`) }))
    given.push(...crowd.map(({ position = 0 }) => position))
    await replaced(() => loseFolder(server))
    rooms.look()
    await keep(sale)
  }
  given.push(await positionOf(sale, 'last'))
  expect(new Set(given).size).toBe(2101)
})

test('reservations made for a crowd are given back when it is quiet: a restart leaves few numbers to nobody', async () => {
  const sale = await rooms.newSale({ rate_per_second: 1 })
  await rooms.crowd(sale, 1000)
  for (let more = 0; more < 2; more += 1) await rooms.join(sale)
  expect((await rooms.room.line(sale))?.ceiling).toBeWithin(1120, 1140)
  for (let look = 0; look < 3; look += 1) await keep(sale)
  expect((await rooms.room.line(sale))?.ceiling).toBe(1018)
  expect(await rooms.marks.read({ sale, lane: MAIN_LANE })).toMatchObject({ ceiling: 1018 })
  await replaced()
  await keep(sale)
  expect(await positionOf(sale, 'next')).toBe(1019)
})

test('a ceiling that is raised while it is lowered stays raised', async () => {
  const sale = await rooms.newSale()
  await rooms.crowd(sale, 1000)
  for (let more = 0; more < 2; more += 1) await rooms.join(sale)
  const line = { sale, lane: MAIN_LANE }
  const { marks } = rooms
  const raised = Promise.withResolvers<number>()
  const node = rooms.node({
    marks: {
      ...marks,
      // Between the look at SQL, Redis, and SQL again, somebody else reserves.
      lower: async (...args) => {
        raised.resolve(await marks.raise(line, 1))
        await marks.lower(...args)
      },
    },
  })
  for (let look = 0; look < 3; look += 1) await node.keep(sale)
  expect((await marks.read(line))?.ceiling).toBe(await raised.promise)
})

test('how much is reserved grows with the line and with the batch', () => {
  expect(wantedCeiling(0, 1)).toBe(64)
  expect(wantedCeiling(100, 1000)).toBe(2100)
  expect(wantedCeiling(8_000_000, 1)).toBe(9_000_000)
})

test('marks in SQL: serving numbers only grow, a lobby closes once, a ceiling is lowered by who saw it last', async () => {
  const databases: TestDatabases = await testDatabases(1)
  const shards: Shards = connectShards(databases.urls, { onError: () => undefined })
  try {
    const sql = shards.catalogue
    await sql.query(`insert into sales (id, name, opens_at, rate_per_second) values ('s', 's', now(), 1)`)
    const marks = sqlMarkStore(sql)
    const line = { sale: 's', lane: 'fans' }
    const lobby = { size: 7, tickets_hash: 'ab' }
    expect(await marks.read(line)).toBeUndefined()
    await marks.note(line, { serving: 4, lobby: undefined })
    expect(await marks.read(line)).toEqual({ ceiling: 0, serving: 4, lobby: undefined })
    await marks.note(line, { serving: 3, lobby })
    await marks.note(line, { serving: 9, lobby: { size: 1, tickets_hash: 'cd' } })
    expect(await marks.read(line)).toEqual({ ceiling: 0, serving: 9, lobby })
    expect(await marks.raise(line, 100)).toBe(100)
    expect(await marks.raise(line, 50)).toBe(101)
    await marks.lower(line, 100, 60)
    expect(await marks.read(line)).toMatchObject({ ceiling: 101 })
    await marks.lower(line, 101, 60)
    await marks.lower(line, 60, 90)
    expect(await marks.read(line)).toEqual({ ceiling: 60, serving: 9, lobby })
    expect(await marks.raise({ ...line, lane: '' }, 5)).toBe(5)
    expect(await marks.read({ ...line, lane: '' })).toEqual({ ceiling: 5, serving: 0, lobby: undefined })
  } finally {
    await shards.close()
    await databases.drop()
  }
})
