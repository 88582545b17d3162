import { createRoute, z } from '@hono/zod-openapi'
import { Count, Millis } from '../contracts/http.ts'
import { CommandRequest } from '../contracts/operator-http.ts'
import type { Notices } from '../flow/notices/notices.ts'
import { type App, json, jsonBody, problems } from '../platform/http.ts'
import type { Database } from '../platform/postgres.ts'
import type { By } from './accounts/sign-in.ts'
import { insertAudit } from './sql.ts'

const BASE = '/api/operator/notices'
const LATEST = 200

const Backlog = z.object({
  due: Count.describe('Mails that wait'),
  dead: Count.describe('Mails that were given up'),
  /** Without addresses: those are nobody's business but the buyer's. */
  undelivered: z.array(
    z.object({
      order_id: z.uuid(),
      kind: z.enum(['paid', 'pay_again', 'failed', 'cancelled', 'oversold']),
      attempts: Count,
      code: z.string().nullable().describe('What the mail server said last'),
      at: Millis,
    }),
  ),
})

const getNotices = createRoute({
  method: 'get',
  path: BASE,
  responses: {
    200: json(Backlog, `Mails to buyers; the latest ${LATEST} that were given up`),
    ...problems('operator_only'),
  },
})
const postRetry = createRoute({
  method: 'post',
  path: `${BASE}/retry`,
  description: 'After the mail server has been put right',
  request: { body: jsonBody(CommandRequest) },
  responses: {
    200: json(z.object({ retried: Count }), 'All that were given up are tried again, from the start'),
    ...problems('bad_request', 'operator_only'),
  },
})

export interface NoticeRouteParts {
  readonly notices: Pick<Notices, 'backlog' | 'undelivered' | 'retry'>
  readonly database: Database
}

/** Mails to buyers that did not go out. */
export function noticeRoutes(app: App, { notices, database }: NoticeRouteParts, by: By): void {
  app.openapi(getNotices, async (c) => {
    const [backlog, undelivered] = await Promise.all([notices.backlog(), notices.undelivered(LATEST)])
    const listed = undelivered.map(({ created_at, ...one }) => ({ ...one, at: created_at.getTime() }))
    return c.json({ ...backlog, undelivered: listed }, 200)
  })
  app.openapi(postRetry, async (c) => {
    const { reason } = c.req.valid('json')
    const command = { command: 'notices.retry', target: 'all given up', detail: {} }
    await insertAudit(database, { ...by(c, reason), ...command })
    return c.json({ retried: await notices.retry() }, 200)
  })
}
