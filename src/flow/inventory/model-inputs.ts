import fc from 'fast-check'

/** What the model test feeds to the model and to the real inventory: few ids, so that they meet often. */

const ORDERS = ['order-0', 'order-1', 'order-2', 'order-3', 'order-4', 'order-5']
const USERS = ['plain', 'with space: and "quote"', 'ünïcode 🛒', 'order-1:9']
const LONG = 1_000_000_000

export const orderId = fc.constantFrom(...ORDERS)
/** An order mostly belongs to one buyer; now and then another one brings its id. */
const owned = fc
  .record({ order: fc.nat(ORDERS.length - 1), shift: fc.constantFrom(0, 0, 0, 1) })
  .map(({ order, shift }) => ({
    order_id: ORDERS[order] as string,
    user_id: USERS[(order + shift) % USERS.length] as string,
  }))
/** Holds that are due at once (0 ms) or never within a test. */
export const claimRequest = fc
  .record({
    owned,
    quantity: fc.constantFrom(1, 1, 2, 3),
    limit: fc.constantFrom(1, 2, 4),
    hold_ms: fc.constantFrom(0, LONG),
    restored: fc.constantFrom(false, false, false, true),
  })
  .map(({ owned: ids, restored, ...rest }) => ({
    ...ids,
    ...rest,
    ...(restored ? { restored } : {}),
    amount: rest.quantity * 500,
    currency: 'EUR',
    pay_ms: 7,
  }))

export const change = fc.record(
  {
    state: fc.constantFrom('open', 'open', 'open', 'paused', 'ended'),
    opens_at: fc.constantFrom(0, 0, 0, 9e12),
    ends_at: fc.constantFrom(null, null, 9e12, 1),
  },
  { requiredKeys: [] },
)
