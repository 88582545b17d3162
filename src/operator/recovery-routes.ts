import { createRoute, z } from '@hono/zod-openapi'
import {
  AuditLine,
  CommandRequest,
  DriftReport,
  ReconcileRequest,
  ReconcileRun,
  RecordedRun,
  SplitRequest,
  UnitsRequest,
} from '../contracts/operator-http.ts'
import { IdParam } from '../contracts/http.ts'
import type { Catalogue } from '../flow/catalogue/catalogue.ts'
import type { EventLog } from '../flow/events/events.ts'
import type { createDriftReport, Reconcile } from '../flow/reconcile/reconcile.ts'
import { Problem } from '../platform/errors.ts'
import { type App, json, jsonBody, problems } from '../platform/http.ts'
import type { Database } from '../platform/postgres.ts'
import type { Commands } from './commands.ts'
import type { By } from './accounts/sign-in.ts'
import { selectAudit } from './sql.ts'

const BASE = '/api/operator'
const LATEST = 200

const Runs = z.object({ runs: z.array(ReconcileRun) })
const RecordedRuns = z.object({ runs: z.array(RecordedRun) })
const Audit = z.object({ entries: z.array(AuditLine) })
const DeadLetters = z.object({
  dead_letters: z.array(
    z.object({
      id: z.string(),
      item_id: z.string(),
      part: z.string().optional().describe('Of the item, where its stock is split'),
      outbox_id: z.string(),
      reason: z.string(),
      fields: z.record(z.string(), z.string()),
      at: z.int(),
    }),
  ),
})
const Backlog = z
  .object({
    items: z.array(
      z.object({
        item_id: z.string(),
        outbox: z.int().describe('Events whose effect SQL has not confirmed'),
        oldest_s: z.number().nullable().describe('Age of the oldest of them; null where there is none'),
      }),
    ),
    consumer_lag: z
      .int()
      .nullable()
      .describe('Events that no order worker has been given yet; null while Kafka is away'),
    outbox_max: z.int().describe('Past so many events of an item nothing new is claimed'),
  })
  .openapi('Backlog')
const LetterParam = z.object({
  id: z
    .string()
    .min(1)
    .max(200)
    .openapi({ param: { name: 'id', in: 'path' } }),
})

const postReconcile = createRoute({
  method: 'post',
  path: `${BASE}/reconcile`,
  request: { body: jsonBody(ReconcileRequest) },
  responses: {
    200: json(Runs, 'One run per item'),
    ...problems('bad_request', 'operator_only', 'unknown_item'),
  },
})
const getRuns = createRoute({
  method: 'get',
  path: `${BASE}/reconcile`,
  responses: { 200: json(RecordedRuns, `The latest ${LATEST} runs`), ...problems('operator_only') },
})
const putUnits = createRoute({
  method: 'put',
  path: `${BASE}/items/{id}/units`,
  description: 'After a count in the warehouse',
  request: { params: IdParam, body: jsonBody(UnitsRequest) },
  responses: {
    200: json(ReconcileRun, 'Changed; what reconciliation made of it'),
    ...problems('bad_request', 'operator_only', 'unknown_item'),
  },
})
const putParts = createRoute({
  method: 'put',
  path: `${BASE}/items/{id}/parts`,
  description: 'Splits the stock of a hot item into parts, for good, before its sale opens',
  request: { params: IdParam, body: jsonBody(SplitRequest) },
  responses: {
    200: json(ReconcileRun, 'Split; what reconciliation made of it'),
    ...problems('bad_request', 'operator_only', 'unknown_item', 'not_editable'),
  },
})
const getDrift = createRoute({
  method: 'get',
  path: `${BASE}/items/{id}/drift`,
  request: { params: IdParam },
  responses: {
    200: json(DriftReport, 'What SQL, Redis, outbox and event log each say of an item'),
    ...problems('operator_only', 'unknown_item'),
  },
})
const getAudit = createRoute({
  method: 'get',
  path: `${BASE}/audit`,
  responses: { 200: json(Audit, `The latest ${LATEST} commands`), ...problems('operator_only') },
})
const getDeadLetters = createRoute({
  method: 'get',
  path: `${BASE}/dead-letters`,
  responses: { 200: json(DeadLetters, 'Events that were set aside'), ...problems('operator_only') },
})
const getBacklog = createRoute({
  method: 'get',
  path: `${BASE}/backlog`,
  responses: { 200: json(Backlog, 'What is on its way from stock to SQL'), ...problems('operator_only') },
})
const postReplay = createRoute({
  method: 'post',
  path: `${BASE}/dead-letters/{id}/replay`,
  request: { params: LetterParam, body: jsonBody(CommandRequest) },
  responses: {
    200: json(z.object({ outcome: z.literal('replayed') }), 'Back in its outbox'),
    ...problems('bad_request', 'operator_only', 'not_found'),
  },
})

const NOT_SPLIT = {
  too_late: 'An item is split once, and at least five seconds before its sale opens.',
  begun: 'Something of it was claimed before, or its stock can not be read now.',
} as const

export interface RecoveryRouteParts {
  readonly commands: Commands
  readonly catalogue: Catalogue
  readonly reconcile: Reconcile
  readonly driftReport: ReturnType<typeof createDriftReport>
  readonly eventLog: Pick<EventLog, 'deadLetters' | 'inspect'>
  readonly outboxMax: number
  readonly database: Database
}

/** Reconciliation, dead letters and the audit log. `by` says who gives the command. */
export function recoveryRoutes(app: App, parts: RecoveryRouteParts, by: By): void {
  const { commands, catalogue, reconcile, driftReport, eventLog, outboxMax, database } = parts

  app.openapi(postReconcile, async (c) => {
    const { item_id, reason } = c.req.valid('json')
    if (item_id !== undefined && (await catalogue.product(item_id)) === undefined)
      throw new Problem('unknown_item')
    return c.json({ runs: await commands.reconcile(by(c, reason), item_id) }, 200)
  })
  app.openapi(getRuns, async (c) => c.json({ runs: await reconcile.runs(LATEST) }, 200))
  app.openapi(putUnits, async (c) => {
    const { units, reason } = c.req.valid('json')
    const run = await commands.setUnits(by(c, reason), c.req.valid('param').id, units)
    if (run === 'unknown_item') throw new Problem('unknown_item')
    return c.json(run, 200)
  })
  app.openapi(putParts, async (c) => {
    const { parts, reason } = c.req.valid('json')
    const run = await commands.split(by(c, reason), c.req.valid('param').id, parts)
    if (run === 'unknown_item') throw new Problem('unknown_item')
    if (typeof run === 'string') throw new Problem('not_editable', NOT_SPLIT[run])
    return c.json(run, 200)
  })
  app.openapi(getDrift, async (c) => {
    const report = await driftReport(c.req.valid('param').id)
    if (report === undefined) throw new Problem('unknown_item')
    return c.json(report, 200)
  })
  app.openapi(getAudit, async (c) => c.json({ entries: await selectAudit(database, LATEST) }, 200))
  app.openapi(getDeadLetters, async (c) => c.json({ dead_letters: await eventLog.deadLetters(LATEST) }, 200))
  app.openapi(getBacklog, async (c) => {
    const { items, consumer_lag } = await eventLog.inspect()
    return c.json({ items: [...items], consumer_lag, outbox_max: outboxMax }, 200)
  })
  app.openapi(postReplay, async (c) => {
    const outcome = await commands.replay(by(c, c.req.valid('json').reason), c.req.valid('param').id)
    if (outcome !== 'replayed') throw new Problem('not_found', 'There is no such dead letter.')
    return c.json({ outcome }, 200)
  })
}
