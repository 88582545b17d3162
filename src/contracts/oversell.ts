import { z } from 'zod'
import type { Money } from './money.ts'

/**
 * What a sale does when more was sold than there is. `approval`: who says that the last orders are cancelled, one
 * person, two different ones, or nobody. The gift card is a share of the order's price, or one amount in minor units;
 * what the buyer paid is refunded besides.
 */
export const OversellSettings = z.strictObject({
  approval: z.enum(['one_person', 'two_persons', 'automatic']).default('one_person'),
  gift_card: z
    .union([
      z.strictObject({ share: z.number().positive().max(1) }),
      z.strictObject({ amount: z.int().min(1).max(1_000_000_000) }),
    ])
    .default({ share: 0.1 }),
  valid_days: z.int().min(1).max(3650).default(365),
})
export type OversellSettings = z.infer<typeof OversellSettings>

/** How many different people must approve. */
export const PERSONS: Readonly<Record<OversellSettings['approval'], number>> = {
  automatic: 0,
  one_person: 1,
  two_persons: 2,
}

/** What a buyer is given for an order that was cancelled as oversold: at least one minor unit. */
export function giftFor(price: Money, { gift_card }: OversellSettings): Money {
  const amount =
    'amount' in gift_card ? gift_card.amount : Math.max(1, Math.round(price.amount * gift_card.share))
  return { amount, currency: price.currency }
}
