import type { Catalogue } from '../../src/flow/catalogue/catalogue.ts'
import type { Delivery } from '../../src/flow/events/events.ts'
import { type Claiming, createClaiming } from '../../src/flow/inventory/claiming.ts'
import type { Inventory } from '../../src/flow/inventory/inventory.ts'
import { createStockBoard } from '../../src/flow/inventory/stock-board.ts'
import { orderConsumer } from '../../src/flow/orders/consumer.ts'
import { createOrders, type Orders } from '../../src/flow/orders/orders.ts'
import { createOrderView, type ViewOrder } from '../../src/flow/orders/routes.ts'
import { createPayments, type PaymentProvider, type Payments } from '../../src/flow/payments/payments.ts'
import { createReconcile } from '../../src/flow/reconcile/reconcile.ts'
import { createRestock, type Restock } from '../../src/flow/restock/restock.ts'
import { keepClean } from '../../src/operator/upkeep.ts'
import type { Shards } from '../../src/platform/postgres.ts'
import { logicalShard } from '../../src/platform/shards/logical.ts'
import type { Log } from '../../src/platform/telemetry.ts'
import { createTokens } from '../../src/platform/tokens.ts'
import { modelKafkaLog, modelStreamLog, runRelay } from './event-log.ts'
import type { KafkaServer } from './kafka.ts'
import type { Mutation } from './mutations.ts'
import { Node } from './node.ts'
import { modelOrders } from './orders-model.ts'
import { modelPayments } from './payments-model.ts'
import { connect, type PostgresServer } from './postgres.ts'
import { modelProvider, type ProviderServer } from './provider.ts'
import { connectRedis, modelInventory, modelWaitingRoom, type RedisServer } from './redis.ts'
import { modelRuns } from './runs-model.ts'
import type { Setting } from './setting.ts'
import type { World } from './world.ts'

/** Looks over everybody's shoulder at the moment something takes effect. */
export interface Watch {
  confirmed(deliveries: readonly Delivery[]): void
  reserved(item_id: string): void
  released(order_id: string): void
  captured(order_id: string): void
}

export interface Cluster {
  readonly world: World
  readonly setting: Setting
  readonly mutation: Mutation
  readonly catalogue: Catalogue
  readonly redis: RedisServer
  readonly databases: readonly PostgresServer[]
  readonly kafka: KafkaServer
  readonly providers: readonly ProviderServer[]
  readonly watch: Watch
}

export const shardOf = (user: string, shards: number) => Math.floor((logicalShard(user) * shards) / 256)

const TOKENS = createTokens([{ kid: 'sim', secret: Buffer.alloc(32, 7) }])

const NO_GIFT_CARDS = {
  part: () => Promise.resolve(0),
  parts: () => Promise.resolve(new Map<string, number>()),
}
/** Nobody lowers the units of a simulated sale: more sold than there is would be a bug, not a case for the policy. */
const NO_OVERSELL = { approveAutomatic: () => Promise.resolve(), execute: () => Promise.resolve() }

