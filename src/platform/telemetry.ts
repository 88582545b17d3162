import pino from 'pino'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** JSON lines on standard output. */
export type Log = pino.Logger

export function createLog(level: string, name: string): Log {
  return pino({
    level,
    base: { process: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (_label, number) => ({ level: number }) },
    // Tokens, passes and addresses of buyers have no business in a log.
    redact: [
      'authorization',
      'cookie',
      'ticket',
      'pass',
      'receipt',
      'email',
      '*.email',
      '*.authorization',
      '*.cookie',
    ],
  })
}

/** What the flow counts; every label has few values. */
export interface Metrics {
  readonly registry: Registry
  readonly requests: Counter<'host' | 'route' | 'status'>
  readonly seconds: Histogram<'host' | 'route'>
  readonly claims: Counter<'outcome'>
  readonly joins: Counter<'outcome'>
  readonly enters: Counter<'outcome'>
  readonly refusals: Counter<'problem' | 'why'>
  readonly payments: Counter<'outcome'>
  readonly shed: Counter<'kind'>
  /** What browsers say our pages' policies refused. */
  readonly cspReports: Counter<'host' | 'directive'>
  /** Of the shedding: 0 to 5. */
  readonly pressure: Gauge
  readonly backlog: Gauge
  /** PAID orders whose money has not come. */
  readonly unfunded: Gauge
  /** Mails to buyers that wait, and that were given up. */
  readonly notices: Gauge<'state'>
  /** As the latest reconciliation of each item found it. */
  readonly drift: Gauge<'item'>
  readonly oversold: Gauge<'item'>
  readonly oldestEvent: Gauge
  readonly consumerLag: Gauge
  /** The main line of each sale that is on. */
  readonly waiting: Gauge<'sale'>
  readonly inCheckout: Gauge<'sale'>
  readonly noShowRatio: Gauge<'sale'>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `doorbuster_${name}`, help, labelNames, registers })
  const gauge = <Label extends string = 'sale'>(name: string, help: string, label = 'sale' as Label) =>
    new Gauge({ name: `doorbuster_${name}`, help, labelNames: [label], registers })
  const total = (name: string, help: string) => new Gauge({ name: `doorbuster_${name}`, help, registers })
  return {
    registry,
    requests: counter('http_requests_total', 'Requests answered', ['host', 'route', 'status']),
    seconds: new Histogram({
      name: 'doorbuster_http_request_seconds',
      help: 'Time from request to answer',
      labelNames: ['host', 'route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    claims: counter('claims_total', 'Claims by outcome', ['outcome']),
    joins: counter('joins_total', 'Joins of a waiting room by outcome', ['outcome']),
    enters: counter('enters_total', 'Tickets exchanged for passes by outcome', ['outcome']),
    refusals: counter('guard_refusals_total', 'Requests the guard refused, by reason', ['problem', 'why']),
    payments: counter('payment_events_total', 'Provider events by effect', ['outcome']),
    waiting: gauge('queue_waiting', 'People in line'),
    inCheckout: gauge('queue_in_checkout', 'People let in who have neither bought nor left'),
    noShowRatio: gauge('queue_no_show_ratio', 'Share of turns that are not taken'),
    notices: new Gauge({
      name: 'doorbuster_notices',
      help: 'Mails to buyers that wait (due) and that were given up (dead)',
      labelNames: ['state'],
      registers,
    }),
    drift: gauge('reconcile_drift_units', 'Units Redis showed too many (+) or too few (-)', 'item'),
    oversold: gauge('oversold_units', 'Units sold and promised beyond those there are', 'item'),
    shed: counter('shed_total', 'Requests turned away for want of time, by kind', ['kind']),
    cspReports: counter('csp_reports_total', 'Reports of browsers that a page broke its policy', [
      'host',
      'directive',
    ]),
    pressure: total('pressure', 'How much is turned away: 0 nothing, 5 all that may be'),
    backlog: total('outbox_backlog', 'Events taken from stock that SQL has not confirmed'),
    unfunded: total('orders_paid_unfunded', 'PAID orders whose money has not come for a minute or more'),
    oldestEvent: total('outbox_oldest_seconds', 'Age of the oldest of them'),
    consumerLag: total('consumer_lag', 'Events that no order worker has been given yet'),
  }
}

export interface Answered {
  readonly host: string
  readonly log: Log
  readonly metrics: Metrics
  /** `performance.now()` */
  readonly started: number
  readonly requestId: string
  readonly method: string
  /** As it is documented, with the names of its parameters. */
  readonly route: string
  readonly status: number
}

/** A request has been answered. */
export function noteAnswer({
  host,
  log,
  metrics,
  started,
  requestId,
  method,
  route,
  status,
}: Answered): void {
  const seconds = (performance.now() - started) / 1000
  metrics.requests.inc({ host, route, status })
  metrics.seconds.observe({ host, route }, seconds)
  const isFailure = status >= 500
  if (!isFailure && !log.isLevelEnabled('debug')) return
  const line = { request_id: requestId, host, method, route, status, seconds }
  if (isFailure) log.warn(line, 'request failed')
  else log.debug(line, 'request')
}
