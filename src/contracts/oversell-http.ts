import { z } from '@hono/zod-openapi'
import { Count, Millis } from './http.ts'
import { Reason } from './operator-http.ts'
import { ORDER_STATUSES } from './orders.ts'

/** Shapes of the operator's API for items of which more was sold than there is. */
const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'the `hash` of a preview')

const PlannedOrder = z.object({
  order_id: z.uuid(),
  user_id: z.string(),
  claim_seq: Count,
  quantity: z.int().positive(),
  amount: Count,
  currency: z.string(),
  status: z.enum(ORDER_STATUSES).describe('When it was previewed; what is paid by then is refunded'),
  gift: Count.describe('Amount of the gift card, in minor units'),
})

export const OversoldItem = z
  .object({ item_id: z.string(), units: Count, paid: Count, pending: Count, oversold: Count })
  .openapi('OversoldItem')

const Preview = z
  .object({
    item_id: z.string(),
    units: Count,
    oversold: Count,
    hash: z.string().describe('Names this list in the approval'),
    orders: z.array(PlannedOrder).describe('To be cancelled, the last one to claim first'),
    persons: Count.describe('How many different persons must approve; 0: the sale does it by itself'),
  })
  .openapi('OversellPreview')

export const OversellPlan = z
  .object({
    item_id: z.string(),
    hash: z.string(),
    units: Count.describe('Units oversold when it was approved'),
    persons: Count,
    approvals: z.array(z.object({ operator: z.string(), reason: z.string(), at: Millis })),
    state: z.enum(['waiting', 'approved', 'done', 'not_needed', 'outdated']),
    orders: Count.describe('Orders on the list'),
    cancelled: Count.describe('Of those, how many are cancelled'),
  })
  .openapi('OversellPlan')

export const OversellAnswer = z.object({
  preview: Preview.nullable().describe('null: the item is not oversold'),
  plan: OversellPlan.nullable().describe('The latest that was approved'),
})

export const ApproveRequest = z.strictObject({ hash: Hash, reason: Reason }).openapi('OversellApproveRequest')

export const IssuedGiftCard = z
  .object({
    user_id: z.string(),
    order_id: z.uuid().describe('The order it makes up for'),
    code_ends_in: z.string(),
    amount: Count,
    balance: Count,
    currency: z.string(),
    issued_at: Millis,
    expires_at: Millis,
    expired: z.boolean(),
  })
  .openapi('IssuedGiftCard')
