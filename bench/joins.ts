/**
 * Joins through the waiting room's own code, several nodes on one real Redis: joins a second beside the bare counter
 * (`HINCRBY` of one, and of a batch, over the same connections), the memory Redis needs for those who wait, and the
 * positions, each once. `--keys`: every join with an Idempotency-Key of its own, as browsers send it.
 * Run: bun bench/joins.ts [--count 1000000] [--nodes 4] [--keys] [--json]
 */
import { parseArgs } from 'node:util'
import { type Rooms, startRooms, visitorOf } from '../test/support/rooms.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    nodes: { type: 'string', default: '4' },
    keys: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const [COUNT, NODES] = [Number(values.count), Number(values.nodes)]
/** Joins under way at a time at each node, and so the largest batch. */
const CROWD = 1024

const rooms = await startRooms({ nodes: NODES })
const memory = async () => Number(/^used_memory:(\d+)/m.exec(await rooms.commands.info('memory'))?.[1])

/** Keeps `crowd` calls under way at each node until `count` are done; gives calls a second. */
async function measure(count: number, crowd: number, call: (n: number, node: number) => Promise<unknown>) {
  let next = 0
  const lane = async (node: number) => {
    while (next < count) await call(next++, node)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: NODES * crowd }, (_, index) => lane(index % NODES)))
  return (count / (performance.now() - start)) * 1000
}

const bare = ({ connections }: Rooms, node: number, by: number) =>
  connections[node]?.commands.hincrby('bare', 'tail', by)

async function joinAll(count: number): Promise<{ rate: number; grown: number; duplicates: number }> {
  const sale = await rooms.newSale({ opens_at: Date.now() + 3_600_000 })
  const taken = new Uint8Array(count + 1)
  let duplicates = 0
  const before = await memory()
  const rate = await measure(count, CROWD, async (n, node) => {
    const visitor = visitorOf(`device-${n}`)
    const client_key = values.keys ? `key-number-${n}` : undefined
    const { lobby_index = 0 } = await rooms.join(sale, { visitor, client_key }, rooms.rooms[node])
    if (taken[lobby_index] !== 0 || lobby_index === 0) duplicates += 1
    taken[lobby_index] = 1
  })
  return { rate, grown: (await memory()) - before, duplicates }
}

await joinAll(Math.ceil(COUNT / 20))
const single = await measure(
  Math.ceil(COUNT / 4),
  CROWD,
  (_, node) => bare(rooms, node, 1) as Promise<number>,
)
const batches = await measure(
  Math.ceil(COUNT / CROWD),
  1,
  (_, node) => bare(rooms, node, CROWD) as Promise<number>,
)
const { rate, grown, duplicates } = await joinAll(COUNT)
await rooms[Symbol.asyncDispose]()

const result = {
  joins: COUNT,
  nodes: NODES,
  client_keys: values.keys,
  joins_per_second: Math.round(rate),
  hincrby_per_second: Math.round(single),
  ratio_to_hincrby: Number((rate / single).toFixed(3)),
  hincrby_batched_positions_per_second: Math.round(batches * CROWD),
  ratio_to_batched: Number((rate / (batches * CROWD)).toFixed(5)),
  redis_memory_grown_bytes: grown,
  duplicate_positions: duplicates,
}
const text = Object.entries(result).map(([name, value]) => `${name.padEnd(40)} ${String(value)}`)
console.log(values.json ? JSON.stringify(result) : text.join('\n'))
