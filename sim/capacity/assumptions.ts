/**
 * What is not measured here. Prices are round numbers of the order that public price lists of large clouds show, and no
 * offer of anybody: put in your own with `--price name=value`.
 */
export const ASSUMED_ON = '2026-11-26'

export const PRICES = {
  /** US dollars. */
  core_hour: { value: 0.05, what: 'a core with 4 GB for an hour' },
  edge_gb: { value: 0.04, what: 'a GB sent by the CDN' },
  edge_million: { value: 0.75, what: 'a million requests at the CDN' },
  origin_gb: { value: 0.08, what: 'a GB sent by the origin' },
  disk_gb_month: { value: 0.1, what: 'a GB of fast disk for a month' },
} as const
export type Prices = Readonly<Record<keyof typeof PRICES, number>>

export const ASSUMED = {
  hours: { value: 4, what: 'hours for which the machines are rented: warm-up, sale, afterwards' },
  machine_cores: { value: 8, what: 'cores of a machine' },
  page_requests: { value: 8, what: 'requests of a first visit: page, styles, scripts, pictures' },
  public_paths: {
    value: 3,
    what: 'public addresses of a sale that an edge node asks for once a second: status, page, stock',
  },
  checkout_requests: {
    value: 6,
    what: 'further requests at the origin for each order: session, order, address, payment, two looks at the outcome; each costs what a claim costs',
  },
  provider_calls: {
    value: 3,
    what: 'calls to the payment provider for each order that is paid: create, read, capture',
  },
  provider_per_s: {
    value: 100,
    what: 'calls a second that a payment provider allows an account that has not asked for more',
  },
  order_transactions: {
    value: 4,
    what: 'small transactions in PostgreSQL for each order that ends: payment, webhook, status, mail',
  },
  pool: { value: 8, what: 'connections of a process to each database (`src/platform/postgres.ts`)' },
  max_connections: { value: 500, what: '`max_connections` of PostgreSQL' },
  event_bytes: { value: 400, what: 'bytes of an event, in an outbox and in Kafka' },
  partitions: { value: 12, what: 'partitions of the order topic (`KAFKA_PARTITIONS`)' },
  replication: { value: 3, what: 'copies of each event in Kafka' },
  edge_gbit: { value: 10, what: 'Gbit/s of an edge node, where you run your own' },
  admission_bytes: {
    value: 600,
    what: 'bytes of Redis for everybody let in: pass, hold, buyer, claim; the simulation grows by as much',
  },
  row_bytes: {
    value: 1500,
    what: 'bytes of PostgreSQL for an order: row, payment, events of the provider, indexes',
  },
} as const
