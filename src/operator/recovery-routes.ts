import { createRoute, z } from '@hono/zod-openapi'
import { CommandRequest, ReconcileRequest, ReconcileRun } from '../contracts/operator-http.ts'
import type { Catalogue } from '../flow/catalogue/catalogue.ts'
import type { EventLog } from '../flow/events/events.ts'
import type { Reconcile } from '../flow/reconcile/reconcile.ts'
import { Problem } from '../platform/errors.ts'
import { type App, json, jsonBody, problems } from '../platform/http.ts'
import type { Database } from '../platform/postgres.ts'
import type { Commands } from './commands.ts'
import type { By } from './sign-in.ts'
import { selectAudit } from './sql.ts'

const BASE = '/api/operator'
const LATEST = 200

const Runs = z.object({ runs: z.array(ReconcileRun) })
const Audit = z.object({
  entries: z.array(
    z.object({
      at: z.int(),
      operator: z.string(),
      command: z.string(),
      target: z.string(),
      reason: z.string(),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
})
const DeadLetters = z.object({
  dead_letters: z.array(
    z.object({
      id: z.string(),
      item_id: z.string(),
      outbox_id: z.string(),
      reason: z.string(),
      fields: z.record(z.string(), z.string()),
      at: z.int(),
    }),
  ),
})
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
  responses: { 200: json(Runs, `The latest ${LATEST} runs`), ...problems('operator_only') },
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
const postReplay = createRoute({
  method: 'post',
  path: `${BASE}/dead-letters/{id}/replay`,
  request: { params: LetterParam, body: jsonBody(CommandRequest) },
  responses: {
    200: json(z.object({ outcome: z.literal('replayed') }), 'Back in its outbox'),
    ...problems('bad_request', 'operator_only', 'not_found'),
  },
})

export interface RecoveryRouteParts {
  readonly commands: Commands
  readonly catalogue: Catalogue
  readonly reconcile: Reconcile
  readonly eventLog: Pick<EventLog, 'deadLetters'>
  readonly database: Database
}

/** Reconciliation, dead letters and the audit log. `by` says who gives the command. */
export function recoveryRoutes(app: App, parts: RecoveryRouteParts, by: By): void {
  const { commands, catalogue, reconcile, eventLog, database } = parts

  app.openapi(postReconcile, async (c) => {
    const { item_id, reason } = c.req.valid('json')
    if (item_id !== undefined && (await catalogue.product(item_id)) === undefined)
      throw new Problem('unknown_item')
    return c.json({ runs: await commands.reconcile(by(c, reason), item_id) }, 200)
  })
  app.openapi(getRuns, async (c) => c.json({ runs: await reconcile.runs(LATEST) }, 200))
  app.openapi(getAudit, async (c) => c.json({ entries: await selectAudit(database, LATEST) }, 200))
  app.openapi(getDeadLetters, async (c) => c.json({ dead_letters: await eventLog.deadLetters(LATEST) }, 200))
  app.openapi(postReplay, async (c) => {
    const outcome = await commands.replay(by(c, c.req.valid('json').reason), c.req.valid('param').id)
    if (outcome !== 'replayed') throw new Problem('not_found', 'There is no such dead letter.')
    return c.json({ outcome }, 200)
  })
}
