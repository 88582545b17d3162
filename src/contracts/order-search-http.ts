import { z } from '@hono/zod-openapi'
import { Count, Millis, Slug } from './http.ts'
import { AuditLine } from './operator-http.ts'
import { FAILURE_REASONS, ORDER_STATUSES } from './orders.ts'
import { PAYMENT_STATES } from './payments.ts'

/** A form sends fields that nobody filled in as empty ones. */
const filled = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional())
const moment = filled(z.coerce.number().pipe(Millis.max(253_402_300_799_999)))

const filters = {
  sale: filled(Slug),
  item: filled(Slug),
  status: filled(z.enum(ORDER_STATUSES)),
  q: filled(
    z
      .string()
      .trim()
      .max(254)
      .refine((text) => !text.includes('\0'), 'no NUL characters'),
  ).describe(
    'A buyer; an order, whole or its first 6 characters or more; the id of a payment at its provider or a mail address (for operators and admins), whole or the beginning',
  ),
  from: moment.describe('Written down then or later, ms since the epoch'),
  to: moment.describe('Written down before, ms since the epoch'),
}
/** Filters of orders; what is left out or empty does not limit. */
export const OrderFilters = z.object(filters)
export const OrderQuery = z.object({
  ...filters,
  cursor: filled(z.string().max(200)).describe('`next` of the page before'),
  limit: filled(z.coerce.number().pipe(z.int().min(1).max(200))).describe('50 unless told'),
})

const FoundPayment = z.object({
  provider: z.string(),
  state: z.enum(PAYMENT_STATES),
  provider_id: z.string().describe('The payment, as the provider calls it'),
})

export const FoundOrder = z
  .object({
    order_id: z.uuid(),
    user_id: z.string(),
    sale_id: z.string(),
    item_id: z.string(),
    quantity: z.int().positive(),
    amount: Count.describe('Price of the whole order in minor units'),
    currency: z.string(),
    status: z.enum(ORDER_STATUSES),
    failure_reason: z.enum(FAILURE_REASONS).nullable(),
    payment: FoundPayment.nullable().describe('The one with the money, or else the latest'),
    email: z.string().nullable().describe('Masked for viewers; null: none was given, or it was deleted'),
    created_at: Millis.describe('When SQL had it'),
    paid_at: Millis.nullable(),
    claim_seq: z.int().describe('Which claim of its item it was'),
  })
  .openapi('FoundOrder')
export type FoundOrder = z.infer<typeof FoundOrder>

export const FoundOrders = z
  .object({
    orders: z.array(FoundOrder).describe('The newest first'),
    next: z.string().nullable().describe('`cursor` of the next page; null: this is the last'),
    incomplete: z.boolean().describe('A database does not answer: its orders are missing'),
  })
  .openapi('FoundOrders')

export const OrderDetails = z
  .object({
    order: FoundOrder.extend({
      claimed_at: Millis,
      pay_by: Millis,
      hold_expires_at: Millis,
      failed_at: Millis.nullable(),
      restocked_at: Millis.nullable().describe('When its units were back in stock'),
    }),
    payments: z.array(
      FoundPayment.extend({
        amount: Count,
        currency: z.string(),
        failure_code: z.string().nullable().describe('In the words of the provider'),
        created_at: Millis,
        updated_at: Millis,
      }),
    ),
    gift_parts: z
      .array(z.object({ card_id: z.uuid(), amount: Count, used_at: Millis }))
      .describe('What gift cards pay of it'),
    gift_card: z
      .object({ amount: Count, currency: z.string(), issued_at: Millis, expires_at: Millis })
      .nullable()
      .describe('Issued to make up for it'),
    mails: z.array(
      z.object({
        kind: z.enum(['paid', 'pay_again', 'failed', 'cancelled', 'oversold']),
        state: z.enum(['due', 'sent', 'dead', 'obsolete']),
        attempts: Count,
        code: z.string().nullable().describe('What the mail server said last'),
        created_at: Millis,
        sent_at: Millis.nullable(),
      }),
    ),
    audit: z.array(AuditLine).describe('Commands about it, its item or its sale, the latest first'),
  })
  .openapi('OrderDetails')
export type OrderDetails = z.infer<typeof OrderDetails>
