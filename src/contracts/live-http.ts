import { z } from '@hono/zod-openapi'
import { Count, Millis, QueueStatus } from './http.ts'
import { FAILURE_REASONS } from './orders.ts'
import { PAYMENT_STATES } from './payments.ts'

/** One second of a sale. Counts only grow, since the sale began to be watched; who wants a rate subtracts two samples. */
export const LiveSample = z
  .object({
    at: Millis.describe('The second it was taken in, by the clock of the server'),
    phase: QueueStatus.shape.phase,
    queue: z
      .object({
        depth: Count.describe('People who wait'),
        joined: Count.describe('Positions given so far'),
        now_serving: Count.describe('Of the main line'),
        entered: Count.describe('People let in so far'),
        checkouts: Count.describe('People in checkout right now'),
        checkout_cap: z.int().nullable().describe('null: no limit'),
        rate_per_second: z.number().describe('People to let in per second, as the operator set it'),
      })
      .describe('All lines of the sale together, those of groups too'),
    items: z.array(
      z.object({ item_id: z.string(), available: Count, held: Count, sold: Count, total: Count }),
    ),
    claims: z
      .record(z.string(), Count)
      .describe('Answers to claims, by outcome: `claimed`, `sold_out`, `held_out`, `limit_reached`, ...'),
    orders: z
      .object({
        PENDING: Count,
        PAID: Count,
        FAILED: Count,
        failures: z.partialRecord(z.enum(FAILURE_REASONS), Count).describe('FAILED ones by reason'),
      })
      .describe('In SQL; counted every few seconds, see `counted_at`'),
    payments: z.partialRecord(z.enum(PAYMENT_STATES), Count).describe('In SQL, by state'),
    counted_at: Millis.nullable().describe('When `orders` and `payments` were counted last; null: not yet'),
    event_log: z.object({
      waiting: Count.describe('Events of the sale that SQL has not confirmed'),
      oldest_s: z.number().nonnegative().describe('Age of the oldest of them; 0 where there is none'),
      dead_letters: Count,
    }),
    errors: Count.describe('Of `requests`, those answered with a 5xx status'),
    requests: Count.describe('Answered for buyers: about this sale, and those whose address names no sale'),
  })
  .openapi('LiveSample')
export type LiveSample = z.infer<typeof LiveSample>

export const LiveHistory = z
  .object({
    sale_id: z.string(),
    samples: z.array(LiveSample).describe('Oldest first, at most one a second'),
  })
  .openapi('LiveHistory')

export const LiveQuery = z.object({
  minutes: z.coerce
    .number()
    .int()
    .min(1)
    .max(60)
    .default(15)
    .openapi({ param: { name: 'minutes', in: 'query' }, description: 'How far back' }),
})
