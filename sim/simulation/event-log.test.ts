import { randomUUID } from 'node:crypto'
import { setDefaultTimeout } from 'bun:test'
import { eventLogContract, type Rig } from '../../test/support/event-log-contract.ts'
import { claimOf, itemOf } from '../../test/support/inventory.ts'
import type { EventLog } from '../../src/flow/events/events.ts'
import { type LogParts, modelKafkaLog, modelStreamLog, runRelay, TAKE_OVER_MS } from './event-log.ts'
import { createKafkaServer, KafkaModel } from './kafka.ts'
import { Node } from './node.ts'
import { connectRedis, createRedisServer, type RedisLink } from './redis.ts'
import { RedisModel } from './redis-model.ts'
import { World } from './world.ts'

// The simulated logs keep the contract of the real ones, in virtual time and without faults.
setDefaultTimeout(30_000)

eventLogContract('the model of RedisStreamEventLog', true, () => modelRig('embedded'))
eventLogContract('the model of KafkaEventLog', true, () => modelRig('full'))

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function modelRig(profile: 'embedded' | 'full'): Rig {
  const world = new World(1, false)
  world.healed = true
  const redis = createRedisServer(world, new RedisModel(() => world.time))
  const kafka = createKafkaServer(world, new KafkaModel())
  const links: RedisLink[] = []
  let ended = false
  const running = (async () => {
    for (; !ended; await turn()) await world.run(Infinity, () => ended)
  })()
  const join = (name: string, around = (link: RedisLink, _node: Node) => link) => {
    const node = new Node(world, name)
    const link = around(connectRedis(node, redis), node)
    links.push(link)
    return { node, link, onConfirm: () => undefined, confirmFirst: false } satisfies LogParts
  }
  const logOf = (parts: LogParts): EventLog =>
    profile === 'full' ? modelKafkaLog(parts, kafka) : modelStreamLog(parts)
  const until: Rig['until'] = async (condition) => {
    for (let looks = 0; !(await condition()); looks += 1) {
      if (looks > 200_000) throw new Error(`never came true: ${condition.toString()}`)
      await turn()
    }
  }
  if (profile === 'full') void runRelay(join('relay'), kafka)
  return {
    takeOverMs: TAKE_OVER_MS,
    keepsOffsets: profile === 'full',
    worker: (name) => logOf(join(name)),
    until,
    sleep: (ms) => new Promise((resolve) => world.after(ms, resolve)),
    dies: (name, at) =>
      new Promise((resolve) => {
        const hang = (node: Node) => {
          node.kill()
          resolve()
          return new Promise<never>(() => undefined)
        }
        const parts = join(name, (link, node) => ({
          ...link,
          write: (what, ...rest) => (what.startsWith('confirm') ? hang(node) : link.write(what, ...rest)),
        }))
        void logOf(parts).consume(
          () => (at === 'outbox' ? Promise.resolve([]) : hang(parts.node)),
          parts.node.signal,
        )
      }),
    put: (item, count) => {
      const { model } = redis
      const claims = Array.from({ length: count }, () => claimOf(item, { order_id: randomUUID() }))
      const { run_id } = model
      return Promise.resolve(
        model.write((state) => {
          const stock = model.item(state, item)
          if (stock.load(itemOf(item, { total: 100_000 }), run_id) === 'exists')
            stock.adopt(stock.stock()?.epoch ?? 0, run_id)
          for (const claim of claims) stock.claim(claim, run_id)
          return stock.events.slice(-count).map(({ event }) => event)
        }),
      )
    },
    redisDies: async () => {
      redis.up = false
      redis.life += 1
      await new Promise<void>((resolve) => world.after(500, resolve))
      redis.model.restart(0)
      redis.up = true
      await until(() => links.every((link) => link.runId() !== undefined))
    },
    end: async () => {
      ended = true
      await running
    },
  }
}
