import { z } from '@hono/zod-openapi'
import { Count, Millis } from './http.ts'
import { ORDER_STATUSES } from './orders.ts'

/** Gift cards as their owner sees them. */
export const GiftCard = z
  .object({
    order_id: z.uuid().describe('The order it makes up for'),
    code: z.string(),
    amount: Count,
    balance: Count.describe('What is left of it'),
    currency: z.string(),
    issued_at: Millis,
    expires_at: Millis,
    expired: z.boolean(),
  })
  .openapi('GiftCard')

export const GiftCardRequest = z
  .strictObject({ code: z.string().min(1).max(64).describe('Any case, with or without hyphens') })
  .openapi('GiftCardRequest')

export const GiftCardAnswer = z
  .object({
    order_id: z.uuid(),
    amount: Count.describe('Price of the whole order in minor units'),
    gift_part: Count.describe('What gift cards pay of it'),
    left_to_pay: Count,
    currency: z.string(),
    status: z.enum(ORDER_STATUSES),
  })
  .openapi('GiftCardAnswer')
