import { z } from '@hono/zod-openapi'
import { SLUG } from './ids.ts'
import { FAILURE_REASONS, ORDER_STATUSES } from './orders.ts'

/**
 * Shapes of the HTTP contract (design, section 9): they validate, and `/openapi.json` is made from them. Objects that
 * come from outside are strict: an unknown field is refused, so nobody can set what is not theirs to set.
 * Times are milliseconds since the epoch on the server's clock unless a name ends in `_s`.
 */
const Slug = z.string().regex(SLUG, 'lower-case letters, digits and hyphens, at most 64')
const Millis = z.int().nonnegative()
const Count = z.int().nonnegative()
const Token = z.string().min(1).max(2048)
const Device = z.string().min(1).max(256)
const Currency = z.string().regex(/^[A-Z]{3}$/, 'three capital letters (ISO 4217)')
/** Of an operator. PostgreSQL stores every character but NUL. */
const text = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .refine((value) => !value.includes('\0'), 'no NUL characters')
const Reason = text(500).min(1).describe('Why; kept in the audit log')
/** Slower than one person in 1000 seconds no line moves. */
const Rate = z.number().min(0.001).max(1_000_000)
/** Up to the end of the year 9999: later moments are none to JavaScript or to SQL. */
const Moment = Millis.max(253_402_300_799_999)

export const SaleParam = z.object({ sale: Slug.openapi({ param: { name: 'sale', in: 'path' } }) })
export const IdParam = z.object({ id: Slug.openapi({ param: { name: 'id', in: 'path' } }) })
export const OrderParam = z.object({ id: z.uuid().openapi({ param: { name: 'id', in: 'path' } }) })

export const QueueStatus = z
  .object({
    phase: z.enum(['lobby', 'open', 'paused', 'held_out', 'sold_out', 'ended']),
    server_time: Millis,
    opens_at: Millis,
    now_serving: Count,
    last_position: Count,
    rate_per_second: z.number().positive(),
    available: Count,
    held: Count,
    sold: Count,
    total: Count,
    message: z.string(),
    poll: z.object({
      min_s: z.number(),
      max_s: z.number(),
      per_wait_s: z.number(),
      jitter: z.number(),
    }),
  })
  .openapi('QueueStatus')

export const JoinRequest = z
  .strictObject({
    solution: z.union([z.string().max(8192), z.record(z.string(), z.unknown()), z.null()]).optional(),
    device: Device,
    ticket: Token.optional(),
  })
  .openapi('JoinRequest')

export const JoinAnswer = z
  .object({
    ticket: z.string(),
    position: z.int().positive().optional(),
    lobby_index: z.int().positive().optional(),
    phase: QueueStatus.shape.phase,
    estimated_wait_s: z.number().nullable(),
  })
  .openapi('JoinAnswer')

export const EnterRequest = z
  .strictObject({ ticket: Token, device: Device.optional() })
  .openapi('EnterRequest')

export const EnterAnswer = z
  .object({ pass: z.string(), expires_at: Millis, shop_url: z.string() })
  .openapi('EnterAnswer')

export const Product = z
  .object({
    id: z.string(),
    sale_id: z.string(),
    name: z.string(),
    description: z.string(),
    amount: Count.describe('Price of one unit in minor units'),
    currency: z.string(),
    units: Count,
    per_buyer_limit: z.int().positive(),
  })
  .openapi('Product')

export const Sale = z
  .object({
    id: z.string(),
    name: z.string(),
    opens_at: Millis,
    ends_at: Millis.nullable(),
    state: z.enum(['open', 'paused', 'ended']),
    rate_per_second: z.number(),
    payment_window_s: z.number(),
    hold_s: z.number(),
    pass_s: z.number(),
    message: z.string(),
  })
  .openapi('Sale')

export const SaleWithProducts = Sale.extend({ products: z.array(Product), queue_url: z.string() })

export const StockAnswer = z
  .object({
    item_id: z.string(),
    available: Count,
    held: Count,
    sold: Count,
    total: Count,
    state: z.enum(['available', 'held_out', 'sold_out']),
    server_time: Millis,
  })
  .openapi('Stock')

export const ClaimRequest = z
  .strictObject({ item_id: Slug, quantity: z.int().min(1).max(1000) })
  .openapi('ClaimRequest')

export const ClaimAnswer = z
  .object({
    order_id: z.uuid(),
    status: z.enum(['PROCESSING', ...ORDER_STATUSES]),
    pay_by: Millis,
    hold_expires_at: Millis,
    receipt: z.string(),
  })
  .openapi('ClaimAnswer')

export const Order = z
  .object({
    order_id: z.uuid(),
    item_id: z.string(),
    sale_id: z.string(),
    quantity: z.int().positive(),
    amount: Count.describe('Price of the whole order in minor units'),
    currency: z.string(),
    status: z.enum(['PROCESSING', ...ORDER_STATUSES]),
    failure_reason: z.enum(FAILURE_REASONS).nullable(),
    claimed_at: Millis,
    pay_by: Millis,
    hold_expires_at: Millis,
  })
  .openapi('Order')

export const PaymentRequest = z
  .strictObject({ provider: z.enum(['stripe']).describe('PayPal follows') })
  .openapi('PaymentRequest')

export const PaymentAnswer = z
  .object({
    provider: z.string(),
    order_id: z.uuid(),
    browser: z
      .record(z.string(), z.string())
      .describe('What the browser needs; for Stripe: publishable_key, client_secret, api_url'),
  })
  .openapi('PaymentAnswer')

export const ReceiptRequest = z.strictObject({ receipt: Token }).openapi('ReceiptRequest')

export const NewProduct = z
  .strictObject({
    id: Slug,
    name: text(200).min(1),
    description: text(5000).default(''),
    amount: z.int().min(1).max(1_000_000_000),
    currency: Currency,
    units: z.int().min(1).max(10_000_000),
    per_buyer_limit: z.int().min(1).max(1000).default(1),
  })
  .openapi('NewProduct')

const Seconds = z.number().positive().max(86_400)

export const NewSale = z
  .strictObject({
    id: Slug,
    name: text(200).min(1),
    opens_at: Moment.optional().describe('Now where it is left out'),
    ends_at: Moment.nullable().default(null),
    rate_per_second: Rate,
    payment_window_s: Seconds.default(300),
    hold_s: Seconds.default(600),
    pass_s: Seconds.default(600),
    message: text(500).default(''),
    products: z.array(NewProduct).min(1).max(100),
    reason: Reason,
  })
  .openapi('NewSale')

export const CommandRequest = z.strictObject({ reason: Reason }).openapi('CommandRequest')
export const RateRequest = z.strictObject({ rate_per_second: Rate, reason: Reason }).openapi('RateRequest')
export const ReconcileRequest = z
  .strictObject({ item_id: Slug.optional(), reason: Reason })
  .openapi('ReconcileRequest')

export const ReconcileRun = z
  .object({
    item_id: z.string(),
    outcome: z.enum(['clean', 'repaired', 'in_motion', 'oversold', 'refused']),
    drift: z.int().describe('Units Redis shows too many (+) or too few (-)'),
    report: z.record(z.string(), z.unknown()),
  })
  .openapi('ReconcileRun')
