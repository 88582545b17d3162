import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Arrival, orderOf } from '../../../test/support/arrival-order.ts'
import { type Rooms, startRooms, visitorOf } from '../../../test/support/rooms.ts'
import { systemClock } from '../../platform/clock.ts'
import { keys } from './keys.ts'

let rooms: Rooms
beforeAll(async () => void (rooms = await startRooms({ nodes: 4 })))
afterAll(() => rooms[Symbol.asyncDispose]())

const memory = async () => Number(/^used_memory:(\d+)/m.exec(await rooms.commands.info('memory'))?.[1])

test.each([
  ['a client key', (key: string) => key],
  ['no client key', () => undefined],
])(
  '20,000 joins with %s on four nodes: every position once, and Redis needs no more memory',
  async (_, keyOf) => {
    const COUNT = 20_000
    const sale = await rooms.newSale({ opens_at: Date.now() + 3_600_000 })
    await rooms.crowd(sale, 1000, (index) => ({ client_key: keyOf(`first-${index}`) }))
    const before = await memory()
    const places: number[] = []
    for (let turn = 0; turn < COUNT / 2000; turn += 1) {
      const crowd = await rooms.crowd(sale, 2000, (index) => ({
        visitor: visitorOf(`device-${turn}-${index}`),
        client_key: keyOf(`key-${turn}-${index}`),
      }))
      places.push(...crowd.map(({ lobby_index = 0 }) => lobby_index))
    }
    // Ten bytes a waiter would be 200,000; what is measured is noise of the server and its clients.
    expect((await memory()) - before).toBeLessThan(100_000)
    expect(places.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: COUNT }, (_, index) => 1001 + index),
    )
    const joins = keyOf('') === undefined ? [] : [keys.joins(sale)]
    expect((await rooms.commands.keys(`queue:{${sale}}*`)).sort()).toEqual([`queue:{${sale}}`, ...joins])
  },
  20_000,
)

test('one node sends those who arrive in one event-loop turn together, in their order', async () => {
  const sale = await rooms.newSale()
  const calls = async () =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await rooms.commands.info('commandstats'))?.[1])
  await rooms.join(sale)
  const before = await calls()
  const crowd = await Promise.all(Array.from({ length: 3000 }, () => rooms.join(sale)))
  expect(crowd.map(({ position }) => position)).toEqual(Array.from({ length: 3000 }, (_, index) => 2 + index))
  // Three batches, each of which may have to reserve first, and at most a look at the status.
  expect((await calls()) - before).toBeLessThanOrEqual(11)
})

test('on four nodes nobody who joins after another has an answer stands before them', async () => {
  const sale = await rooms.newSale()
  const arrive = async (node: number): Promise<Arrival> => {
    const arrived = performance.now()
    const { position = 0 } = await rooms.join(sale, {}, rooms.rooms[node])
    return { arrived, answered: performance.now(), position }
  }
  // Many together, then the next: each group spread over the nodes in another order.
  const arriving: Promise<Arrival>[] = []
  for (let group = 0; group < 400; group += 1) {
    for (let one = 0; one < 1 + (group % 17); one += 1) arriving.push(arrive((group * 7 + one * 3) % 4))
    await systemClock.sleep(group % 3)
  }
  const arrivals = await Promise.all(arriving)
  const { slowest, after, ...order } = orderOf(arrivals)
  expect(order).toEqual({ overtaken: [], apart: 0, duplicates: 0 })
  expect(after).toBeGreaterThan(1000)
  expect(slowest).toBeLessThan(1000)
})