/** The parts of the flow as src/app.ts puts them together, for one life of one process. */
function compose(node: Node, cluster: Cluster) {
  const { catalogue, databases, mutation, redis, setting, watch, world } = cluster
  const { clock } = node
  const link = connectRedis(node, redis)
  const all = databases.map((server) => connect(node, server))
  const [first] = all
  if (first === undefined) throw new Error('no database')
  const shards: Shards = {
    ...{ all, catalogue: first, close: () => Promise.resolve() },
    of: (user) => all[shardOf(user, all.length)] ?? first,
    numberOf: (user) => shardOf(user, all.length),
    // Nothing is moved here.
    spread: async (rows, work) => {
      const groups = Map.groupBy(rows, ({ user_id }) => shardOf(user_id, all.length))
      await Promise.all([...groups].map(([shard, some]) => work({ sql: all[shard] ?? first, shard }, some)))
    },
    survey: (read) => Promise.allSettled(all.map((sql, shard) => read({ sql, shard }))),
    ready: () => Promise.resolve(),
  }
  const log = noteLog(node)
  const plainInventory = modelInventory(link, redis.model, watch)
  const inventory: Inventory = mutation.inventory?.(plainInventory) ?? plainInventory
  const plainOrders = createOrders({ shards, store: { ...modelOrders, ...mutation.orderStore } })
  const orders: Orders = mutation.orders?.(plainOrders) ?? plainOrders
  const providers = cluster.providers.map((server): PaymentProvider => {
    const provider = modelProvider(node, server, watch)
    return mutation.provider?.(provider) ?? provider
  })
  const payments = createPayments({
    ...{ shards, store: { ...modelPayments, ...mutation.paymentStore }, orders, providers, log },
    settle: (order) => inventory.settle(order.item_id, order.order_id),
  })
  const restock = createRestock({ inventory, orders, payments, catalogue, log })
  const waitingRoom = modelWaitingRoom(link)
  const runId = () => link.runId()
  const claiming = createClaiming({
    ...{ inventory, waitingRoom, catalogue, runId, clock, tokens: TOKENS },
    board: createStockBoard({ inventory, clock }),
    // How much may wait is not simulated.
    isBacklogFull: () => Promise.resolve(false),
    findOrder: (user, id) => orders.find(user, id),
    // Gift cards are not simulated.
    endLost: (claim) => orders.bury(claim, 'oversold'),
  })
  const viewOrder = createOrderView({
    orders,
    catalogue,
    giftCards: NO_GIFT_CARDS,
    owing: (user) => payments.owing(user),
    findHold: (user, id) => restock.findHold(user, id),
  })
  const logParts = {
    ...{ node, link, onConfirm: (batch: readonly Delivery[]) => watch.confirmed(batch) },
    confirmFirst: mutation.confirmFirst ?? false,
  }
  const eventLog =
    setting.profile === 'full' ? modelKafkaLog(logParts, cluster.kafka) : modelStreamLog(logParts)
  const reconcile = createReconcile({
    ...{ inventory, orders, catalogue, database: first, store: modelRuns, runId, eventLog, clock, log },
  })
  return {
    ...{ node, link, world, inventory, orders, payments, restock, waitingRoom, claiming, viewOrder },
    ...{ reconcile, providers, log, logParts, eventLog, clock, catalogue },
  }
}

/** What a web process answers with. */
export interface Web {
  readonly node: Node
  readonly claiming: Claiming
  readonly viewOrder: ViewOrder
  readonly orders: Orders
  readonly restock: Restock
  readonly payments: Payments
  readonly providers: readonly PaymentProvider[]
}

export const startWeb = (cluster: Cluster, name: string): Web =>
  compose(new Node(cluster.world, name), cluster)

export function startWorker(cluster: Cluster, name: string): Node {
  const { node, orders, log, clock, eventLog } = compose(new Node(cluster.world, name), cluster)
  void eventLog.consume(orderConsumer({ orders, log, clock }), node.signal)
  return node
}

export function startRelay(cluster: Cluster, name: string): Node {
  const { node, logParts } = compose(new Node(cluster.world, name), cluster)
  void runRelay(logParts, cluster.kafka)
  return node
}

export function startCleanup(cluster: Cluster, name: string): Node {
  const parts = compose(new Node(cluster.world, name), cluster)
  void keepClean(
    { ...parts, redis: parts.link, oversell: NO_OVERSELL },
    { sweepIntervalS: 1, reconcileIntervalS: 5 },
    parts.node.signal,
  )
  return parts.node
}

/** A log whose lines go into the trace. */
function noteLog(node: Node): Log {
  const line = (level: string) => (fields: object, message?: string) =>
    node.world.note(node.name, () => {
      const { err, ...rest } = fields as { err?: Error }
      return `${level}: ${message ?? ''} ${JSON.stringify(rest)}${err === undefined ? '' : ` (${err.message})`}`
    })
  const methods = ['info', 'warn', 'error', 'debug'].map((level) => [level, line(level)] as const)
  return Object.fromEntries(methods) as unknown as Log
}
