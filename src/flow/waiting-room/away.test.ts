import { afterEach, beforeEach, expect, test } from 'bun:test'
import { type Rooms, PHONE, startRooms, visitorOf } from '../../../test/support/rooms.ts'
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts'
import { systemClock } from '../../platform/clock.ts'
import { isConnectionError } from '../../platform/errors.ts'

let server: TestRedis
let rooms: Rooms
beforeEach(async () => {
  server = await startTestRedis({ appendfsync: 'always' })
  rooms = await startRooms({ nodes: 2, server })
})
afterEach(async () => {
  await rooms[Symbol.asyncDispose]()
  await server.stop()
})

const isBack = async () => {
  const deadline = performance.now() + 5000
  while (rooms.connections.some((connection) => connection.runId() === undefined)) {
    if (performance.now() > deadline) throw new Error('not connected again after 5 s')
    await systemClock.sleep(10)
  }
}

test('while Redis is gone the last status is told and tickets are good; nobody gets a place; then it goes on', async () => {
  const sale = await rooms.newSale()
  const crowd = await rooms.crowd(sale, 5, (index) => ({ visitor: visitorOf(`device-${index}`) }))
  const mine = await rooms.join(sale)
  rooms.look()
  const last = await rooms.room.status(sale)
  for (const at of rooms.rooms) await at.status(sale)
  expect(last?.last_position).toBe(6)
  await server.kill9()
  for (let second = 1; second <= 3; second += 1) {
    rooms.clock.aheadMs += 1000
    expect(await rooms.room.status(sale)).toEqual(last as NonNullable<typeof last>)
    for (const at of rooms.rooms) {
      expect(await rooms.join(sale, { ticket: mine.ticket }, at)).toMatchObject({ kind: 'kept', position: 6 })
      // A place is never promised that could not be written down, and it is known that this was not.
      const refused: unknown = await at.join({ sale, visitor: PHONE }).catch((error: unknown) => error)
      expect({ refused, known: isConnectionError(refused) }).toMatchObject({ known: true })
      const foreign = await at.enter({ sale, ticket: mine.ticket, visitor: visitorOf('tablet') })
      expect(foreign).toEqual({ kind: 'ticket_foreign' })
    }
  }
  await server.restart()
  await isBack()
  await rooms.room.keep(sale)
  rooms.look()
  // Numbers that were reserved but not given are nobody's.
  expect((await rooms.join(sale)).position).toBeWithin(7, 72)
  expect(await rooms.join(sale, { ticket: crowd[0]?.ticket, visitor: visitorOf('device-0') })).toMatchObject({
    kind: 'kept',
  })
  expect((await rooms.room.status(sale))?.server_time).toBeGreaterThan(last?.server_time ?? 0)
})

test('joins that Redis dies under: whoever asks again with the same key has one place, and nobody another’s', async () => {
  const sale = await rooms.newSale()
  for (const at of rooms.rooms) await at.status(sale)
  const client_keys = Array.from({ length: 200 }, (_, index) => `key-number-${index}`)
  const visitor = (index: number) => visitorOf(`device-${index}`)
  const first = client_keys.map((client_key, index) =>
    rooms.join(sale, { visitor: visitor(index), client_key }, rooms.rooms[index % 2]).catch(() => undefined),
  )
  await server.kill9()
  const answered = await Promise.all(first)
  await server.restart()
  await isBack()
  await rooms.room.keep(sale)
  rooms.look()
  const places = await Promise.all(
    client_keys.map((client_key, index) =>
      rooms.join(sale, { client_key, visitor: visitor(index) }, rooms.rooms[(index + 1) % 2]),
    ),
  )
  expect(new Set(places.map(({ position }) => position)).size).toBe(200)
  expect((await rooms.room.line(sale))?.tail).toBe(200)
  for (const [index, outcome] of answered.entries())
    if (outcome !== undefined) expect(places[index]?.position).toBe(outcome.position)
})

test('a Redis that hangs holds up no status and no ticket', async () => {
  const sale = await rooms.newSale()
  const mine = await rooms.join(sale)
  await rooms.room.status(sale)
  process.kill(server.pid, 'SIGSTOP')
  try {
    rooms.look()
    // The first look waits for Redis; everybody after it is told what was seen last.
    const looking = rooms.room.status(sale)
    rooms.look()
    const started = performance.now()
    for (let poll = 0; poll < 5; poll += 1) {
      expect((await rooms.room.status(sale))?.phase).toBe('open')
      expect(await rooms.join(sale, { ticket: mine.ticket })).toMatchObject({ kind: 'kept', position: 1 })
      rooms.look()
    }
    expect(performance.now() - started).toBeLessThan(1000)
    expect((await looking)?.phase).toBe('open')
  } finally {
    process.kill(server.pid, 'SIGCONT')
  }
})
