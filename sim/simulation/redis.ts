import type { ItemId } from '../../src/contracts/ids.ts'
import { type Inventory, InventoryUnavailable, InventoryUnknown } from '../../src/flow/inventory/inventory.ts'
import type { WaitingRoom } from '../../src/flow/waiting-room/waiting-room.ts'
import type { Node, Server } from './node.ts'
import { short } from './orders-model.ts'
import { bindPass, freePass, type RedisModel, type RedisState } from './redis-model.ts'
import type { World } from './world.ts'

export interface RedisServer extends Server {
  readonly model: RedisModel
}

export function createRedisServer(world: World, model: RedisModel): RedisServer {
  return {
    ...{ name: 'redis', model, up: true, life: 1 },
    losses: world.chance(0.5) ? 0.01 : 0,
    refused: () => new InventoryUnavailable('not connected to Redis'),
    lost: () => new InventoryUnknown('Redis did not answer; the outcome is unknown'),
  }
}

/** A process's connection. After a restart of the server it takes a moment to notice and to connect again. */
export interface RedisLink {
  runId(): string | undefined
  /** `command` may run again, when a crashed server plays its journal; `onEffect` runs once, with its answer. */
  write<Answer>(
    what: string,
    command: (state: RedisState) => Answer,
    onEffect?: (answer: Answer) => void,
  ): Promise<Answer>
  read<Answer>(what: string, command: (state: RedisState) => Answer): Promise<Answer>
}

export function connectRedis(node: Node, server: RedisServer): RedisLink {
  const { model } = server
  let known: { life: number; run_id: string } | undefined = { life: server.life, run_id: model.run_id }
  let connecting = false
  const runId = () => {
    if (known !== undefined && known.life === server.life && server.up) return known.run_id
    known = undefined
    if (!connecting && server.up) {
      connecting = true
      node.later(node.world.between(1, 200), () => {
        connecting = false
        if (server.up) known = { life: server.life, run_id: model.run_id }
      })
    }
    return undefined
  }
  const ask = <Answer>(what: string, effect: () => Answer): Promise<Answer> =>
    runId() === undefined
      ? Promise.reject(new InventoryUnavailable('not connected to Redis'))
      : node.call(server, `redis: ${what}`, effect)
  return {
    runId,
    write: (what, command, onEffect) =>
      ask(what, () => {
        const answer = model.write(command, changedSomething)
        onEffect?.(answer)
        return answer
      }),
    read: (what, command) => ask(what, () => model.read(command)),
  }
}

/** A reading of a consumer group that finds nothing writes nothing. */
const changedSomething = (answer: unknown) => !(Array.isArray(answer) && answer.length === 0)

/** No item of the simulation is split, so nobody asks for its parts. */
const unsplit = {} as Pick<Inventory, 'parts' | 'transfers'>

/** The stock as a process reaches it: flow/inventory on the model. */
export function modelInventory(
  link: RedisLink,
  model: RedisModel,
  watch: { reserved(item_id: string): void; released(order_id: string): void },
): Inventory {
  const at = (state: RedisState, id: ItemId) => model.item(state, id)
  const runId = () => link.runId() ?? ''
  return {
    load: (item) => {
      const run_id = runId()
      return link.write(`load ${item.item_id}`, (state) => at(state, item.item_id).load(item, run_id))
    },
    claim: (request) => {
      const run_id = runId()
      const what = `claim ${request.item_id} x${request.quantity} ${short(request.order_id)} by ${request.user_id}`
      return link.write(
        what,
        (state) => at(state, request.item_id).claim(request, run_id),
        ({ kind }) => kind === 'reserved' && watch.reserved(request.item_id),
      )
    },
    settle: (id, order) => link.write(`settle ${short(order)}`, (state) => at(state, id).settle(order)),
    release: (id, order) =>
      link.write(
        `release ${short(order)}`,
        (state) => at(state, id).release(order),
        (answer) => answer === 'released' && watch.released(order),
      ),
    due: (id, max, graceMs) => link.read(`due ${id}`, (state) => at(state, id).due(max, graceMs)),
    setState: (id, change) => link.write(`set ${id}`, (state) => at(state, id).change(change)),
    stock: (id) => link.read(`stock ${id}`, (state) => at(state, id).stock()),
    findClaim: (id, order) => link.read(`hold of ${short(order)}`, (state) => at(state, id).findClaim(order)),
    holds: (id) => link.read(`holds ${id}`, (state) => at(state, id).holds()),
    unconfirmed: (id) => link.read(`outbox ${id}`, (state) => at(state, id).events.length),
    adopt: async (id, epoch, checkedRunId) => {
      const run_id = runId()
      if (checkedRunId !== undefined && checkedRunId !== run_id) return 'moved_on'
      return link.write(`adopt ${id}`, (state) => at(state, id).adopt(epoch, run_id))
    },
    fence: (id, epoch) => link.write(`fence ${id}`, (state) => at(state, id).fence(epoch)),
    lower: (id, units) => link.write(`lower ${id}`, (state) => at(state, id).lower(units)),
    rebuild: async (item) => {
      if (item.run_id !== runId()) return 'moved_on'
      const { sold, holds } = item
      const what = `rebuild ${item.item_id} sold ${sold} held ${holds.map((hold) => short(hold.order_id)).join(' ')}`
      return link.write(what, (state) => at(state, item.item_id).rebuild(item))
    },
    finishTransfers: () => Promise.resolve(0),
    ...unsplit,
    items: () =>
      link.read('items', (state) => [...state.items].flatMap(([id, item]) => (item.loaded ? id : [])).sort()),
  }
}

/** What claiming needs of the waiting room: passes are bound as in Redis, everybody has one. */
export function modelWaitingRoom(
  link: RedisLink,
): Pick<WaitingRoom, 'isUnused' | 'usePass' | 'freePass' | 'leaveCheckout' | 'create' | 'steer' | 'keep'> {
  return {
    isUnused: (_sale, pass) => link.read(`pass ${pass}`, ({ passes }) => !passes.has(pass)),
    usePass: async ({ pass, order_id, user_id, idempotency_key: key, body, only_look: lookUp, sale }) => {
      const use = { pass, order_id, user_id, key, body, lookUp }
      const bound = await link.write(
        `pass ${pass} ${lookUp ? 'looked at' : `for ${short(order_id)}`}`,
        (state) => bindPass(state, use),
      )
      if (typeof bound === 'string') return { kind: bound } as Awaited<ReturnType<WaitingRoom['usePass']>>
      const kind = bound.order_id === order_id ? 'bound' : 'repeated'
      return { kind, order_id: bound.order_id, place: { sale, lane: pass, position: 1, use: '' } }
    },
    freePass: (place, order_id) =>
      link.write(`free pass ${place.lane}`, (state) => freePass(state, place.lane, order_id)),
    leaveCheckout: () => Promise.resolve(),
    create: () => Promise.resolve('exists'),
    keep: () => Promise.resolve(true),
    steer: () => Promise.resolve('same'),
  }
}
