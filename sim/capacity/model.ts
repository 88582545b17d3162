import { ASSUMED, type Prices } from './assumptions.ts'
import { type CrowdFlow, type Flow, flowOf, type Scenario } from './crowd.ts'
import { fitOnOneRedis, type Part, partsOf, type Sizing } from './parts.ts'

/** Bytes of an answer with its headers, as the simulation weighed them; of the first page, compressed. */
export interface AnswerBytes {
  readonly join: number
  readonly enter: number
  readonly status: number
  readonly claim: number
  readonly page: number
}

export interface Capacity {
  readonly scenario: Scenario
  readonly flow: CrowdFlow
  /** The one that breaks first in front. */
  readonly parts: readonly Part[]
  /** In the busiest second. */
  readonly edge: {
    readonly requests: number
    readonly gbit: number
    readonly connections: number
    readonly ownNodes: number
  }
  readonly origin: { readonly requests: number; readonly mbit: number; readonly perVisitor: number }
  readonly redis: {
    readonly servers: number
    readonly cluster: boolean
    readonly memoryBytes: number
    /** Places, turns, claims and ends of orders in the busiest second. */
    readonly operations: number
  }
  readonly kafka: {
    readonly partitions: number
    readonly eventsPerS: number
    readonly bytesPerS: number
    readonly diskBytes: number
  }
  readonly postgres: {
    readonly connections: number
    readonly rowsPerS: number
    readonly transactionsPerS: number
    readonly diskBytes: number
  }
  readonly cores: { readonly [part: string]: number }
  readonly machines: number
  /** Bytes a visitor moves, and all of them. */
  readonly bytes: { readonly perVisitor: number; readonly edge: number; readonly origin: number }
  readonly money: { readonly [what: string]: number; readonly total: number }
}

/** Redis with nobody in it, and the table of recent joins, whose size is fixed. */
const EMPTY_REDIS = 9_300_000
/** Cores beside each thread that works: its system's, and what a Redis needs to write its log. */
const CORES = { web: 1, 'order worker': 1, relay: 1, cleanup: 1, edge: 2, redis: 2, postgres: 4, kafka: 2 }
/** A Redis with two replicas, as Sentinel wants it; a PostgreSQL with one. */
const COPIES = { redis: 3, postgres: 2 }
const HOURS_OF_A_MONTH = 730

const value = (name: keyof typeof ASSUMED) => ASSUMED[name].value
const busiest = ({ seconds }: CrowdFlow, of: (flow: Flow) => number) =>
  seconds.reduce((most, flow) => Math.max(most, of(flow)), 0)

/** What asks the origin in a second. */
export const originRequests = (flow: Flow, publicPaths = 1, ofAnOrder = 2): number =>
  flow.arrivals +
  flow.repeats +
  flow.enters +
  flow.claims +
  (flow.paid + flow.returned) * ofAnOrder +
  flow.statuses * publicPaths

/** Sizes a deployment: everything follows from the crowd, what was measured, and what is assumed in so many words. */
export function capacityOf(
  scenario: Scenario,
  sizing: Sizing,
  answers: AnswerBytes,
  prices: Prices,
): Capacity {
  const flow = flowOf(scenario)
  const { total } = flow
  const parts = partsOf(flow, sizing)
  const count = (name: string) => parts.find((part) => part.name === name)?.count ?? 0

  const personal = (one: Flow) =>
    (one.joins + one.repeats) * answers.join +
    one.enters * answers.enter +
    (one.claims + (one.paid + one.returned) * value('checkout_requests')) * answers.claim
  const edgeBytes = (one: Flow) => one.polls * answers.status + one.arrivals * answers.page + personal(one)
  const originBytes = (one: Flow) => personal(one) + one.statuses * answers.status * value('public_paths')
  const requestsAtOrigin = (one: Flow) =>
    originRequests(one, value('public_paths'), value('checkout_requests'))
  // What the edge asks the origin is no request of a visitor.
  const requestsAtEdge = (one: Flow) =>
    one.polls +
    one.arrivals * value('page_requests') +
    requestsAtOrigin(one) -
    one.statuses * value('public_paths')
  const gbit = (busiest(flow, edgeBytes) * 8) / 1e9

  const cluster = !fitOnOneRedis(parts, sizing.headroom)
  const masters = cluster ? Math.max(3, 1 + count('Redis of the items')) : 1
  const servers = masters * COPIES.redis
  const memoryBytes =
    EMPTY_REDIS +
    total.admissions * value('admission_bytes') +
    (total.orders + total.returned) * value('event_bytes')
  const ownNodes = Math.max(2, Math.ceil((gbit * sizing.headroom) / value('edge_gbit')))

  const cores = {
    web: count('web process') * CORES.web,
    workers: count('order worker') * CORES['order worker'] + count('relay') * CORES.relay + 2 * CORES.cleanup,
    Redis: servers * CORES.redis,
    PostgreSQL: count('PostgreSQL shard') * COPIES.postgres * CORES.postgres,
    Kafka: count('Kafka broker') * CORES.kafka,
  }
  const allCores = Object.values(cores).reduce((sum, one) => sum + one, 0)
  // A zone that is lost leaves two.
  const machines = Math.max(3, Math.ceil(allCores / value('machine_cores')))
  const bytes = {
    perVisitor: edgeBytes(total) / scenario.buyers,
    edge: edgeBytes(total),
    origin: originBytes(total),
  }
  const eventsPerS = busiest(flow, ({ orders, returned }) => orders + returned)
  const kafkaDisk = (total.orders + total.returned) * value('event_bytes') * value('replication')
  const rowsDisk = total.orders * value('row_bytes') * COPIES.postgres
  const bills = {
    machines: machines * value('machine_cores') * value('hours') * prices.core_hour,
    'CDN, bytes': (bytes.edge / 1e9) * prices.edge_gb,
    'CDN, requests': (requestsAtEdge(total) / 1e6) * prices.edge_million,
    'origin, bytes': (bytes.origin / 1e9) * prices.origin_gb,
    disks: ((kafkaDisk + rowsDisk) / 1e9) * prices.disk_gb_month * (value('hours') / HOURS_OF_A_MONTH),
  }
  return {
    ...{ scenario, flow, parts, cores, machines, bytes },
    edge: { requests: busiest(flow, requestsAtEdge), gbit, connections: flow.peak.waiting, ownNodes },
    origin: {
      requests: busiest(flow, requestsAtOrigin),
      mbit: (busiest(flow, originBytes) * 8) / 1e6,
      perVisitor: requestsAtOrigin(total) / scenario.buyers,
    },
    redis: {
      ...{ servers, cluster, memoryBytes },
      operations: busiest(flow, (one) => one.joins + one.enters + one.claims + one.paid + one.returned),
    },
    kafka: {
      partitions: value('partitions'),
      eventsPerS,
      bytesPerS: eventsPerS * value('event_bytes') * value('replication'),
      diskBytes: kafkaDisk,
    },
    postgres: {
      connections: (count('web process') + count('order worker') + 2) * value('pool'),
      rowsPerS: flow.peak.orders,
      transactionsPerS: busiest(
        flow,
        ({ paid, returned }) => (paid + returned) * value('order_transactions'),
      ),
      diskBytes: rowsDisk,
    },
    money: { ...bills, total: Object.values(bills).reduce((sum, one) => sum + one, 0) },
  }
}
