import type { OperatorKey } from '../platform/config.ts'
import type { App } from '../platform/http.ts'
import { type LiveRouteParts, liveRoutes } from './live/routes.ts'
import { operatorPaymentRoutes, type OperatorPaymentParts } from './payment-routes.ts'
import { noticeRoutes, type NoticeRouteParts } from './notice-routes.ts'
import { type OversellRouteParts, oversellRoutes } from './oversell-routes.ts'
import { type RecoveryRouteParts, recoveryRoutes } from './recovery-routes.ts'
import { type SaleRouteParts, saleRoutes } from './sale-routes.ts'
import { type By, operatorOf, operatorsOnly } from './sign-in.ts'

export interface OperatorRouteParts
  extends
    SaleRouteParts,
    RecoveryRouteParts,
    NoticeRouteParts,
    OversellRouteParts,
    OperatorPaymentParts,
    LiveRouteParts {
  readonly operators: readonly OperatorKey[]
}

/** The operator's API: signed in, and every command with a reason. */
export function operatorRoutes(app: App, parts: OperatorRouteParts): void {
  const by: By = (c, reason) => ({ operator: operatorOf(c), reason })
  app.use('/api/operator/*', operatorsOnly(parts.operators))
  saleRoutes(app, parts, by)
  recoveryRoutes(app, parts, by)
  oversellRoutes(app, parts, by)
  noticeRoutes(app, parts, by)
  operatorPaymentRoutes(app, parts)
  liveRoutes(app, parts)
}
