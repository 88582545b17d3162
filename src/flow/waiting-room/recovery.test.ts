import { afterAll, beforeAll, expect, test } from 'bun:test'
import { PHONE, type Rooms, startRooms, visitorOf } from '../../../test/support/rooms.ts'
import { loseFolder } from '../../../test/support/redis-faults.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { testDatabases, type TestDatabases } from '../../../test/support/postgres.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectShards, type Shards } from '../../platform/postgres.ts'
import { keys, MAIN_LANE } from './keys.ts'
import { safeTail } from './recovery.ts'
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
  expect(await positionOf(sale, 'next')).toBeWithin(21, 27)
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
  expect(await positionOf(sale, 'next')).toBeWithin(41, 47)
  expect(await refusalOf(sale)).toBe('joined')
  expect((await rooms.join(sale, { visitor: PHONE })).position).toBeGreaterThan(41)
})

test('the safe tail grows with how fast people joined and how old the mark is, within bounds', () => {
  const mark = { sale: 's', lane: '', tail: 1000, serving: 0, lobby: undefined, joins_per_second: 100 }
  expect(safeTail({ ...mark, age_s: 0 })).toBe(1005)
  expect(safeTail({ ...mark, age_s: 1 })).toBe(1205)
  expect(safeTail({ ...mark, age_s: 3600 })).toBe(2005)
  expect(safeTail({ ...mark, joins_per_second: 0, age_s: 3600 })).toBe(1005)
})

test('marks in SQL only ever grow, and know how fast people join', async () => {
  const databases: TestDatabases = await testDatabases(1)
  const shards: Shards = connectShards(databases.urls, { onError: () => undefined })
  try {
    const sql = shards.catalogue
    await sql.query(`insert into sales (id, name, opens_at, rate_per_second) values ('s', 's', now(), 1)`)
    const marks = sqlMarkStore(sql)
    const mark = { sale: 's', lane: 'fans', tail: 10, serving: 4, lobby: undefined }
    expect(await marks.read('s', 'fans')).toBeUndefined()
    await marks.write(mark)
    expect(await marks.read('s', 'fans')).toMatchObject({ ...mark, joins_per_second: 0 })
    await sql.query(`update queue_marks set marked_at = now() - interval '2 seconds'`)
    const lobby = { size: 7, tickets_hash: 'ab' }
    await marks.write({ ...mark, tail: 30, serving: 3, lobby })
    const grown = await marks.read('s', 'fans')
    expect(grown).toMatchObject({ tail: 30, serving: 4, lobby })
    expect(grown?.joins_per_second).toBeWithin(8, 10.1)
    await marks.write({ ...mark, tail: 5, serving: 9, lobby: { size: 1, tickets_hash: 'cd' } })
    expect(await marks.read('s', 'fans')).toMatchObject({ tail: 30, serving: 9, lobby })
    expect(await marks.read('s', '')).toBeUndefined()
  } finally {
    await shards.close()
    await databases.drop()
  }
})
