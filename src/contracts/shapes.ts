import type { z } from '@hono/zod-openapi'
import type * as gift from './gift-card-http.ts'
import type * as http from './http.ts'

/** The HTTP shapes as plain types: the schemas themselves stay on the server. */
export type QueueStatus = z.infer<typeof http.QueueStatus>
export type JoinAnswer = z.infer<typeof http.JoinAnswer>
export type EnterAnswer = z.infer<typeof http.EnterAnswer>
export type Product = z.infer<typeof http.Product>
export type Sale = z.infer<typeof http.SaleWithProducts>
export type Picture = z.infer<typeof http.Picture>
export type SaleStock = z.infer<typeof http.SaleStock>
export type Stock = z.infer<typeof http.StockAnswer>
export type ClaimAnswer = z.infer<typeof http.ClaimAnswer>
export type Order = z.infer<typeof http.Order>
export type Contact = z.infer<typeof http.ContactAnswer>
export type Receipt = z.infer<typeof http.Receipt>
export type GiftCard = z.infer<typeof gift.GiftCard>
export type GiftCardAnswer = z.infer<typeof gift.GiftCardAnswer>
export type PaymentCheck = z.infer<typeof http.PaymentCheck>
export type PaymentAnswer = z.infer<typeof http.PaymentAnswer>
