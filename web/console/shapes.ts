import type { z } from '@hono/zod-openapi'
import type * as account from '../../src/contracts/account-http.ts'
import type * as http from '../../src/contracts/http.ts'
import type * as operator from '../../src/contracts/operator-http.ts'
import type * as editing from '../../src/contracts/sale-editing-http.ts'
import type * as oversell from '../../src/contracts/oversell-http.ts'

/** The operator API's shapes as plain types: the schemas themselves are loaded only where something is edited. */
export type Phase = z.infer<typeof http.QueueStatus>['phase']
export type Sale = z.infer<typeof operator.ListedSale>
export type SaleWithProducts = z.infer<typeof http.SaleWithProducts>
export type OperatorSale = z.infer<typeof editing.OperatorSale>
export type Product = z.infer<typeof http.Product>
export type NewSaleInput = z.input<typeof operator.NewSale>
export type RecordedRun = z.infer<typeof operator.RecordedRun>
export type ReconcileRun = z.infer<typeof operator.ReconcileRun>
export type DriftReport = z.infer<typeof operator.DriftReport>
export type Session = z.infer<typeof account.OperatorSession>
export type OperatorAccount = z.infer<typeof account.OperatorAccount>
export type { LiveSample } from '../../src/contracts/live-http.ts'
export type OversoldItem = z.infer<typeof oversell.OversoldItem>
export type OversellAnswer = z.infer<typeof oversell.OversellAnswer>
export type OversellPlan = z.infer<typeof oversell.OversellPlan>
export type IssuedGiftCard = z.infer<typeof oversell.IssuedGiftCard>
export type { FoundOrder, OrderDetails } from '../../src/contracts/order-search-http.ts'
