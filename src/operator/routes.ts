import type { App } from '../platform/http.ts'
import { accountRoutes } from './accounts/account-routes.ts'
import type { Accounts } from './accounts/accounts.ts'
import { type LiveRouteParts, liveRoutes } from './live/routes.ts'
import { orderSearchRoutes, type OrderSearchRouteParts } from './orders/routes.ts'
import { operatorPaymentRoutes, type OperatorPaymentParts } from './payment-routes.ts'
import { noticeRoutes, type NoticeRouteParts } from './notice-routes.ts'
import { type OversellRouteParts, oversellRoutes } from './oversell-routes.ts'
import { type PictureRouteParts, pictureRoutes } from './picture-routes.ts'
import { type RecoveryRouteParts, recoveryRoutes } from './recovery-routes.ts'
import { type RehearsalRouteParts, rehearsalRoutes } from './rehearsal-routes.ts'
import { type SaleRouteParts, saleRoutes } from './sale-routes.ts'
import { type SessionRouteParts, sessionRoutes } from './accounts/session-routes.ts'
import { BASE, type By, createSignIn, operatorOf, type SignInParts } from './accounts/sign-in.ts'

export interface OperatorRouteParts
  extends
    SaleRouteParts,
    PictureRouteParts,
    RecoveryRouteParts,
    NoticeRouteParts,
    OversellRouteParts,
    OperatorPaymentParts,
    LiveRouteParts,
    OrderSearchRouteParts,
    RehearsalRouteParts,
    SessionRouteParts,
    SignInParts {
  readonly accounts: Accounts
  readonly sessions: SessionRouteParts['sessions']
}

/** The operator's API: signed in, and every command with a reason. */
export function operatorRoutes(app: App, parts: OperatorRouteParts): void {
  const by: By = (c, reason) => ({ operator: operatorOf(c), reason })
  const { operatorsOnly, sessionOf } = createSignIn(parts)
  app.use(`${BASE}/*`, operatorsOnly)
  sessionRoutes(app, parts, sessionOf)
  accountRoutes(app, parts, by)
  saleRoutes(app, parts, by)
  rehearsalRoutes(app, parts, by)
  pictureRoutes(app, parts, by)
  recoveryRoutes(app, parts, by)
  oversellRoutes(app, parts, by)
  noticeRoutes(app, parts, by)
  operatorPaymentRoutes(app, parts)
  liveRoutes(app, parts)
  orderSearchRoutes(app, parts)
}
