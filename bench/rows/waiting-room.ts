import { type Rooms, startRooms, visitorOf } from '../../test/support/rooms.ts'
import { rateOf, type Row } from '../row.ts'

const NODES = 4
/** Joins under way at a time at each node, and so the largest batch. */
const CROWD = 256

/** A lobby of `count`, each with an Idempotency-Key of its own, as browsers send it. Throws where a place was given twice. */
async function joinAll(rooms: Rooms, count: number): Promise<number> {
  const sale = await rooms.newSale({ opens_at: Date.now() + 3_600_000 })
  const taken = new Uint8Array(count + 1)
  return rateOf(count, NODES * CROWD, async (n) => {
    const joining = { visitor: visitorOf(`device-${n}`), client_key: `key-number-${n}` }
    const { lobby_index = 0 } = await rooms.join(sale, joining, rooms.rooms[n % NODES])
    if (lobby_index === 0 || taken[lobby_index] !== 0) throw new Error(`place ${lobby_index} was given twice`)
    taken[lobby_index] = 1
  })
}

export const joinRoom: Row = {
  name: 'join-redis',
  title: 'Join in Redis',
  ours: `places in line through the waiting room, ${NODES} nodes, with Idempotency-Keys, each place once`,
  yardstick: 'a bare counter, `HINCRBY` once a place, over the same connections',
  unit: 'per second',
  better: 'more',
  note: 'All nodes in one thread. Ours sends the joins of one moment together.',
  prepare: async (scale) => {
    const rooms = await startRooms({ nodes: NODES })
    const count = scale.of(10_000, 200_000)
    return {
      ours: () => joinAll(rooms, count),
      yardstick: () =>
        rateOf(count, NODES * CROWD, async (n) =>
          rooms.connections[n % NODES]?.commands.hincrby('bare', 'tail', 1),
        ),
      [Symbol.asyncDispose]: () => rooms[Symbol.asyncDispose](),
    }
  },
}

export const enterRoom: Row = {
  name: 'enter-redis',
  title: 'Enter in Redis',
  ours: `turns taken through the waiting room, ${NODES} nodes, for each second that Redis works`,
  yardstick:
    'a bare mark, `SETBIT` once a place, over the same connections, for each second that Redis works',
  unit: 'per second',
  better: 'more',
  note: 'By the processor time of Redis, which nodes in one thread can not keep busy. Ours sends the tries of one moment together. The places were taken before.',
  prepare: async (scale) => {
    const rooms = await startRooms({ nodes: NODES })
    const count = scale.of(4000, 40_000)
    const busy = async () => {
      const info = await rooms.commands.info('cpu')
      return [...info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].reduce(
        (sum, of) => sum + Number(of[1]),
        0,
      )
    }
    const perBusySecond = async (call: (n: number) => Promise<unknown>) => {
      const before = await busy()
      await rateOf(count, NODES * CROWD, call)
      return count / ((await busy()) - before)
    }
    return {
      ours: async () => {
        const sale = await rooms.newSale({ rate_per_second: 1_000_000, checkouts_per_unit: 1_000_000 })
        const places = await rooms.crowd(sale, count, (n) => ({ visitor: visitorOf(`device-${n}`) }))
        await rooms.letPass(sale, 60_000)
        rooms.look()
        return perBusySecond(async (n) => {
          const visitor = visitorOf(`device-${n}`)
          const { kind } = await rooms.enter(sale, places[n]?.ticket ?? '', visitor, rooms.rooms[n % NODES])
          if (kind !== 'entered') throw new Error(`place ${n} is told ${kind}`)
        })
      },
      yardstick: () =>
        perBusySecond(async (n) => rooms.connections[n % NODES]?.commands.setbit('bare-entered', n, 1)),
      [Symbol.asyncDispose]: () => rooms[Symbol.asyncDispose](),
    }
  },
}

export const waiterMemory: Row = {
  name: 'waiter-memory',
  title: 'Memory per waiter',
  ours: 'all that Redis needs for a line, divided by those who stand in it; it does not grow with them, so longer lines cost less a head',
  yardstick: 'a sorted set of visitors by the time they came, as waiting rooms usually keep them',
  unit: 'bytes',
  better: 'less',
  note: '500,000 people (60,000 with `--quick`). Our processes keep nothing of anybody.',
  prepare: async (scale) => {
    const rooms = await startRooms({ nodes: NODES })
    const count = scale.of(60_000, 500_000)
    const memory = async () => Number(/^used_memory:(\d+)/m.exec(await rooms.commands.info('memory'))?.[1])
    const grownBy = async (work: () => Promise<unknown>) => {
      const before = await memory()
      await work()
      return ((await memory()) - before) / count
    }
    return {
      ours: () => grownBy(() => joinAll(rooms, count)),
      yardstick: async () => {
        const add = (n: number) => rooms.commands.zadd('bare-line', Date.now() + n, crypto.randomUUID())
        const grown = await grownBy(() => rateOf(count, CROWD, add))
        await rooms.commands.del('bare-line')
        return grown
      },
      [Symbol.asyncDispose]: () => rooms[Symbol.asyncDispose](),
    }
  },
}
