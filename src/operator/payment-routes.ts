import { createRoute, z } from '@hono/zod-openapi'
import type { Payments } from '../flow/payments/payments.ts'
import { type App, json, problems } from '../platform/http.ts'

/** Of each shard, the longest unpaid first. */
const OLDEST = 200

const Unfunded = z.object({
  orders: z.array(
    z.object({
      order_id: z.string(),
      user_id: z.string(),
      sale_id: z.string(),
      item_id: z.string(),
      provider: z.string(),
      provider_ref: z.string().describe('The payment, as the provider calls it'),
      state: z
        .enum(['authorised', 'lost'])
        .describe('`authorised`: the capture is tried again and again; `lost`: the buyer has to pay again'),
      amount: z.int().describe('Minor units'),
      currency: z.string(),
      paid_at: z.int().describe('When the order became PAID, ms since the epoch'),
    }),
  ),
})

const getUnfunded = createRoute({
  method: 'get',
  path: '/api/operator/payments/unfunded',
  responses: {
    200: json(Unfunded, 'Orders that are PAID, and whose money has not come for a minute or more'),
    ...problems('operator_only'),
  },
})

export interface OperatorPaymentParts {
  readonly payments: Pick<Payments, 'unfunded'>
}

export function operatorPaymentRoutes(app: App, { payments }: OperatorPaymentParts): void {
  app.openapi(getUnfunded, async (c) => {
    const orders = await payments.unfunded(OLDEST)
    return c.json(
      {
        orders: orders.map(
          (order) => ({ ...order, state: order.state === 'lost' ? 'lost' : 'authorised' }) as const,
        ),
      },
      200,
    )
  })
}
