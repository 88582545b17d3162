import { z } from '@hono/zod-openapi'
import { Count, Millis, QueueStatus, Sale, Slug } from './http.ts'
import { OversellSettings } from './oversell.ts'
import { MOST_PARTS } from './parts.ts'

/** Shapes of the operator's API; as strict as those of http.ts. */
const Currency = z.string().regex(/^[A-Z]{3}$/, 'three capital letters (ISO 4217)')
/** Of an operator. PostgreSQL stores every character but NUL. */
const text = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .refine((value) => !value.includes('\0'), 'no NUL characters')
export const Reason = text(500).min(1).describe('Why; kept in the audit log')
/** Slower than one person in 1000 seconds no line moves. */
const Rate = z.number().min(0.001).max(1_000_000)
/** Up to the end of the year 9999: later moments are none to JavaScript or to SQL. */
const Moment = Millis.max(253_402_300_799_999)

export const NewProduct = z
  .strictObject({
    id: Slug,
    name: text(200).min(1),
    description: text(5000).default(''),
    amount: z.int().min(1).max(1_000_000_000),
    currency: Currency,
    units: z.int().min(1).max(10_000_000),
    per_buyer_limit: z.int().min(1).max(1000).default(1),
    stock_parts: z
      .int()
      .min(1)
      .max(MOST_PARTS)
      .optional()
      .describe(
        'Parts that its stock is split into, on different slots of a Redis Cluster; 1 where it is left out',
      ),
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
    turn_s: Seconds.default(120).describe('How long a turn that has come may wait to be taken'),
    lobby_opens_at: Millis.nullable().default(null).describe('null: people may join from now on'),
    post_sale_at: Millis.nullable().default(null),
    order: z
      .enum(['fifo', 'draw'])
      .default('fifo')
      .describe('How those who came before the opening are ordered'),
    checkout_cap: z.int().min(1).max(1_000_000).nullable().default(null),
    checkouts_per_unit: z.number().min(1).max(1000).default(3),
    standby_threshold: z.int().min(1).max(1_000_000).nullable().default(null),
    guard: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('Settings of the guard; defaults for the rest'),
    oversell: OversellSettings.prefault({}).describe('What happens when more was sold than there is'),
    message: text(500).default(''),
    products: z.array(NewProduct).min(1).max(100),
    reason: Reason,
  })
  .openapi('NewSale')

export const CommandRequest = z.strictObject({ reason: Reason }).openapi('CommandRequest')
export const RehearseRequest = z
  .strictObject({ opens_in_s: z.number().min(0).max(86_400), reason: Reason })
  .openapi('RehearseRequest')
export const ListedSale = Sale.extend({
  phase: QueueStatus.shape.phase.nullable().describe('null: it can not be told right now'),
}).openapi('ListedSale')
export const RateRequest = z.strictObject({ rate_per_second: Rate, reason: Reason }).openapi('RateRequest')
export const CapRequest = z
  .strictObject({ checkout_cap: z.int().min(1).max(1_000_000).nullable(), reason: Reason })
  .openapi('CapRequest')
export const MessageRequest = z
  .strictObject({ message: z.string().max(500), reason: Reason })
  .openapi('MessageRequest')
export const NewGroup = z
  .strictObject({
    id: Slug,
    name: z.string().trim().min(1).max(200),
    code: z.string().trim().min(4).max(64),
    rate_per_second: z.number().positive().max(1_000_000),
    places: z.int().min(1).max(10_000_000).nullable().default(null),
    reason: Reason,
  })
  .openapi('NewGroup')
export const Line = z
  .object({
    waiting: Count,
    entered: Count,
    in_checkout: Count,
    rate_per_second: z.number(),
    pace_per_second: z.number().describe('How fast the serving number moves'),
    no_show_ratio: z.number().describe('Share of turns that are not taken'),
    running: z.boolean(),
    dormant: z.boolean(),
  })
  .openapi('Line')
export const UnitsRequest = z
  .strictObject({ units: z.int().min(0).max(10_000_000), reason: Reason })
  .openapi('UnitsRequest')
export const SplitRequest = z
  .strictObject({ parts: z.int().min(2).max(MOST_PARTS), reason: Reason })
  .openapi('SplitRequest')
export const PictureRequest = z
  .strictObject({
    alt: text(300).default('').describe('What it shows, for who does not see it; the name where it is empty'),
    reason: Reason,
  })
  .openapi('PictureRequest')
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
export const RecordedRun = ReconcileRun.extend({ started_at: Millis }).openapi('RecordedRun')

const Tally = z.object({ orders: Count, units: Count })
export const DriftReport = z
  .object({
    item_id: z.string(),
    units: Count.describe('Units there are, as the operator says'),
    sql: z.object({ PENDING: Tally, PAID: Tally, FAILED: Tally }),
    redis: z
      .object({
        total: Count,
        available: z.int(),
        held: z.int(),
        sold: z.int(),
        holds: Tally,
        fenced: z.boolean().describe('Nothing is claimed until reconciliation has lifted the fence'),
      })
      .nullable()
      .describe('null: not loaded, or it can not be read'),
    outbox: Count.describe('Events of the item that SQL has not confirmed'),
    event_log: z.object({
      backlog: Count.describe('Events of all items on their way to SQL'),
      dead_letters: Count.describe('Events of this item that were set aside'),
    }),
    drift: z
      .int()
      .describe('Units Redis shows too many (+) or too few (-) right now, with what is under way'),
    oversold: Count.describe('Units PAID and PENDING in SQL beyond those there are'),
    last_run: RecordedRun.nullable(),
    last_repair: RecordedRun.nullable(),
    since: Millis.nullable().describe('When the trouble there is now was first found'),
  })
  .openapi('DriftReport')

export const AuditLine = z
  .object({
    at: Millis,
    operator: z.string(),
    command: z.string(),
    target: z.string(),
    reason: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .openapi('AuditLine')
