import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Rooms, groupOf, PHONE, startRooms, visitorOf } from '../../../test/support/rooms.ts'
import { startTestCluster, type TestCluster } from '../../../test/support/redis-cluster.ts'
import { systemClock } from '../../platform/clock.ts'
import { connectRedis } from '../../platform/redis.ts'
import { keys, MAIN_LANE } from './keys.ts'

let cluster: TestCluster
let rooms: Rooms
beforeAll(async () => {
  cluster = await startTestCluster()
  rooms = await startRooms({ nodes: 2, server: cluster })
}, 30_000)
afterAll(async () => {
  await rooms[Symbol.asyncDispose]()
  await cluster.stop()
})

/** Keys of each master, which only it holds. */
async function keysByMaster(): Promise<string[][]> {
  return Promise.all(
    cluster.nodes.map(async ({ url }) => {
      const connection = await connectRedis({ url })
      const found = await connection.commands.keys('queue:*')
      await connection.close()
      return found
    }),
  )
}

test('sales spread over the masters, and each runs whole on one: lobby, draw, lanes, passes', async () => {
  const homes = new Set<number>()
  for (let count = 0; count < 8; count += 1) {
    const lanes = [groupOf('fans', 'let-me-in')]
    const opens_at = Date.now() + 30_000
    const sale = await rooms.newSale({ opens_at }, { draw: true, lanes })
    const lobby = await rooms.crowd(sale, 20)
    const fan = await rooms.join(sale, {
      code: 'let-me-in',
      client_key: 'key-0001',
      visitor: visitorOf('fan'),
    })
    expect(fan.lobby_index).toBe(1)
    await rooms.letPass(sale, 35_000, [MAIN_LANE, 'fans'])
    rooms.look()
    const places = await Promise.all(lobby.map(({ ticket }) => rooms.join(sale, { ticket })))
    expect(new Set(places.map(({ position }) => position)).size).toBe(20)
    const entered = await rooms.enter(sale, lobby[0]?.ticket ?? '')
    if (entered.kind !== 'entered') throw new Error(entered.kind)
    const use = await rooms.rooms[1]?.usePass({
      ...{ pass: entered.pass, sale, user_id: 'ann', visitor: PHONE, idempotency_key: 'key-0001' },
      ...{ body: 'tv 1', order_id: 'order', only_look: false },
    })
    expect(use?.kind).toBe('bound')
    if (use?.kind === 'bound') {
      await rooms.room.freePass(use.place, 'order')
      await rooms.room.leaveCheckout(use.place)
    }
    expect((await rooms.enter(sale, fan.ticket, visitorOf('fan'))).kind).toBe('entered')
    await rooms.room.steer(sale, { state: 'paused' })
    expect((await rooms.room.status(sale))?.phase).toBe('paused')
    const masters = (await keysByMaster()).map((found) => found.filter((key) => key.includes(`{${sale}}`)))
    expect(masters.filter((found) => found.length > 0)).toHaveLength(1)
    homes.add(masters.findIndex((found) => found.includes(keys.queue(sale, MAIN_LANE))))
  }
  expect(homes.size).toBeGreaterThan(1)
})

test('the run id names all masters, and is unknown while one is away', async () => {
  const { connections } = rooms
  const [one, other] = connections.map((connection) => connection.runId())
  expect(one).toMatch(/^([0-9a-f]{40}\.){2}[0-9a-f]{40}$/)
  expect(other).toBe(one as string)
  const copy = await connections[0]?.duplicate()
  expect(copy?.runId()).toBe(one as string)
  await copy?.close()
  await cluster.nodes[2]?.kill9()
  const until = async (wanted: (id: string | undefined) => boolean) => {
    const deadline = performance.now() + 15_000
    while (!wanted(connections[0]?.runId())) {
      if (performance.now() > deadline) throw new Error(`still ${connections[0]?.runId()}`)
      await systemClock.sleep(20)
    }
  }
  await until((id) => id === undefined)
  await cluster.nodes[2]?.restart()
  await until((id) => id !== undefined && id !== one)
}, 40_000)
