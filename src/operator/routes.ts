import { createHash, timingSafeEqual } from 'node:crypto'
import { createMiddleware } from 'hono/factory'
import { Problem } from '../platform/errors.ts'
import type { App, AppEnv } from '../platform/http.ts'
import type { Authority } from './commands.ts'
import { type RecoveryRouteParts, recoveryRoutes } from './recovery-routes.ts'
import { type SaleRouteParts, saleRoutes } from './sale-routes.ts'

const OPERATOR = 'token'

export interface OperatorRouteParts extends SaleRouteParts, RecoveryRouteParts {
  readonly opsToken: string
}

/** The operator's API: signed in, and every command with a reason. */
export function operatorRoutes(app: App, parts: OperatorRouteParts): void {
  const by = (reason: string): Authority => ({ operator: OPERATOR, reason })
  app.use('/api/operator/*', operatorsOnly(parts.opsToken))
  saleRoutes(app, parts, by)
  recoveryRoutes(app, parts, by)
}

function operatorsOnly(token: string) {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(`Bearer ${token}`)
  return createMiddleware<AppEnv>(async (c, next) => {
    const given = digest(c.req.header('authorization') ?? '')
    if (!timingSafeEqual(given, expected))
      throw new Problem('operator_only', 'Send the operator token as Authorization: Bearer.')
    c.header('Cache-Control', 'no-store')
    await next()
  })
}
