import { askAfter, buyer } from './buyers.ts'
import type { History, Street } from './street.ts'
import { Auditor, type Violation } from './auditor.ts'
import type { Cluster } from './cluster.ts'
import { createKafkaServer, KafkaModel } from './kafka.ts'
import { type Mutation, MUTATIONS } from './mutations.ts'
import { type OrderRow, ORDERS } from './orders-model.ts'
import { type PaymentRow, PAYMENTS } from './payments-model.ts'
import { createPostgresServer } from './postgres.ts'
import { PostgresModel } from './postgres-model.ts'
import { createProviderServer, ProviderModel } from './provider.ts'
import { createRedisServer } from './redis.ts'
import { RedisModel } from './redis-model.ts'
import type { ReconcileRun } from '../../src/flow/reconcile/reconcile.ts'
import { RUNS } from './runs-model.ts'
import { drawSetting, settingCatalogue, TROUBLE_MS } from './setting.ts'
import { heal, plan, Processes } from './trouble.ts'
import { Webhooks } from './webhooks.ts'
import { World } from './world.ts'

export interface Verdict {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** What happened, to see that a run had something in it. */
  readonly tally: ReadonlyMap<string, number>
  readonly steps: number
  readonly trace: readonly string[]
}

/** How long after the heal everything may take to become terminal. */
const CALM_MS = 90_000

export interface Options {
  /** Keeps the trace. */
  readonly recording?: boolean
  /** The bug to plant. */
  readonly mutation?: string
}

/** One whole sale, with its faults, from its seed alone. */
export async function simulate(
  seed: number,
  { recording = false, mutation = '' }: Options = {},
): Promise<Verdict> {
  const world = new World(seed, recording)
  // Code that is not given a clock or a random source must not make two runs of a seed differ.
  const { random } = Math
  const { now } = Date
  Math.random = world.random
  Date.now = () => Math.floor(world.time)
  try {
    return await run(seed, world, mutation)
  } finally {
    Math.random = random
    Date.now = now
  }
}

async function run(seed: number, world: World, mutation: string): Promise<Verdict> {
  const cluster = createCluster(world, MUTATIONS[mutation] ?? {})
  const { auditor } = cluster
  const history: History = { acknowledged: new Map(), told: new Map() }
  putOnSale(cluster)
  const processes = new Processes(cluster)
  cluster.webhooks.open(processes)
  let orders = 0
  const street: Street = {
    ...{ cluster, history, web: () => world.pick([...processes.webs.values()]) },
    newOrderId: () => `00000000-0000-7000-8000-${(++orders).toString(16).padStart(12, '0')}`,
  }
  plan(cluster, processes)
  let busy = 0
  const goes = (path: Promise<void>) => {
    busy += 1
    void path.then(() => (busy -= 1))
  }
  for (let number = 1; number <= cluster.setting.buyers; number += 1) goes(buyer(street, number))

  await world.run(TROUBLE_MS, () => stop(auditor))
  heal(cluster, processes)
  for (const [order_id, known] of history.acknowledged) goes(askAfter(street, order_id, known))
  let calmSince = Infinity
  await world.run(TROUBLE_MS + CALM_MS, () => {
    if (stop(auditor)) return true
    if (busy > 0 || !isCalm(cluster)) calmSince = Infinity
    else calmSince = Math.min(calmSince, world.time)
    // One reconciliation more, and whatever comes late.
    return world.time - calmSince > 6000
  })
  // What was stopped halfway has not come to rest.
  if (auditor.violations.length === 0) auditor.conclude(history)
  countRows(cluster)
  for (const { invariant, what } of auditor.violations)
    world.note('auditor', () => `invariant ${invariant}: ${what}`)
  return { seed, violations: auditor.violations, steps: world.steps, tally: world.tally, trace: world.lines }
}

function countRows({ world, databases }: Cluster): void {
  for (const { model } of databases) {
    for (const { status, failure_reason } of model.table<OrderRow>(ORDERS).values())
      world.count(`order: ${failure_reason ?? status}`)
    for (const { state } of model.table<PaymentRow>(PAYMENTS).values()) world.count(`payment: ${state}`)
    for (const { outcome } of model.table<ReconcileRun>(RUNS).values()) world.count(`reconcile: ${outcome}`)
  }
}

const stop = (auditor: Auditor): boolean => {
  auditor.look()
  return auditor.violations.length > 0
}

function createCluster(world: World, mutation: Mutation) {
  const setting = drawSetting(world)
  const now = () => Math.floor(world.time)
  const databases = Array.from({ length: setting.shards }, (_, number) =>
    createPostgresServer(world, `sql-${number}`, new PostgresModel(now)),
  )
  const redis = createRedisServer(world, new RedisModel(now, mutation.item))
  const providers = (['stripe', 'paypal'] as const).map((name) =>
    createProviderServer(
      world,
      new ProviderModel(name, world, (provider, event) => webhooks.send(provider, event)),
    ),
  )
  const auditor = new Auditor({ world, setting, redis, databases, providers })
  const webhooks = new Webhooks(world, setting.webhookLoss, auditor, mutation)
  return {
    ...{ world, setting, mutation, databases, redis, providers, auditor, webhooks, watch: auditor.watch },
    catalogue: settingCatalogue(setting),
    kafka: createKafkaServer(world, new KafkaModel()),
  }
}

/** Before anything can go wrong. */
function putOnSale({ redis: { model }, setting }: Cluster): void {
  const { sale, products } = setting
  for (const { id: item_id, units: total } of products)
    model.write((state) => {
      const { id: sale_id, state: open, opens_at, ends_at } = sale
      model.item(state, item_id).load({ item_id, sale_id, total, state: open, opens_at, ends_at }, 'run-1')
    })
}

/** Nothing is left for anybody to do. */
function isCalm({ databases, redis, setting }: Cluster): boolean {
  for (const { model } of databases) {
    for (const { status } of model.table<OrderRow>(ORDERS).values()) if (status === 'PENDING') return false
    for (const { state, user_id, order_id } of model.table<PaymentRow>(PAYMENTS).values()) {
      const open =
        state === 'started' || state === 'failed' || state === 'authorised' || state === 'refund_due'
      if (open && model.table<OrderRow>(ORDERS).has(`${user_id}/${order_id}`)) return false
    }
  }
  return redis.model.read(({ items }) =>
    setting.products.every(({ id }) => {
      const item = items.get(id)
      if (item?.loaded !== true || item.run_id !== redis.model.run_id) return false
      return item.holds().length === 0 && item.events.length === 0
    }),
  )
}
