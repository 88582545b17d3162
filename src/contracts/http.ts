import { z } from '@hono/zod-openapi'
import { CaptchaAnswer } from './guard.ts'
import { SLUG } from './ids.ts'
import { FAILURE_REASONS, ORDER_STATUSES } from './orders.ts'

/**
 * Shapes of the HTTP contract (design, section 9): they validate, and `/openapi.json` is made from them. Objects that
 * come from outside are strict: an unknown field is refused, so nobody can set what is not theirs to set.
 * Times are milliseconds since the epoch on the server's clock unless a name ends in `_s`.
 */
export const Slug = z.string().regex(SLUG, 'lower-case letters, digits and hyphens, at most 64')
export const Millis = z.int().nonnegative()
export const Count = z.int().nonnegative()
const Token = z.string().min(1).max(2048)
export const Device = z.string().min(1).max(256)

export const SaleParam = z.object({ sale: Slug.openapi({ param: { name: 'sale', in: 'path' } }) })
export const IdParam = z.object({ id: Slug.openapi({ param: { name: 'id', in: 'path' } }) })
export const OrderParam = z.object({ id: z.uuid().openapi({ param: { name: 'id', in: 'path' } }) })

export const Draw = z
  .object({
    commitment: z.string().describe('Hash of the secret, published before anybody joins'),
    secret: z.string().nullable().describe('null until the sale has opened, as are the other inputs'),
    lobby_size: Count.nullable(),
    tickets_hash: z.string().nullable(),
  })
  .openapi('Draw')

const LineNumbers = z.object({
  now_serving: Count,
  last_position: Count,
  rate_per_second: z
    .number()
    .nonnegative()
    .describe('How fast `now_serving` moves; 0: it stands still, and nobody can know for how long'),
})

export const QueueStatus = z
  .object({
    ...LineNumbers.shape,
    phase: z.enum([
      'scheduled',
      'lobby',
      'standby',
      'open',
      'paused',
      'held_out',
      'sold_out',
      'ended',
      'post_sale',
    ]),
    server_time: Millis,
    lobby_opens_at: Millis.nullable(),
    opens_at: Millis,
    lanes: z.record(z.string(), LineNumbers).describe('The same of the line of each group, by its id'),
    available: Count,
    held: Count,
    sold: Count,
    total: Count,
    message: z.string(),
    rehearsal: z.boolean().describe('Nothing is sold: everything is tried on a copy of a sale'),
    draw: Draw.nullable().describe('null: first come, first served'),
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
    captcha: CaptchaAnswer.optional(),
    fingerprint: z.string().max(128).optional().describe('What the browser looks like; only a signal'),
    code: z.string().trim().min(4).max(64).optional().describe('Of a group with a lane of its own'),
  })
  .openapi('JoinRequest')

export const JoinAnswer = z
  .object({
    ticket: z.string(),
    position: z.int().positive().optional(),
    lobby_index: z.int().positive().optional(),
    lane: z.string().optional().describe('Of `lanes` in the status, for members of a group'),
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

export const Picture = z
  .object({
    path: z.string().describe('On any of our hosts; what it leads to never changes'),
    width: z.int().positive(),
    height: z.int().positive(),
    alt: z.string().describe('Empty where it only decorates'),
  })
  .openapi('Picture')

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
    stock_parts: z.int().optional(),
    picture: Picture.describe('One that is drawn from the name where none was given'),
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
    lobby_opens_at: Millis.nullable(),
    post_sale_at: Millis.nullable(),
    pass_s: z.number(),
    turn_s: z.number(),
    checkout_cap: z.int().nullable(),
    checkouts_per_unit: z.number(),
    standby_threshold: z.int().nullable(),
    draw_commitment: z.string().nullable(),
    message: z.string(),
    rehearsal: z.boolean().describe('Nothing is sold: it is a copy of a sale to try everything on'),
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

export const SaleStock = z.object({ items: z.array(StockAnswer), server_time: Millis }).openapi('SaleStock')

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
    gift_part: Count.describe('What gift cards pay of it'),
    currency: z.string(),
    status: z.enum(['PROCESSING', ...ORDER_STATUSES]),
    pay_again: z
      .boolean()
      .describe('PAID, but the provider gave the payment up before we had the money: may be paid once more'),
    failure_reason: z.enum(FAILURE_REASONS).nullable(),
    claimed_at: Millis,
    pay_by: Millis,
    hold_expires_at: Millis,
  })
  .openapi('Order')

export const Email = z
  .email('an e-mail address such as name@example.com')
  .max(254, 'an e-mail address has at most 254 characters')

export const ContactRequest = z
  .strictObject({ email: Email.nullable().describe('null: forget it') })
  .openapi('ContactRequest')

export const ContactAnswer = z
  .object({
    email: z.string().nullable(),
    mails: z.boolean().describe('false: this shop sends no mails and keeps no address'),
  })
  .openapi('Contact')

export const Receipt = z
  .object({
    order_id: z.uuid(),
    item_name: z.string(),
    quantity: z.int().positive(),
    amount: Count.describe('Price of the whole order in minor units'),
    currency: z.string(),
    paid_at: Millis,
    provider: z.string().nullable().describe('Who took the money; null: gift cards paid it all'),
    gift_amount: Count.describe('What gift cards paid of it'),
    provider_ref: z.string().nullable(),
    email: z.string().nullable().describe('Where it goes by mail'),
    mail: z.enum(['none', 'on_its_way', 'sent', 'undeliverable']),
  })
  .openapi('Receipt')

export const PaymentRequest = z
  .strictObject({ provider: z.enum(['stripe', 'paypal']) })
  .openapi('PaymentRequest')

export const PaymentAnswer = z
  .object({
    provider: z.string(),
    order_id: z.uuid(),
    browser: z
      .record(z.string(), z.string())
      .describe(
        'What the browser needs; for Stripe: publishable_key, client_secret, api_url, script_url (of its card fields); for PayPal: approve_url, the page where the buyer agrees',
      ),
  })
  .openapi('PaymentAnswer')

export const PaymentCheck = z
  .object({
    provider: z.string(),
    order_id: z.uuid(),
    status: z.enum(ORDER_STATUSES),
    payment: z
      .enum(['none', 'waiting', 'declined', 'accepted', 'returned'])
      .describe('Of the last payment of the order with this provider'),
    reason: z.string().optional().describe('With `declined`: why, in words'),
  })
  .openapi('PaymentCheck')

export const ReceiptRequest = z.strictObject({ receipt: Token }).openapi('ReceiptRequest')
